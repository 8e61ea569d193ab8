import type { Registry } from 'prom-client';
import { dropReasons, failureReasons } from '../errors.js';
import { accountingGap } from '../record/law.js';
import { DerivedMetric } from './derived-metric.js';
import { counter, gauge } from './metric.js';
import type { MirrorReading } from './reading.js';

/** What became of mirrored requests, as metrics. */
export function addMirrors(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const by = ['route', 'version', 'role'];
  const share = gauge(
    registry,
    'umbra_mirror_share_ratio',
    'Share of the route that is copied, 0 to 1; 0 while the mirror is off.',
    by,
  );
  const heldBack = gauge(
    registry,
    'umbra_mirror_held_back_ratio',
    'Of that share, what the guard on the primary holds back, 0 to 1.',
    by,
  );
  const eligible = counter(
    registry,
    'umbra_mirror_eligible_total',
    'Requests chosen to be mirrored: each is sent or dropped.',
    by,
  );
  const sent = counter(
    registry,
    'umbra_mirror_sent_total',
    'Mirrored requests sent: each completes or fails.',
    by,
  );
  const completed = counter(
    registry,
    'umbra_mirror_completed_total',
    'Mirrored requests whose response came whole.',
    by,
  );
  const dropped = counter(
    registry,
    'umbra_mirror_dropped_total',
    'Mirrored requests given up before they were sent, by reason.',
    [...by, 'reason'],
  );
  const failed = counter(
    registry,
    'umbra_mirror_failed_total',
    'Mirrored requests sent that did not complete, by reason.',
    [...by, 'reason'],
  );
  const inFlight = gauge(
    registry,
    'umbra_mirror_in_flight',
    'Mirrored requests sent that have neither completed nor failed.',
    by,
  );
  const breakersOpen = gauge(
    registry,
    'umbra_mirror_breakers_open',
    'Shadow threads whose breaker for the mirror is open.',
    by,
  );
  const breakerOpened = counter(
    registry,
    'umbra_mirror_breaker_opened_total',
    'Times that a breaker of the mirror has opened.',
    by,
  );
  const heldBytes = gauge(
    registry,
    'umbra_mirror_held_bytes',
    'Bytes of mirrored requests held for a shadow that does not take them.',
    by,
  );
  const queue = new DerivedMetric(
    'umbra_mirror_queue_seconds',
    'Time in the ring, since the start.',
    'summary',
    registry,
  );
  const gap = gauge(
    registry,
    'umbra_accounting_gap',
    'Mirrored requests that no counter accounts for. sum="eligible": eligible - sent - dropped, under load what waits in rings. sum="sent": sent - completed - failed - in flight. Both are 0 at rest, or umbra has a fault.',
    [...by, 'sum'],
  );

  for (const { route, to, enabled, percent, heldBackPercent, counts } of mirrors) {
    const labels = { route, version: to, role: 'shadow' };
    share.set(labels, enabled ? percent / 100 : 0);
    heldBack.set(labels, heldBackPercent / 100);
    eligible.inc(labels, counts.eligible);
    sent.inc(labels, counts.sent);
    completed.inc(labels, counts.completed);
    dropReasons.forEach((reason, i) => {
      dropped.inc({ ...labels, reason }, counts.dropped[i]);
    });
    failureReasons.forEach((reason, i) => {
      failed.inc({ ...labels, reason }, counts.failed[i]);
    });
    inFlight.set(labels, counts.inFlight);
    breakersOpen.set(labels, counts.breakersOpen);
    breakerOpened.inc(labels, counts.breakerOpened);
    heldBytes.set(labels, counts.heldBytes);
    queue.addSummary(labels, counts.queue);
    const { unsent, unfinished } = accountingGap(counts);
    gap.set({ ...labels, sum: 'eligible' }, unsent);
    gap.set({ ...labels, sum: 'sent' }, unfinished);
  }
}

/** How the responses of primary and shadow compare, as metrics. */
export function addComparisons(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const by = ['route', 'version', 'role'];
  const compared = counter(
    registry,
    'umbra_mirror_compared_total',
    'Pairs of a primary and a shadow response, by result.',
    [...by, 'result'],
  );
  const status = counter(
    registry,
    'umbra_mirror_status_different_total',
    'Of the different pairs, those whose status codes differ.',
    by,
  );
  const delta = new DerivedMetric(
    'umbra_mirror_delta_seconds',
    "The shadow's latency less the primary's, request by request, since the start; negative where the shadow was faster.",
    'summary',
    registry,
  );

  for (const { route, to, counts } of mirrors) {
    const labels = { route, version: to, role: 'shadow' };
    compared.inc({ ...labels, result: 'equal' }, counts.equal);
    compared.inc({ ...labels, result: 'different' }, counts.different);
    status.inc(labels, counts.statusDifferent);
    delta.addSignedSummary(labels, counts.deltaFaster, counts.deltaSlower);
  }
}
