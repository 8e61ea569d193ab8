import type { Registry } from 'prom-client';
import { accountingGap } from '../record/law.js';
import { mirrorTable } from '../record/mirror-counters.js';
import { DerivedMetric } from './derived-metric.js';
import { counter, gauge } from './metric.js';
import { isPossible } from './possible.js';
import type { MirrorReading } from './reading.js';
import { addTable } from './table-metrics.js';

const LABELS = ['route', 'version', 'role', 'baseline_of'];

/**
 * `addMirrors` adds the metrics of copies: the rows of their table, and figures that are derived from rows or
 * belong to the plan.
 */
export function addMirrors(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const share = gauge(
    registry,
    'umbra_mirror_share_ratio',
    'Share of the requests of the route that are copied, 0 to 1; 0 while the mirror is off.',
    LABELS,
  );
  const heldBack = gauge(
    registry,
    'umbra_mirror_held_back_ratio',
    'Part of umbra_mirror_share_ratio that the guard on the primary holds back, 0 to 1.',
    LABELS,
  );
  const sinkUp = gauge(
    registry,
    'umbra_sink_up',
    'Whether a recording or stream takes copies: 0 while its files can not be written, or its server is gone, ' +
      'silent or full; absent while it is off.',
    LABELS,
  );
  const statusDifferent = counter(
    registry,
    'umbra_mirror_status_different_total',
    'Pairs of a primary and a shadow response whose status codes differ.',
    LABELS,
  );
  const delta = new DerivedMetric(
    'umbra_mirror_delta_seconds',
    "The shadow's latency less the primary's, request by request: quantiles since the start; negative where " +
      'the shadow was faster.',
    'summary',
    registry,
  );
  const gap = gauge(
    registry,
    'umbra_accounting_gap',
    'Copies that no counter accounts for. sum="eligible": eligible - sent - dropped, under load what waits in ' +
      'rings. sum="sent": sent - completed - failed - in flight. Non-zero at rest indicates a bug in umbra; ' +
      'please report it.',
    [...LABELS, 'sum'],
  );
  for (const mirror of mirrors) {
    const { enabled, percent, heldBackPercent, isSink, counts, features } = mirror;
    const labels = labelsOf(mirror);
    share.set(labels, enabled ? percent / 100 : 0);
    if (heldBackPercent > 0 || isPossible(features, 'umbra_mirror_held_back_ratio'))
      heldBack.set(labels, heldBackPercent / 100);
    // A sink that is off, or has left the configuration, must not raise an alert.
    if (isSink && enabled) sinkUp.set(labels, counts.trouble < 0 ? 1 : 0);
    statusDifferent.inc(labels, counts.statusDifferent);
    delta.addSignedSummary(labels, counts.deltaFaster, counts.deltaSlower);
    const { unsent, unfinished } = accountingGap(counts);
    gap.set({ ...labels, sum: 'eligible' }, unsent);
    gap.set({ ...labels, sum: 'sent' }, unfinished);
  }
  addTable(
    registry,
    mirrorTable,
    LABELS,
    mirrors.map((mirror) => ({
      labels: labelsOf(mirror),
      counts: mirror.counts,
      isSink: mirror.isSink,
      features: mirror.features,
    })),
  );
}

/**
 * `labelsOf` adds `baseline_of` only to baselines: copies to the primary's version that another version is
 * measured against.
 */
function labelsOf({ route, to, baselineOf, isSink }: MirrorReading): Record<string, string> {
  return {
    route,
    version: to,
    role: isSink ? 'sink' : 'shadow',
    ...(baselineOf === null ? {} : { baseline_of: baselineOf }),
  };
}
