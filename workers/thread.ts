/** What every data-plane thread does the same way: speak to main, and fail in order. */
import { parentPort } from 'node:worker_threads';
import type { FromThread } from './messages.js';

export function say(message: FromThread): void {
  parentPort!.postMessage(message);
}

/** Should main not answer a failing thread, it leaves by itself after this long. */
const leaveAnywayMs = 1000;

/**
 * An exception that nobody caught: the thread can't be trusted any more, but it must not simply end, because the
 * acceptor would hand connections to an app that is gone, and the process would die. So it asks main to take it
 * out, and leaves when main says so.
 */
export function guardThread(leave: () => void): void {
  let failing = false;
  process.on('uncaughtException', (error) => {
    if (failing) return;
    failing = true;
    say({ type: 'failing', error: error.stack ?? String(error) });
    setTimeout(leave, leaveAnywayMs);
  });
}

/** Main and its threads are of one build: a word that one of them does not know is a fault, and is not passed over in silence. */
export function unknownMessage(message: never): never {
  throw new Error(`a thread was told what it does not know: ${JSON.stringify(message)}`);
}
