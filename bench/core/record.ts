/**
 * Nanoseconds per recorded latency, against hdr-histogram-js (plain and WebAssembly) and a no-op, in one run.
 *
 *   node dist/bench/core/record.js
 */
import { build, initWebAssembly } from 'hdr-histogram-js';
import { HdrCounts } from '../../core/record/hdr-counts.js';
import { HIGHEST_US, SIGNIFICANT_DIGITS } from '../../core/record/hdr-layout.js';

const ROUNDS = 5;
const RECORDS_PER_ROUND = 2_000_000;
/** A power of two. Latencies between about 50 us and 50 ms, log-uniform, from a fixed seed. */
const VALUES = 1 << 16;

const values = new Float64Array(VALUES);
let seed = 1;
for (let i = 0; i < VALUES; i++) {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  values[i] = 50 * 1000 ** (seed / 2 ** 32);
}

await initWebAssembly();
const shared = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
const plain = reference(false);
const wasm = reference(true);
let sink = 0;

const rivals: [name: string, run: (times: number) => void][] = [
  [
    'no-op',
    (times) => {
      let sum = 0;
      for (let i = 0; i < times; i++) sum += values[i & (VALUES - 1)];
      sink += sum;
    },
  ],
  [
    'umbra, shared memory',
    (times) => {
      for (let i = 0; i < times; i++) shared.record(values[i & (VALUES - 1)]);
    },
  ],
  [
    'hdr-histogram-js, plain',
    (times) => {
      for (let i = 0; i < times; i++) plain.recordValue(Math.round(values[i & (VALUES - 1)]));
    },
  ],
  [
    'hdr-histogram-js, wasm',
    (times) => {
      for (let i = 0; i < times; i++) wasm.recordValue(Math.round(values[i & (VALUES - 1)]));
    },
  ],
];

const best = rivals.map(() => Number.POSITIVE_INFINITY);
for (let round = 0; round <= ROUNDS; round++) {
  rivals.forEach(([, run], i) => {
    const started = process.hrtime.bigint();
    run(RECORDS_PER_ROUND);
    const ns = Number(process.hrtime.bigint() - started) / RECORDS_PER_ROUND;
    // The first round warms up.
    if (round > 0) best[i] = Math.min(best[i], ns);
  });
}

console.log(
  `Recording one latency, best of ${ROUNDS} rounds of ${RECORDS_PER_ROUND}, node ${process.version}`,
);
rivals.forEach(([name], i) => {
  console.log(
    `${name.padEnd(26)}${best[i].toFixed(1).padStart(8)} ns ${(best[i] / best[1]).toFixed(2).padStart(8)} x umbra`,
  );
});
if (sink < 0) console.log(sink);

function reference(useWebAssembly: boolean) {
  return build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    useWebAssembly,
  });
}
