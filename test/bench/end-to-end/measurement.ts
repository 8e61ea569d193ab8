import type { Measurement } from '../../../bench/end-to-end/comparison.js';

/** A measurement of a quiet machine; `…mirror` is a target that mirrors. */
export function one(target: string, cpuUsPerRequest: number, more: Partial<Measurement> = {}): Measurement {
  const mirrors = target.endsWith('mirror');
  return {
    target,
    mirrors,
    requests: 100_000,
    seconds: 5,
    errors: 0,
    p50Us: 1500,
    p99Us: 4000,
    p999Us: 9000,
    cpuUsPerRequest,
    threads: [{ name: 'worker', tid: 42, cpuUsPerRequest }],
    peakBytes: 100 * 2 ** 20,
    othersShare: 0.02,
    copiesShare: mirrors ? 1 : 0,
    copiesMin: mirrors ? 0.99 : 0,
    ...more,
  };
}
