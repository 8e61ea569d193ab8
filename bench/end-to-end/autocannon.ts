/** A process: one closed-loop run of autocannon. Arguments: URL, connections, seconds. Prints a LoadResult. */
import { driveLoad } from '../../workers/load/drive.js';
import type { LoadResult } from './generator.js';

const [url, connections, seconds] = process.argv.slice(2);
const load = await driveLoad({
  url,
  rate: null,
  durationMs: Number(seconds) * 1000,
  connections: Number(connections),
  body: null,
}).done;
const result: LoadResult = {
  requests: load.latency.count,
  seconds: load.durationMs / 1000,
  errors: load.errors + load.notSuccessful,
  p50Us: load.latency.percentileUs(50),
  p99Us: load.latency.percentileUs(99),
};
process.stdout.write(JSON.stringify(result));
