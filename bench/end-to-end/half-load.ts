/**
 * What a client feels of mirroring at half load: calls at a fixed rate without and with a mirror in turn,
 * latencies counted from when a call was due (no coordinated omission). In many short windows, whose median
 * counts: a machine that is shared stalls for some milliseconds now and then, and one stall is the p99 of a
 * long measurement. Each window is compared with the one beside it, and where the median of that may lie on
 * both sides of the aim, nothing is judged.
 */
import { median, medianInterval, spread } from './numbers.js';
import { startOrigins } from './origins.js';
import { runPaced } from './paced-run.js';
import { fixed, ms } from './table.js';
import { onAndOffRoutes, sharedCoreNice, startUmbra } from './targets/umbra.js';
import { type Aim, type Bench, isAtMost } from './verdict.js';

const warmUpSeconds = 3;
const windowSeconds = 1;
/** Latencies of one round, for each side. */
const windowsARound = 4;
const p99RatioMax = 1.05;

export interface HalfLoad {
  readonly aim: Aim;
  readonly measured: unknown;
}

export async function halfLoad(bench: Bench): Promise<HalfLoad> {
  const { options, placement, generator } = bench;
  // Shadow and generator share cores here, which they would not in use: so the shadow runs at a lower
  // priority.
  const origins = await startOrigins(placement.rest, true);
  const ports = { primaryPort: origins.primary.port, shadowPort: origins.shadow.port };
  const umbra = await startUmbra(
    { proxyThreads: 1, routes: onAndOffRoutes, nice: sharedCoreNice, ...ports },
    placement.proxy,
  );
  const p99sUs: { readonly off: number[]; readonly on: number[] } = { off: [], on: [] };
  let failed = 0;
  try {
    const most = await generator.run(`${umbra.url}on`, options.connections, warmUpSeconds);
    const rate = Math.round(most.requests / most.seconds / 2);
    console.log(`half load: ${rate} requests/s`);
    const window: Bench = { ...bench, options: { ...options, seconds: windowSeconds } };
    for (let pair = 0; pair < options.rounds * windowsARound; pair++) {
      // Each comes first as often as second.
      const order = pair % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const);
      for (const side of order) {
        const { p99Us, errors, unsent } = await runPaced(`${umbra.url}${side}`, rate, 0, window);
        p99sUs[side].push(p99Us);
        failed += errors + unsent;
      }
    }
    for (const side of ['off', 'on'] as const) {
      const { median: middle, min, max } = spread(p99sUs[side]);
      console.log(`p99 ${side}: ${ms(middle)} ms (${ms(min)}..${ms(max)} in ${p99sUs[side].length} windows)`);
    }
  } finally {
    await umbra.stop();
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
  const ratios = p99sUs.on.map((us, pair) => us / p99sUs.off[pair]);
  const interval = medianInterval(ratios);
  const found = `${fixed(median(ratios), 2)} x, with 95 % between ${fixed(interval.low, 2)} and ${fixed(interval.high, 2)}`;
  return {
    aim: {
      name: `client p99 at half load, mirror on against off <= ${p99RatioMax} (threads.nice: ${sharedCoreNice})`,
      found: failed > 0 ? `${failed} calls failed or were not sent` : found,
      isMet: failed > 0 ? null : isAtMost(interval, p99RatioMax),
    },
    measured: { p99sUs, failed },
  };
}
