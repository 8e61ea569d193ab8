/** The accounting law of docs/architecture.md, asserted exactly from `/api/stats` at rest. */

import type { MirrorStats, Stats } from '../../core/report/stats.js';
import type { Test } from './tap.js';
import { gapOf, openOf, sum, type UmbraProcess, until } from './umbra.js';

/**
 * Waits for rest and asserts the law for every mirror and every version, and that umbra's own account of it
 * shows no gap; returns the stats for further questions.
 */
export async function lawHolds(t: Test, umbra: Pick<UmbraProcess, 'atRest' | 'metrics'>): Promise<Stats> {
  const stats = await umbra.atRest();
  for (const mirror of stats.mirrors) {
    const name = `${mirror.route} to ${mirror.to}`;
    t.equal(
      gapOf(mirror),
      0,
      `${name}: eligible ${mirror.eligible} = sent ${mirror.sent} + dropped ${listed(mirror.dropped)}`,
    );
    t.equal(
      mirror.sent - mirror.completed - sum(mirror.failed),
      0,
      `${name}: sent ${mirror.sent} = completed ${mirror.completed} + failed ${listed(mirror.failed)}`,
    );
    t.equal(mirror.inFlight, 0, `${name}: nothing is in flight`);
  }
  const gaps = (await umbra.metrics()).match(/^umbra_accounting_gap\{.*/gm) ?? [];
  t.equal(gaps.length, 2 * stats.mirrors.length, 'each mirror has both gaps');
  t.strictSame(
    gaps.filter((line) => !line.endsWith(' 0')),
    [],
    'and all of them are 0',
  );
  t.equal(openOf(stats), 0, 'every exchange of every version has a response or a failure');
  return stats;
}

export function mirrorTo(stats: Stats, version: string): MirrorStats {
  const mirror = stats.mirrors.find(({ to }) => to === version);
  if (mirror === undefined) throw new Error(`no mirror to ${version}`);
  return mirror;
}

/**
 * `pairsTo` waits until `count` pairs of the mirror to `version` are counted, and returns their counts. A
 * pair is counted with the later one of its outcomes, so the law may hold before.
 */
export async function pairsTo(
  umbra: Pick<UmbraProcess, 'stats'>,
  version: string,
  count: number,
): Promise<MirrorStats['compare']> {
  return until(async () => {
    const { compare } = mirrorTo(await umbra.stats(), version);
    return compare.paired === count && compare;
  }, `${count} pairs are counted`);
}

/** The counts that are not 0. */
export function listed(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count !== 0);
  return some.length === 0 ? '0' : some.map(([reason, count]) => `${count} ${reason}`).join(', ');
}
