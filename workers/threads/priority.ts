/** Gives threads that keep time priority over all other threads. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** The niceness of threads that measure nothing: a person or a file waits for them. */
export const backgroundNice = 5;

/**
 * `yieldToProxyThreads` sets the niceness of the calling thread only (0 to 19; on Linux setpriority(2)
 * applies to a thread). Where threads share cores, a shadow's work then waits for a client's, and not the
 * other way round. It does nothing on other systems, where it would affect the whole process.
 */
export function yieldToProxyThreads(nice: number): void {
  if (process.platform !== 'linux' || nice === 0) return;
  try {
    // `PID/task/TID`; Node has no function for the thread id.
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), nice);
  } catch {
    // Without /proc, or when the process already has a lower priority, this fails. Nothing depends on it.
  }
}
