/**
 * A thread that loads a configuration and ends: a thousand documents take a second of work, and main, which
 * hands connections out, must not pause for it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type LoadJob, loadAll } from '../../config/load-all.js';

parentPort!.postMessage(await loadAll(workerData as LoadJob));
