/**
 * A process of Node with the threads of a small umbra, none of which does anything: what a start costs before
 * any code of umbra runs. It prints a line when all of them run, and ends by SIGTERM.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Two proxy threads, a shadow thread and the control thread. */
const staying = 4;

const bare = (code: string): Worker => new Worker(code, { eval: true });
// The thread that reads the configuration ends before umbra serves.
const loader = bare('');
await once(loader, 'exit');
const threads = Array.from({ length: staying }, () => bare('setInterval(() => undefined, 2 ** 30)'));
await Promise.all(threads.map((thread) => once(thread, 'online')));
process.stdout.write('all threads run\n');
