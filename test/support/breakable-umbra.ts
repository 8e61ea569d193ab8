/**
 * Entry of a child process: `umbra run` whose threads can be made to throw. Told the name of a thread
 * (`proxy-0`, `shadow-0`, `sink-0`, `control`), it sends it a message that no thread knows, and answers with the name when
 * the thread's successor is at work.
 *
 *   node breakable-umbra.js FILE PROXY_THREADS SHADOW_THREADS SINK_THREADS
 */
import type { Worker } from 'node:worker_threads';
import { runCommand } from '../../workers/commands/run.js';
import type { FromControl, FromThread } from '../../workers/messages.js';

const [file, proxies, shadows, sinks] = process.argv.slice(2);
/** Names of the threads that are about to be started, in the order in which main starts them. */
const awaited = [
  ...named('shadow', Number(shadows)),
  ...named('sink', Number(sinks)),
  ...named('proxy', Number(proxies)),
  'control',
];
const atWork = new Map<string, Worker>();

process.on('worker', (worker: Worker) => {
  const name = awaited.shift() ?? 'unknown';
  worker.on('message', ({ type }: FromThread | FromControl) => {
    if (type !== 'ready' && type !== 'listening') return;
    if (atWork.has(name)) process.send!(name);
    atWork.set(name, worker);
  });
});

process.on('message', (name: string) => {
  awaited.push(name);
  atWork.get(name)!.postMessage({ type: 'no such message' });
});

process.exitCode = await runCommand({ config: file, set: [], takeover: null });
process.disconnect();

function named(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index}`);
}
