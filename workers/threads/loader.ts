/**
 * A thread that loads a configuration and ends. A thousand documents take a second, and main, which
 * distributes connections, must not pause for it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type LoadJob, loadAll } from '../../config/load-all.js';

parentPort!.postMessage(await loadAll(workerData as LoadJob));
