/** Scenario `idle`: what an umbra costs that serves nobody. */
import { startOrigins } from './origins.js';
import { cpuOf, threadsBetween } from './proc.js';
import { percent, tableText } from './table.js';
import { mirroredRoute, startUmbra } from './targets/umbra.js';
import type { Bench, Verdict } from './verdict.js';

/** Start-up leaves work for the collector, which it does by and by: that is not idleness. */
const settleMs = 30_000;
const observedMs = 10_000;
const shareMax = 0.01;

export async function idle({ placement }: Bench): Promise<Verdict> {
  const origins = await startOrigins(placement.rest);
  try {
    const ports = { primaryPort: origins.primary.port, shadowPort: origins.shadow.port };
    const umbra = await startUmbra({ proxyThreads: 2, routes: mirroredRoute, ...ports }, placement.proxy);
    try {
      await passed(settleMs);
      const beginMs = performance.now();
      const before = cpuOf([umbra.pid]);
      await passed(observedMs);
      const after = cpuOf([umbra.pid]);
      const passedUs = (performance.now() - beginMs) * 1000;
      const share = (after.cpuUs - before.cpuUs) / passedUs;
      const threads = threadsBetween(before, after);
      const rows = threads.map(({ name, tid, cpuUs }) => [`${name} (${tid})`, percent(cpuUs / passedUs)]);
      console.log(tableText(['busy threads', 'CPU'], rows));
      const aim = { name: `idle CPU < ${percent(shareMax)}`, found: percent(share), isMet: share < shareMax };
      return { aims: [aim], measured: { share, observedMs, threads } };
    } finally {
      await umbra.stop();
    }
  } finally {
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
