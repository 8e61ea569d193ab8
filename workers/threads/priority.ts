/** Threads that keep time come first: every other thread asks the kernel to be served after them. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** The niceness of threads that measure nothing: what waits for them is a person or a file. */
export const backgroundNice = 5;

/**
 * Sets the niceness of the calling thread alone (0 to 19; setpriority(2): on Linux it is an attribute of a
 * thread). Where threads share cores, a shadow's work then waits for a client's and not the other way round.
 * Elsewhere than on Linux nothing happens, for there the whole process would be meant.
 */
export function yieldToProxyThreads(nice: number): void {
  if (process.platform !== 'linux' || nice === 0) return;
  try {
    // `PID/task/TID`; Node has no name for the calling thread's number.
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), nice);
  } catch {
    // Without /proc, or where the process already has a lower priority: nothing depends on it.
  }
}
