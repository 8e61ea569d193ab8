/** A thread's own load, as gauges in its counters: the share of time at work, and its delay. */
import { ThreadCounters } from '../../core/record/thread-counters.js';

const pulseMs = 500;

/**
 * `startPulse` begins to measure the calling thread, without keeping it alive. The exact delay would need a
 * timer every few milliseconds (`monitorEventLoopDelay`), which wakes an idle thread all day. This timer
 * detects every pause longer than half a second, and a sample of shorter ones.
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
