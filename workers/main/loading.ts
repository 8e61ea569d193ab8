/** Main's side of the thread that loads configurations. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LoadedAll, LoadJob } from '../../config/load-all.js';
import { limits } from '../../core/limits.js';
import { entryFile } from '../protocol/entry.js';

/** `loadInThread` runs `loadAll` on its own thread. It rejects if that thread fails or takes too long. */
export async function loadInThread(job: LoadJob): Promise<LoadedAll> {
  const worker = new Worker(entryFile('threads/loader'), { name: 'loader', workerData: job });
  const ended = once(worker, 'exit');
  const timer = setTimeout(() => void worker.terminate(), limits.loadMs);
  try {
    const first = await Promise.race([once(worker, 'message'), ended.then(() => null)]);
    if (first === null) throw new Error(`the configuration was not loaded within ${limits.loadMs} ms`);
    await ended;
    return first[0] as LoadedAll;
  } finally {
    clearTimeout(timer);
  }
}
