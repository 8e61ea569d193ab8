/**
 * A proxy thread in small: one engine that answers with its thread's number. Run as a worker thread by
 * threads.test.ts. It leaves in the safe order: main is asked to release the descriptor, then `leave`, then
 * exit.
 */
import { parentPort, threadId } from 'node:worker_threads';
import type { RequestHead } from '../../../../core/http/message.js';
import type { RequestSink, Responder } from '../../../../workers/downstream/downstream.js';
import { UwsDownstream } from '../../../../workers/downstream/uws/engine.js';
import { loadUws } from '../../../../workers/downstream/uws/load.js';
import { listenerPlan, uwsParts } from '../../../support/listener.js';
import { loopback, reply } from './rig.js';

export type ChildMessage =
  | { readonly type: 'ready'; readonly descriptor: number }
  | { readonly type: 'leaving' }
  | { readonly type: 'left'; readonly connections: number };

const sink: RequestSink = {
  onRequestBody: () => {},
  onRequestTrailers: () => {},
  onAborted: () => {},
  onWritable: () => {},
  lastWords: () => '',
};

function onRequest(head: RequestHead, responder: Responder): RequestSink {
  if (head.target === '/throw') throw new Error('a fault in the proxy');
  if (head.target !== '/never') reply(responder, String(threadId));
  return sink;
}

function post(message: ChildMessage): void {
  parentPort!.postMessage(message);
}

const loading = loadUws();
if (loading.kind !== 'loaded') throw new Error(loading.reason);
const downstream = new UwsDownstream(
  loading.uws,
  listenerPlan({ address: loopback, engine: 'uws' }),
  uwsParts({ onRequest }),
);
let leaving = false;

/** Set from the first fault on: the thread only waits to be released. */
process.on('uncaughtException', () => {
  if (leaving) return;
  leaving = true;
  post({ type: 'leaving' });
});

parentPort!.on('message', async (message: 'drain' | 'leave') => {
  if (message === 'drain') await downstream.drain();
  await downstream.leave();
  post({ type: 'left', connections: downstream.connections() });
  setImmediate(() => process.exit());
});

post({ type: 'ready', descriptor: downstream.descriptor() });
