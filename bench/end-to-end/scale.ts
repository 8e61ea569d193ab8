/**
 * Scenario `scale`: throughput and CPU time a request with 1 to N proxy threads, N being the CPUs of this
 * machine, and what a connection of its own for every request costs the thread that accepts. Nothing is
 * pinned, and the load generator and the origins take their share of the same CPUs: on a small machine what
 * grows is CPU time a request, and what is reached is what the others leave.
 */
import { availableParallelism } from 'node:os';
import { median } from './numbers.js';
import { startOrigins } from './origins.js';
import { cpuOf, threadsBetween } from './proc.js';
import { count, fixed, tableText } from './table.js';
import { mirroredRoute, plainRoute, startUmbra } from './targets/umbra.js';
import type { Bench, Verdict } from './verdict.js';

const warmUpSeconds = 2;

interface Row {
  readonly threads: number;
  readonly engine: 'uws' | 'node';
  readonly what: 'plain' | 'mirrored' | 'new connections';
  readonly rates: number[];
  readonly cpuUs: number[];
  /** CPU time of the busiest thread. */
  readonly busiestUs: number[];
}

export async function scale(bench: Bench): Promise<Verdict> {
  const rows: Row[] = [];
  for (let threads = 1; threads <= availableParallelism(); threads++) {
    for (const engine of ['uws', 'node'] as const) {
      for (const what of ['plain', 'mirrored', 'new connections'] as const) {
        const row = await measure(bench, { threads, engine, what, rates: [], cpuUs: [], busiestUs: [] });
        console.log(`${nameOf(row)}: ${count(median(row.rates))} requests/s`);
        rows.push(row);
      }
    }
  }
  const cells = rows.map((row) => [
    nameOf(row),
    count(median(row.rates)),
    fixed(median(row.cpuUs), 1),
    fixed(median(row.busiestUs), 1),
  ]);
  console.log(`\n${tableText(['threads, engine', 'requests/s', 'CPU us/req', 'busiest thread'], cells)}`);
  return { aims: [], measured: rows };
}

function nameOf({ threads, engine, what }: Row): string {
  return `${threads} ${engine}, ${what}`;
}

async function measure({ options, generator }: Bench, row: Row): Promise<Row> {
  const origins = await startOrigins(null);
  const umbra = await startUmbra(
    {
      proxyThreads: row.threads,
      engine: row.engine,
      primaryPort: origins.primary.port,
      shadowPort: origins.shadow.port,
      routes: row.what === 'mirrored' ? mirroredRoute : plainRoute,
    },
    null,
  );
  const closing = row.what === 'new connections';
  try {
    await generator.run(umbra.url, options.connections, warmUpSeconds, 0, closing);
    for (let round = 0; round < options.rounds; round++) {
      const before = cpuOf([umbra.pid]);
      const { requests, seconds } = await generator.run(
        umbra.url,
        options.connections,
        options.seconds,
        0,
        closing,
      );
      const after = cpuOf([umbra.pid]);
      row.rates.push(requests / seconds);
      row.cpuUs.push((after.cpuUs - before.cpuUs) / requests);
      row.busiestUs.push((threadsBetween(before, after)[0]?.cpuUs ?? Number.NaN) / requests);
    }
  } finally {
    await umbra.stop();
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
  return row;
}
