/** Readings made up of latencies and counts, for what is made from readings. */
import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { Histogram } from '../../../core/record/histogram.js';
import {
  type MirrorSnapshot,
  readMirror,
  readVersion,
  type VersionSnapshot,
} from '../../../core/record/snapshot.js';
import { type Reading, read } from '../../../core/report/reading.js';
import { STARTED_US, sample } from './sample.js';

function histogramOf(values: Iterable<number>): Histogram {
  const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  for (const valueUs of values) counts.record(valueUs);
  return Histogram.read([counts]);
}

/** `n` latencies from 1 to about 2 ms, times `factor`. */
export function latencies(n: number, factor = 1): Histogram {
  return histogramOf(Array.from({ length: n }, (_, i) => factor * (1000 + ((i * 7919) % 1000))));
}

export function version(latency: Histogram, errors = 0): VersionSnapshot {
  const { count } = latency;
  return {
    ...readVersion([]),
    requests: count,
    latency,
    responses: new Map([
      [200, count - errors],
      [500, errors],
    ]),
  };
}

export function mirrorCounts(paired: number, different: number): MirrorSnapshot {
  return {
    ...readMirror([]),
    eligible: paired,
    sent: paired,
    completed: paired,
    paired,
    different,
    equal: paired - different,
    statusDifferent: different,
  };
}

/** One route `reviews` from v1 to v2. */
export function readingOf(v1: VersionSnapshot, v2: VersionSnapshot, mirror: MirrorSnapshot): Reading {
  // What these tests do not care about is as in the sample.
  const base = read(sample().observed, STARTED_US);
  return {
    ...base,
    generation: 1,
    uptimeS: 60,
    versions: [
      { name: 'v1', role: 'primary', counts: v1 },
      { name: 'v2', role: 'shadow', counts: v2 },
    ],
    mirrors: [{ ...base.mirrors[0], enabled: true, percent: 100, counts: mirror }],
    threads: [],
    rings: [],
  };
}
