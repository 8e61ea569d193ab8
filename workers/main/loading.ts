/** Main's end of the thread that loads configurations. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LoadedAll, LoadJob } from '../../config/load-all.js';
import { entryFile } from '../protocol/entry.js';

/** As `loadAll`, on a thread of its own. Rejects if that thread fails. */
export async function loadInThread(job: LoadJob): Promise<LoadedAll> {
  const worker = new Worker(entryFile('threads/loader'), { name: 'loader', workerData: job });
  const ended = once(worker, 'exit');
  const [loaded] = (await once(worker, 'message')) as [LoadedAll];
  await ended;
  return loaded;
}
