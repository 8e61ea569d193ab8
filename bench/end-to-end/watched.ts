/**
 * Scenario `watched`: what a client feels while ten live pages and ten scrapers read the admin server,
 * against nobody reading, in turn at one rate.
 */
import { beside, Child } from './child.js';
import { median, spread } from './numbers.js';
import { startOrigins } from './origins.js';
import type { PacedResult } from './paced.js';
import { count, ms, tableText } from './table.js';
import { mirroredRoute, startUmbra } from './targets/umbra.js';
import type { Bench, Verdict } from './verdict.js';

interface Measured extends PacedResult {
  readonly watched: boolean;
}

const pages = 10;
const scrapers = 10;
const defaultRate = 2000;
const warmUpSeconds = 2;
const readyTimeoutMs = 5000;
const generatorPath = beside('paced.js', import.meta.url);
const watchersPath = beside('watchers.js', import.meta.url);

export async function watched({ options, placement, generator }: Bench): Promise<Verdict> {
  const origins = await startOrigins(placement.rest);
  const measured: Measured[] = [];
  const rate = options.rate ?? defaultRate;
  try {
    const ports = { primaryPort: origins.primary.port, shadowPort: origins.shadow.port };
    const umbra = await startUmbra({ proxyThreads: 1, routes: mirroredRoute, ...ports }, placement.proxy);
    try {
      await generator.run(umbra.url, options.connections, warmUpSeconds);
      for (let round = 1; round <= options.rounds; round++) {
        for (const isWatched of [false, true]) {
          const args = [watchersPath, umbra.admin, String(pages), String(scrapers)];
          const watchers = isWatched ? new Child(process.execPath, args, { cpus: placement.rest }) : null;
          await watchers?.line(/^watching$/, readyTimeoutMs);
          const load = [
            generatorPath,
            umbra.url,
            String(rate),
            String(options.connections),
            String(options.seconds),
          ];
          const output = await new Child(process.execPath, load, { cpus: placement.rest }).output();
          measured.push({ watched: isWatched, ...(JSON.parse(output) as PacedResult) });
          await watchers?.stop();
        }
      }
    } finally {
      await umbra.stop();
    }
  } finally {
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
  console.log(`${count(rate)} requests/s, every one mirrored\n`);
  const rows = [false, true].map((isWatched) => {
    const rounds = measured.filter((one) => one.watched === isWatched);
    const p99 = spread(rounds.map((one) => one.p99Us));
    return [
      isWatched ? `${pages} pages, ${scrapers} scrapers` : 'nobody',
      ms(median(rounds.map((one) => one.p50Us))),
      ms(p99.median),
      `${ms(p99.min)}..${ms(p99.max)}`,
      count(rounds.reduce((sum, one) => sum + one.errors, 0)),
    ];
  });
  console.log(tableText(['watched by', 'p50 ms', 'p99 ms', 'least..most', 'failed'], rows));
  const p99Of = (isWatched: boolean): number[] =>
    measured.filter((one) => one.watched === isWatched).map((one) => one.p99Us);
  const alone = spread(p99Of(false));
  const seen = median(p99Of(true));
  const failed = measured.reduce((sum, one) => sum + one.errors, 0);
  return {
    aims: [
      {
        name: 'p99 while watched is within the spread of p99 alone',
        found: `${ms(seen)} ms, alone ${ms(alone.min)}..${ms(alone.max)} ms`,
        isMet: seen <= alone.max,
      },
      {
        name: 'no request failed',
        found: `${failed} of ${measured.reduce((sum, one) => sum + one.due, 0)}`,
        isMet: failed === 0,
      },
    ],
    measured,
  };
}
