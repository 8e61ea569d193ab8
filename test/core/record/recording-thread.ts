/** A thread that records one value many times and ends. */
import { workerData } from 'node:worker_threads';
import { HdrCounts } from '../../../core/record/hdr-counts.js';

const { shared, byteOffset, valueUs, times } = workerData as {
  shared: SharedArrayBuffer;
  byteOffset: number;
  valueUs: number;
  times: number;
};
const counts = new HdrCounts(shared, byteOffset);
for (let i = 0; i < times; i++) counts.record(valueUs);
