/** A thread of the sharing tests: answers each request with its own index. */
import { parentPort, workerData } from 'node:worker_threads';
import { nowUs } from '../../../../core/clock.js';
import { NodeDownstream } from '../../../../workers/downstream/node/engine.js';
import { NodeResources } from '../../../../workers/downstream/node/resources.js';
import { noCounters, oneCount } from '../../../support/listener.js';
import { reply } from '../uws/rig.js';

const nothing = (): void => {};
const handler = {
  onRequest: (_head: unknown, responder: Parameters<typeof reply>[0]) => {
    reply(responder, `<${workerData.index}>`);
    return {
      onRequestBody: nothing,
      onRequestTrailers: nothing,
      onAborted: nothing,
      onWritable: nothing,
      lastWords: () => '',
    };
  },
};
const downstream = new NodeDownstream(
  workerData.listener,
  handler,
  noCounters,
  new NodeResources(nowUs),
  oneCount(),
);
const descriptor = downstream.descriptor();
parentPort!.postMessage(descriptor, [descriptor]);
parentPort!.on('message', (message: string) => {
  if (message === 'die') process.exit(1);
  void downstream.leave().then(() => setImmediate(() => process.exit(0)));
});
