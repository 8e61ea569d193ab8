import { blameOfFailure, type Drop, dropReasons, type Failure, failureReasons } from '../errors.js';
import { CounterBlock } from './counter-block.js';
import { CounterRows } from './counter-table.js';
import type { HdrCounts } from './hdr-counts.js';

/**
 * Why a pair that was sampled for structural comparison was not handed to the analysts. The order is the
 * index into the counters.
 */
export const unexaminedReasons = ['ring-full', 'memory', 'analysts-busy', 'no-pair'] as const;

/** Indexes of `unexaminedReasons`. */
export const Unexamined = {
  /** No room in the ring for the primary's response: copies of requests have priority. */
  RING_FULL: 0,
  /** The shadow thread holds as many responses as it may. */
  MEMORY: 1,
  /** The analysts are behind. */
  ANALYSTS_BUSY: 2,
  /** One of the two requests did not complete. */
  NO_PAIR: 3,
} as const;
export type Unexamined = (typeof Unexamined)[keyof typeof Unexamined];

/** How the outcomes of a pair differ, as bits. */
export const Differs = { STATUS: 1, SIZE: 2, BODY: 4, HEADER: 8 } as const;

/** `bitsOfDiffers` returns the names of the bits that are set. */
export function bitsOfDiffers(differs: number): string[] {
  return Object.entries(Differs)
    .filter(([, bit]) => (differs & bit) !== 0)
    .map(([name]) => name.toLowerCase());
}

/**
 * How the two requests of a pair ended, in the order of the counters' index. A pair that the client or umbra
 * ended is in none of them.
 */
export const pairOutcomes = ['ok', 'shadow-error', 'primary-error', 'both-errors'] as const;

/** How a version ended a request: `ERROR` is a failure that the version caused, or a status of 500 to 599. */
export const End = { OK: 0, ERROR: 1, NOT_ITS_OWN: 2 } as const;
export type End = (typeof End)[keyof typeof End];

/** `endOf` returns how a version ended a request. `failure` is -1 for a whole response. */
export function endOf(failure: number, status: number): End {
  if (failure >= 0) return blameOfFailure(failure as Failure) === 'shadow' ? End.ERROR : End.NOT_ITS_OWN;
  return isErrorStatus(status) ? End.ERROR : End.OK;
}

export function isErrorStatus(status: number): boolean {
  return status >= 500 && status <= 599;
}

/** `pairOutcome` returns the index in `pairOutcomes`, or -1 for a pair that is in none of them. */
export function pairOutcome(primary: End, shadow: End): number {
  return primary === End.NOT_ITS_OWN || shadow === End.NOT_ITS_OWN ? -1 : 2 * primary + shadow;
}

/**
 * The recorded value of a ratio of 1. HDR counts hold integers, so ratios are recorded in units of 1 /
 * 1,576,960. The number is in the middle of a step of core/verdict/slot-counts, so that equal latencies count
 * as equal, and it allows ratios up to 38.
 */
export const RATIO_ONE = 1_576_960;

const rows = new CounterRows();
const compared = {
  metric: 'umbra_mirror_compared_total',
  help: 'Pairs of a primary and a shadow response that were compared, by result.',
};
const differences = {
  metric: 'umbra_mirror_differences_total',
  help:
    'Pairs of a primary and a shadow response that differ, by what differs: status, size, body (its checksum) ' +
    'or header. A pair that differs in several ways counts in each.',
};

const field = {
  eligible: rows.counter({
    metric: 'umbra_mirror_eligible_total',
    help: 'Requests that the sampler chose to be copied: each copy is sent or dropped.',
    stats: 'eligible',
  }),
  offered: rows.counter(),
  received: rows.counter(),
  sent: rows.counter({
    metric: 'umbra_mirror_sent_total',
    help: 'Copies sent to the shadow, or handed to the sink that keeps them: each completes or fails.',
    stats: 'sent',
  }),
  dropped: rows.reasons(dropReasons, {
    metric: 'umbra_mirror_dropped_total',
    help: 'Copies dropped before they were sent, by reason.',
    stats: 'dropped',
  }),
  completed: rows.counter({
    metric: 'umbra_mirror_completed_total',
    help:
      'Copies whose response was complete; for a sink, copies that it has written or that the stream has ' +
      'acknowledged.',
    stats: 'completed',
  }),
  failed: rows.reasons(failureReasons, {
    metric: 'umbra_mirror_failed_total',
    help: 'Copies that were sent and did not complete, by reason.',
    stats: 'failed',
  }),
  inFlight: rows.gauge({
    metric: 'umbra_mirror_in_flight',
    help: 'Copies that were sent and have neither completed nor failed.',
    stats: 'inFlight',
  }),
  waiting: rows.gauge({
    metric: 'umbra_mirror_waiting',
    help: 'Copies that wait for the answer to the one before them with the same key of `order`.',
    stats: 'waiting',
  }),
  breakersOpen: rows.gauge({
    metric: 'umbra_mirror_breakers_open',
    help: 'Shadow threads whose breaker for the mirror is open.',
    stats: 'breaker.open',
  }),
  breakerOpened: rows.counter({
    metric: 'umbra_mirror_breaker_opened_total',
    help: 'Times that a breaker of the mirror has opened.',
    stats: 'breaker.opened',
  }),
  heldBytes: rows.gauge({
    metric: 'umbra_mirror_held_bytes',
    help: 'Bytes of copies held in memory: for a shadow that does not read them, or by umbra shadow while under way.',
    stats: 'heldBytes',
  }),
  /** Bytes that a sink has written or published. */
  keptBytes: rows.counter({
    metric: 'umbra_sink_bytes_total',
    help: 'Bytes of copies that a recording or a stream has kept, as written or published.',
    stats: 'kept.bytes',
    sinkOnly: true,
  }),
  /** Files that a sink has begun. */
  segments: rows.counter({
    metric: 'umbra_sink_segments_total',
    help: 'Files that a recording has begun for copies of the mirror.',
    stats: 'kept.segments',
    sinkOnly: true,
    sparse: true,
  }),
  redacted: rows.counter({
    metric: 'umbra_sink_redacted_total',
    help: 'Copies of which something was hidden or left out before they were kept.',
    stats: 'kept.redacted',
    sinkOnly: true,
  }),
  /** Why a sink can keep nothing now, as an index of `dropReasons`; -1 when it can. */
  trouble: rows.highest(),
  /**
   * Messages of a stream that are not acknowledged yet; -1 when unknown or not a stream. Every thread reports
   * the same stream.
   */
  lag: rows.highest({
    metric: 'umbra_sink_lag_messages',
    help:
      'Messages of the stream that the slowest group of shadows has not acknowledged yet, read every few ' +
      'seconds.',
    stats: 'kept.lag',
    sinkOnly: true,
  }),
  /** Time between the proxy thread's offer and its receipt on the shadow thread. */
  queue: rows.hdr(
    {
      metric: 'umbra_mirror_queue_seconds',
      help: 'Time that copies spent in the ring between proxy and shadow thread: quantiles since the start.',
      stats: 'queueUs',
    },
    ['p50', 'p99'],
  ),
  paired: rows.counter({ stats: 'compare.paired' }),
  equal: rows.counter({ ...compared, labels: { result: 'equal' }, stats: 'compare.equal' }),
  different: rows.counter({ ...compared, labels: { result: 'different' }, stats: 'compare.different' }),
  statusDifferent: rows.counter({
    ...differences,
    labels: { what: 'status' },
    stats: 'compare.statusDifferent',
  }),
  sizeDifferent: rows.counter({ ...differences, labels: { what: 'size' }, stats: 'compare.sizeDifferent' }),
  bodyDifferent: rows.counter({ ...differences, labels: { what: 'body' }, stats: 'compare.bodyDifferent' }),
  headerDifferent: rows.counter({
    ...differences,
    labels: { what: 'header' },
    stats: 'compare.headerDifferent',
  }),
  notComparable: rows.counter({
    metric: 'umbra_mirror_not_comparable_total',
    help: 'Copies that can not be compared because the primary or the shadow gave no whole response.',
    stats: 'compare.notComparable',
  }),
  lostByEndpoint: rows.counter({
    metric: 'umbra_mirror_pairs_lost_by_endpoint_total',
    help: 'Pairs that are in no count by endpoint because the control thread was behind.',
    stats: 'compare.lostByEndpoint',
  }),
  /**
   * Pairs chosen for structural comparison. Each is handed to the analysts, is in `unexamined`, or is still
   * under way.
   */
  sampled: rows.counter({
    metric: 'umbra_compare_sampled_total',
    help: 'Pairs of responses chosen to be compared field by field.',
    ofSink: {
      metric: 'umbra_sink_responses_wanted_total',
      help: 'Responses chosen to be kept by a recording or a stream beside their requests.',
    },
    stats: 'compare.sampled',
  }),
  handedToAnalysts: rows.counter({
    metric: 'umbra_compare_examined_total',
    help: 'Chosen pairs of responses that were compared field by field.',
    ofSink: {
      metric: 'umbra_sink_responses_kept_total',
      help: 'Chosen responses that a recording or a stream has kept.',
    },
    stats: 'compare.examined',
  }),
  unexamined: rows.reasons(unexaminedReasons, {
    metric: 'umbra_compare_unexamined_total',
    help: 'Chosen pairs of responses that were not compared field by field, by reason.',
    ofSink: {
      metric: 'umbra_sink_responses_missed_total',
      help: 'Chosen responses that a recording or a stream has not kept, by reason.',
    },
    stats: 'compare.unexamined',
  }),
  /** |shadow - primary| of pairs whose shadow took as long or longer. */
  deltaSlower: rows.hdr(),
  /** |shadow - primary| of pairs whose shadow was faster. */
  deltaFaster: rows.hdr(),
  pairs: rows.reasons(pairOutcomes, { stats: 'compare.outcomes' }),
  /** `ok` pairs that differ in anything that was compared, and those that differ in status. */
  okDifferent: rows.counter(),
  okStatusDifferent: rows.counter(),
  /** The same pairs: both latencies, and shadow / primary in units of 1 / `RATIO_ONE`. */
  pairedPrimary: rows.hdr(),
  pairedShadow: rows.hdr(),
  ratio: rows.hdr(),
};
/**
 * The counters of one mirror. The methods below use `field`: V8 folds a constant of the same module, but
 * loads an exported one from its cell at each use.
 */
export const MirrorField = field;
export const mirrorTable = rows.named(field);

/**
 * The counters of one mirror on one thread. Proxy threads count what they decide (eligible, offered,
 * dropped), and shadow threads what happens to the copy.
 *
 *   eligible --> offered --> [ring] --> received --> sent --> completed
 *      |                                   |           |
 *      +-> dropped (proxy)                 +-> dropped +-> failed
 *
 * Over all threads and at rest: eligible = sent + dropped, and sent = completed + failed (core/record/law).
 */
export class MirrorCounters extends CounterBlock {
  readonly queue: HdrCounts;
  readonly deltaSlower: HdrCounts;
  readonly deltaFaster: HdrCounts;
  readonly pairedPrimary: HdrCounts;
  readonly pairedShadow: HdrCounts;
  readonly ratio: HdrCounts;

  static create(): SharedArrayBuffer {
    return CounterBlock.shared(mirrorTable);
  }

  constructor(shared: SharedArrayBuffer) {
    super(shared, mirrorTable);
    this.queue = this.hdr(field.queue);
    this.deltaSlower = this.hdr(field.deltaSlower);
    this.deltaFaster = this.hdr(field.deltaFaster);
    this.pairedPrimary = this.hdr(field.pairedPrimary);
    this.pairedShadow = this.hdr(field.pairedShadow);
    this.ratio = this.hdr(field.ratio);
  }

  /** Proxy thread: the sampler chose the request. Its copy will be sent or dropped. */
  eligible(): void {
    this.words[field.eligible]++;
  }

  /**
   * Proxy thread: the request's HEAD frame is published, after the store of TAIL that makes it visible to the
   * shadow thread. A request whose HEAD is written but not published is not offered. If the thread dies then,
   * it is settled as dropped.
   */
  offered(): void {
    this.words[field.offered]++;
  }

  /** Proxy thread before `offered`, or shadow thread between `received` and `sent`: the copy is dropped. */
  dropped(reason: Drop, count = 1): void {
    this.words[field.dropped + reason] += count;
  }

  /** Shadow thread: a HEAD frame was read. */
  received(count = 1): void {
    this.words[field.received] += count;
  }

  /**
   * Shadow thread: the first byte is about to be sent, or no connection could be made (then `failed`
   * follows).
   */
  sent(): void {
    this.words[field.sent]++;
    this.words[field.inFlight]++;
  }

  /** Shadow thread: the response is whole. */
  completed(): void {
    this.words[field.completed]++;
    this.words[field.inFlight]--;
  }

  /** Shadow thread: a sent request ended without a whole response. */
  failed(reason: Failure): void {
    this.words[field.failed + reason]++;
    this.words[field.inFlight]--;
  }

  /**
   * Shadow thread: sets whether its breaker is open, and adds how often it has opened since the last call.
   */
  setBreaker(open: boolean, opened: number): void {
    this.words[field.breakersOpen] = open ? 1 : 0;
    this.words[field.breakerOpened] += opened;
  }

  /** Shadow thread: both responses are whole. `differs` holds bits of `Differs`. */
  paired(differs: number): void {
    const words = this.words;
    words[field.paired]++;
    words[differs === 0 ? field.equal : field.different]++;
    if (differs === 0) return;
    if ((differs & Differs.STATUS) !== 0) words[field.statusDifferent]++;
    if ((differs & Differs.SIZE) !== 0) words[field.sizeDifferent]++;
    if ((differs & Differs.BODY) !== 0) words[field.bodyDifferent]++;
    if ((differs & Differs.HEADER) !== 0) words[field.headerDifferent]++;
  }

  /** Shadow thread: both requests have ended. */
  pairEnded(primary: End, shadow: End): void {
    const outcome = pairOutcome(primary, shadow);
    if (outcome >= 0) this.words[field.pairs + outcome]++;
  }

  /**
   * Shadow thread: both responses are whole. Latencies are in microseconds; `differs` holds bits of
   * `Differs`. The figures of a verdict count only pairs that are `isOk`: an error is often faster and does
   * not compare with a response.
   */
  pairMeasured(primaryUs: number, shadowUs: number, differs: number, isOk: boolean): void {
    this.paired(differs);
    this.recordDelta(shadowUs - primaryUs);
    if (!isOk) return;
    if (differs !== 0) this.words[field.okDifferent]++;
    if ((differs & Differs.STATUS) !== 0) this.words[field.okStatusDifferent]++;
    this.pairedPrimary.record(primaryUs);
    this.pairedShadow.record(shadowUs);
    this.ratio.record((shadowUs / Math.max(1, primaryUs)) * RATIO_ONE);
  }

  /** Shadow thread: counts pairs whose counts by endpoint found no room. */
  lostByEndpoint(pairs: number): void {
    this.words[field.lostByEndpoint] += pairs;
  }

  /** Shadow thread: a sampled pair is not handed to the analysts. */
  unexamined(reason: Unexamined): void {
    this.words[field.unexamined + reason]++;
  }

  /** Shadow thread: records the shadow's latency minus the primary's for one request. */
  recordDelta(deltaUs: number): void {
    if (deltaUs < 0) this.deltaFaster.record(-deltaUs);
    else this.deltaSlower.record(deltaUs);
  }

  /**
   * `failInFlight` fails what a dead shadow thread had in flight. The thread that takes over as the writer
   * calls it.
   */
  failInFlight(reason: Failure): void {
    // From the law rather than the gauge: a thread can end between the two stores of `sent`.
    const open = this.get(field.sent) - this.get(field.completed) - this.totalOf(field.failed);
    this.addReason(field.failed, reason, open);
    this.resetGauges();
  }
}
