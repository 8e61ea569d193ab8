/** A thread's own pulse, as gauges in its counters: how much of its time it works, and how late it is. */
import { ThreadCounters } from '../../core/record/thread-counters.js';

const pulseMs = 500;

/**
 * Begins to measure the calling thread; does not keep it alive. The exact delay would need a timer every few
 * milliseconds (`monitorEventLoopDelay`), which wakes an idle thread all day long: this one sees every pause
 * that is longer than half a second, and of shorter ones a sample.
 */
export function startPulse(threadCounters: SharedArrayBuffer): void {
  const counters = new ThreadCounters(threadCounters);
  let before = performance.eventLoopUtilization();
  let dueMs = performance.now() + pulseMs;
  let lastDelayMs = 0;
  setInterval(() => {
    const nowMs = performance.now();
    const delayMs = Math.max(0, nowMs - dueMs);
    dueMs = nowMs + pulseMs;
    const after = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(after, before);
    counters.setPulse(utilization, Math.max(delayMs, lastDelayMs) / 1000);
    before = after;
    lastDelayMs = delayMs;
  }, pulseMs).unref();
}
