/**
 * Entry of a child process: `umbra run` whose threads can be made to throw. Given the name of a thread
 * (`proxy-0`, `shadow-0`, `sink-0`, `control`), it sends it a message that no thread knows, and answers with
 * the name when the thread's successor is at work.
 *
 *   node breakable-umbra.js FILE
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { Worker, type WorkerOptions } from 'node:worker_threads';
import type { FromControl, FromThread } from '../../workers/protocol/messages.js';

/** By the names that main gives them. */
const atWork = new Map<string, Worker>();

/** Node before 24 shows the name of a thread only to itself, so it is kept when it is given. */
class NamedWorker extends Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(file, options);
    const name = options.name ?? '';
    this.on('message', ({ type }: FromThread | FromControl) => {
      if (type !== 'ready') return;
      if (atWork.has(name)) process.send!(name);
      atWork.set(name, this);
    });
  }
}
workerThreads.Worker = NamedWorker;
syncBuiltinESMExports();

process.on('message', (name: string) => {
  atWork.get(name)!.postMessage({ type: 'no such message' });
});

// Only now may anybody import `Worker`.
const { runCommand } = await import('../../workers/commands/run.js');
process.exitCode = await runCommand({
  config: process.argv[2],
  set: [],
  takeover: null,
  readyFd: null,
  logLevel: null,
});
process.disconnect();
