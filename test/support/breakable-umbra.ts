/**
 * Entry of a child process: `umbra run` whose threads can be made to throw. Given the name of a thread
 * (`proxy-0`, `shadow-0`, `sink-0`, `control`), it sends it a message that no thread knows, and answers with
 * the name when the thread's successor is at work. When a control thread ends, it sends its account: at the
 * end of the process no admin API answers any more.
 *
 *   node breakable-umbra.js FILE [PID]     PID: the process whose place it takes
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { Worker, type WorkerOptions } from 'node:worker_threads';
import { nowUs } from '../../core/clock.js';
import type { ObservedBlocks } from '../../core/report/observed.js';
import { read } from '../../core/report/reading.js';
import { stats } from '../../core/report/stats.js';
import type { FromControl, FromThread } from '../../workers/protocol/messages.js';
import { openObservation } from '../../workers/protocol/observation.js';

/** By the names that main gives them. */
const atWork = new Map<string, Worker>();
/** What the control thread reads. */
let observed: ObservedBlocks | null = null;

/** Node before 24 shows the name of a thread only to itself, so it is kept when it is given. */
class NamedWorker extends Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(file, options);
    const name = options.name ?? '';
    if (name === 'control') observed = (options.workerData as { observed: ObservedBlocks }).observed;
    this.on('message', ({ type }: FromThread | FromControl) => {
      if (type !== 'ready') return;
      if (atWork.has(name)) process.send!(name);
      atWork.set(name, this);
    });
    if (name === 'control')
      this.once('exit', () => process.send!({ last: stats(read(openObservation(observed!), nowUs())) }));
  }

  override postMessage(...words: Parameters<Worker['postMessage']>): void {
    const [message] = words as [{ type?: string; observed?: ObservedBlocks }];
    if (message.type === 'observe') observed = message.observed!;
    super.postMessage(...words);
  }
}
workerThreads.Worker = NamedWorker;
syncBuiltinESMExports();

process.on('message', (name: string) => {
  atWork.get(name)!.postMessage({ type: 'no such message' });
});

// The channel is not to keep a process alive that has come to its end.
process.channel!.unref();
const [node, , file, pid] = process.argv;
process.argv = [node!, 'umbra', 'run', '-c', file!, ...(pid === undefined ? [] : ['--takeover', pid])];
// Only now may anybody import `Worker`. The bundle is what `bin/umbra.js` starts.
await import(new URL('../../bundle/umbra.cjs', import.meta.url).href);
