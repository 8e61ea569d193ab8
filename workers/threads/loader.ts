/**
 * A thread that loads a configuration and ends. A thousand documents take a second, and main, which
 * distributes connections, must not pause for it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type LoadJob, loadAll } from '../../config/load-all.js';

// Not awaited here: the bundle of a thread is a script, which can't.
void loadAll(workerData as LoadJob).then((loaded) => parentPort!.postMessage(loaded));
