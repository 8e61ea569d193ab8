/**
 * What a client feels of mirroring at half load: calls at a fixed rate, each round without and with a mirror, latencies counted from when a call was
 * due (no coordinated omission).
 */
import { median } from './numbers.js';
import { startOrigins } from './origins.js';
import { runPaced } from './paced-run.js';
import { fixed, ms } from './table.js';
import { startUmbra } from './targets/umbra.js';
import type { Aim, Bench } from './verdict.js';

const routes = `  - { name: off, match: { path: { exact: /off } }, primary: v1 }
  - { name: on, primary: v1, mirrors: [ { to: v2, percent: 100 } ] }`;
const warmUpSeconds = 3;
export const p99RatioMax = 1.05;

export interface HalfLoad {
  readonly aim: Aim;
  readonly measured: unknown;
}

export async function halfLoad(bench: Bench): Promise<HalfLoad> {
  const { options, placement, generator } = bench;
  // Shadow and generator share cores here, which they would not in use: the shadow stands back.
  const origins = await startOrigins(placement.rest, true);
  const ports = { primaryPort: origins.primary.port, shadowPort: origins.shadow.port };
  const umbra = await startUmbra({ proxyThreads: 1, routes, ...ports }, placement.proxy);
  const rounds: { readonly offP99Us: number; readonly onP99Us: number; readonly failed: number }[] = [];
  try {
    const most = await generator.run(`${umbra.url}on`, options.connections, warmUpSeconds);
    const rate = Math.round(most.requests / most.seconds / 2);
    console.log(`half load: ${rate} requests/s`);
    for (let round = 1; round <= options.rounds; round++) {
      const off = await runPaced(`${umbra.url}off`, rate, 0, bench);
      const on = await runPaced(`${umbra.url}on`, rate, 0, bench);
      rounds.push({
        offP99Us: off.p99Us,
        onP99Us: on.p99Us,
        failed: off.errors + off.unsent + on.errors + on.unsent,
      });
      console.log(`round ${round}/${options.rounds}  p99 ${ms(off.p99Us)} ms off, ${ms(on.p99Us)} ms on`);
    }
  } finally {
    await umbra.stop();
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
  const ratio = median(rounds.map(({ offP99Us, onP99Us }) => onP99Us / offP99Us));
  const failed = rounds.reduce((sum, one) => sum + one.failed, 0);
  return {
    aim: {
      name: `client p99 at half load, mirror on against off <= ${p99RatioMax}`,
      found: failed > 0 ? `${failed} calls failed or were not sent` : `${fixed(ratio, 2)} x`,
      isMet: failed > 0 ? null : ratio <= p99RatioMax,
    },
    measured: rounds,
  };
}
