import type { Registry } from 'prom-client';
import { dropReasons, failureReasons } from '../errors.js';
import { accountingGap } from '../record/law.js';
import { unexaminedReasons } from '../record/mirror-counters.js';
import { DerivedMetric } from './derived-metric.js';
import { counter, gauge } from './metric.js';
import type { MirrorReading } from './reading.js';

const mirrorLabels = ['route', 'version', 'role', 'baseline_of'];

/** `baseline_of` stands only on baselines: copies to the primary's version that another version is measured against. */
function labelsOf({ route, to, baselineOf, isSink }: MirrorReading): Record<string, string> {
  return {
    route,
    version: to,
    role: isSink ? 'sink' : 'shadow',
    ...(baselineOf === null ? {} : { baseline_of: baselineOf }),
  };
}

/** What became of mirrored requests, as metrics. */
export function addMirrors(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const by = mirrorLabels;
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
    'ShadowRequest requests sent: each completes or fails.',
    by,
  );
  const completed = counter(
    registry,
    'umbra_mirror_completed_total',
    'ShadowRequest requests whose response came whole; of a sink, those that it has written or the stream has acknowledged.',
    by,
  );
  const dropped = counter(
    registry,
    'umbra_mirror_dropped_total',
    'ShadowRequest requests given up before they were sent, by reason.',
    [...by, 'reason'],
  );
  const failed = counter(
    registry,
    'umbra_mirror_failed_total',
    'ShadowRequest requests sent that did not complete, by reason.',
    [...by, 'reason'],
  );
  const inFlight = gauge(
    registry,
    'umbra_mirror_in_flight',
    'ShadowRequest requests sent that have neither completed nor failed.',
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
    'ShadowRequest requests that no counter accounts for. sum="eligible": eligible - sent - dropped, under load what waits in rings. sum="sent": sent - completed - failed - in flight. Both are 0 at rest, or umbra has a fault.',
    [...by, 'sum'],
  );

  for (const mirror of mirrors) {
    const { enabled, percent, heldBackPercent, counts } = mirror;
    const labels = labelsOf(mirror);
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

/** What mirrors keep that send to no shadow. */
export function addSinks(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const by = mirrorLabels;
  const up = gauge(
    registry,
    'umbra_sink_up',
    'Whether a recording or stream takes copies: 0 while its files can not be written, or its server is gone, silent or full; absent while it is off.',
    by,
  );
  const bytes = counter(
    registry,
    'umbra_sink_bytes_total',
    'Bytes of copies that were kept, as written or published.',
    by,
  );
  const segments = counter(
    registry,
    'umbra_sink_segments_total',
    'Files that were begun for copies of the mirror.',
    by,
  );
  const lag = gauge(
    registry,
    'umbra_sink_lag_messages',
    'Messages in the stream that the slowest group of shadows has not done yet, looked at every few seconds.',
    by,
  );
  for (const mirror of mirrors) {
    if (!mirror.isSink) continue;
    const { counts } = mirror;
    const labels = labelsOf(mirror);
    // Whoever has switched one off, or taken it out of the configuration, wants to hear no more of its trouble.
    if (mirror.enabled) up.set(labels, counts.trouble < 0 ? 1 : 0);
    bytes.inc(labels, counts.keptBytes);
    if (counts.segments > 0) segments.inc(labels, counts.segments);
    if (counts.lag >= 0) lag.set(labels, counts.lag);
  }
}

/** How the responses of primary and shadow compare, as metrics. */
export function addComparisons(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const by = mirrorLabels;
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
  const differences = counter(
    registry,
    'umbra_mirror_differences_total',
    'Different pairs by what differs in them: status, size, body (its checksum) or header. One pair may count in several.',
    [...by, 'what'],
  );
  const notComparable = counter(
    registry,
    'umbra_mirror_not_comparable_total',
    'Copies that can not be compared, because one of the two requests has no whole response.',
    by,
  );
  const sampled = counter(
    registry,
    'umbra_compare_sampled_total',
    'Pairs chosen to be compared field by field.',
    by,
  );
  const examined = counter(
    registry,
    'umbra_compare_examined_total',
    'Of these, pairs handed to the analysts.',
    by,
  );
  const unexamined = counter(
    registry,
    'umbra_compare_unexamined_total',
    'Of these, pairs not handed to the analysts, by reason.',
    [...by, 'reason'],
  );
  const delta = new DerivedMetric(
    'umbra_mirror_delta_seconds',
    "The shadow's latency less the primary's, request by request, since the start; negative where the shadow was faster.",
    'summary',
    registry,
  );

  for (const mirror of mirrors) {
    const { counts } = mirror;
    const labels = labelsOf(mirror);
    compared.inc({ ...labels, result: 'equal' }, counts.equal);
    compared.inc({ ...labels, result: 'different' }, counts.different);
    status.inc(labels, counts.statusDifferent);
    differences.inc({ ...labels, what: 'status' }, counts.statusDifferent);
    differences.inc({ ...labels, what: 'size' }, counts.sizeDifferent);
    differences.inc({ ...labels, what: 'body' }, counts.bodyDifferent);
    differences.inc({ ...labels, what: 'header' }, counts.headerDifferent);
    notComparable.inc(labels, counts.notComparable);
    sampled.inc(labels, counts.sampled);
    examined.inc(labels, counts.handedToAnalysts);
    unexaminedReasons.forEach((reason, i) => {
      unexamined.inc({ ...labels, reason }, counts.unexamined[i]);
    });
    delta.addSignedSummary(labels, counts.deltaFaster, counts.deltaSlower);
  }
}
