/**
 * A process: one closed-loop run of autocannon. Arguments: URL, connections, seconds, bytes of a body (0:
 * GET, else POST). Prints a LoadResult.
 */
import { driveLoad } from '../../workers/load/drive.js';
import type { LoadResult } from './generator.js';

const [url, connections, seconds, bodyBytes = '0'] = process.argv.slice(2);
const load = await driveLoad({
  url,
  rate: null,
  durationMs: Number(seconds) * 1000,
  connections: Number(connections),
  body:
    bodyBytes === '0'
      ? null
      : { bytes: Buffer.alloc(Number(bodyBytes), '.'), contentType: 'application/octet-stream' },
}).done;
const result: LoadResult = {
  requests: load.latency.count,
  seconds: load.durationMs / 1000,
  errors: load.errors + load.notSuccessful,
  p50Us: load.latency.percentileUs(50),
  p99Us: load.latency.percentileUs(99),
  p999Us: load.latency.percentileUs(99.9),
};
process.stdout.write(JSON.stringify(result));
