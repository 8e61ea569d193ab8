import { type Drop, dropReasons, type Failure, failureReasons } from '../errors.js';
import { HdrCounts } from './hdr-counts.js';
import { sharedBlock } from './shared-block.js';

/** Why a pair that was sampled for structural comparison was not handed to the analysts. The order is the index into the counters. */
export const unexaminedReasons = ['ring-full', 'memory', 'analysts-busy', 'no-pair'] as const;
export type UnexaminedReason = (typeof unexaminedReasons)[number];

/** Indexes of `unexaminedReasons`. */
export const Unexamined = {
  /** No room in the ring for the primary's response: copies of requests go first. */
  RING_FULL: 0,
  /** The shadow thread holds as many responses as it may. */
  MEMORY: 1,
  /** The analysts are behind. */
  ANALYSTS_BUSY: 2,
  /** One of the two requests did not complete. */
  NO_PAIR: 3,
} as const;
export type Unexamined = (typeof Unexamined)[keyof typeof Unexamined];

/** In what the outcomes of a pair differ; bits. */
export const Differs = { STATUS: 1, SIZE: 2, BODY: 4, HEADER: 8 } as const;

/** Words of a block; the three HDR blocks follow them. */
const ELIGIBLE = 0;
const OFFERED = 1;
const RECEIVED = 2;
const SENT = 3;
const COMPLETED = 4;
const IN_FLIGHT = 5;
const PAIRED = 6;
const EQUAL = 7;
const DIFFERENT = 8;
const STATUS_DIFFERENT = 9;
const SIZE_DIFFERENT = 10;
const BODY_DIFFERENT = 11;
const HEADER_DIFFERENT = 12;
const NOT_COMPARABLE = 13;
const SAMPLED = 14;
const HANDED_OVER = 15;
const DROPPED = 16;
const FAILED = 48;
const UNEXAMINED = 72;
const BREAKER_OPEN = 80;
const BREAKER_OPENED = 81;
const HELD_BYTES = 82;
const KEPT_BYTES = 83;
const SEGMENTS = 84;
/** 0: none; else a reason, plus one. */
const TROUBLE = 85;
/** 0: not known; else plus one. */
const LAG = 86;
const WORDS = 88;
const QUEUE_OFFSET = WORDS * Float64Array.BYTES_PER_ELEMENT;
const SLOWER_OFFSET = QUEUE_OFFSET + HdrCounts.bytes;
const FASTER_OFFSET = SLOWER_OFFSET + HdrCounts.bytes;

/**
 * What one thread counts of one mirror. Proxy threads count what they decide (eligible, offered, dropped), shadow
 * threads what becomes of it; each thread has a block of its own, and the block outlives it.
 *
 *   eligible --> offered --> [ring] --> received --> sent --> completed
 *      |                                   |           |
 *      +-> dropped (proxy)                 +-> dropped +-> failed
 *
 * Over all threads and at rest: eligible = sent + dropped, and sent = completed + failed (core/record/law).
 */
export class MirrorCounters {
  /** Time between the proxy thread's offer and the shadow thread's taking it, in microseconds. */
  readonly queue: HdrCounts;
  /** |shadow - primary| of pairs whose shadow took as long or longer. */
  readonly deltaSlower: HdrCounts;
  /** |shadow - primary| of pairs whose shadow was faster. */
  readonly deltaFaster: HdrCounts;
  private readonly words: Float64Array;

  static create(): SharedArrayBuffer {
    return sharedBlock(FASTER_OFFSET + HdrCounts.bytes);
  }

  constructor(shared: SharedArrayBuffer) {
    this.words = new Float64Array(shared, 0, WORDS);
    this.queue = new HdrCounts(shared, QUEUE_OFFSET);
    this.deltaSlower = new HdrCounts(shared, SLOWER_OFFSET);
    this.deltaFaster = new HdrCounts(shared, FASTER_OFFSET);
  }

  /** Proxy thread: the sampler chose the request. From here on it is sent or dropped. */
  eligible(): void {
    this.words[ELIGIBLE]++;
  }

  /**
   * Proxy thread: the request's HEAD frame is published (after the store of TAIL that shows it to the shadow thread).
   * A request whose HEAD is written but not published is not offered; if the thread dies then, it is settled as aborted.
   */
  offered(): void {
    this.words[OFFERED]++;
  }

  /** Proxy thread before `offered`, shadow thread between `received` and `sent`: the request is given up. */
  dropped(reason: Drop, count = 1): void {
    this.words[DROPPED + reason] += count;
  }

  /** Shadow thread: a HEAD frame was read. */
  received(count = 1): void {
    this.words[RECEIVED] += count;
  }

  /** Shadow thread: the first byte is about to go out, or no connection could be made (then `failed` follows). */
  sent(): void {
    this.words[SENT]++;
    this.words[IN_FLIGHT]++;
  }

  /** Shadow thread: the response is whole. */
  completed(): void {
    this.words[COMPLETED]++;
    this.words[IN_FLIGHT]--;
  }

  /** Shadow thread: a sent request ended without a whole response. */
  failed(reason: Failure): void {
    this.words[FAILED + reason]++;
    this.words[IN_FLIGHT]--;
  }

  /** Shadow thread: whether its breaker is open, and how often it has opened since this was said last. */
  setBreaker(open: boolean, opened: number): void {
    this.words[BREAKER_OPEN] = open ? 1 : 0;
    this.words[BREAKER_OPENED] += opened;
  }

  /** Shadow thread: the bytes that it holds for the shadow now. */
  setHeldBytes(bytes: number): void {
    this.words[HELD_BYTES] = bytes;
  }

  /** Sink thread: the bytes of a copy that is kept now, as they were written or published. */
  kept(bytes: number): void {
    this.words[KEPT_BYTES] += bytes;
  }

  /** Sink thread: a file was begun, for a copy of this mirror. */
  segmentBegun(): void {
    this.words[SEGMENTS]++;
  }

  /** Sink thread: why nothing can be kept now; null where it can. */
  setTrouble(reason: Drop | null): void {
    this.words[TROUBLE] = reason === null ? 0 : reason + 1;
  }

  /** Messages that the slowest taker of the stream has not done yet; null where it is not known. Sink thread, and `umbra shadow`. */
  setLag(messages: number | null): void {
    this.words[LAG] = messages === null ? 0 : messages + 1;
  }

  /** Shadow thread: both responses are whole, and differ in what the bits of `Differs` say. */
  paired(differs: number): void {
    const words = this.words;
    words[PAIRED]++;
    words[differs === 0 ? EQUAL : DIFFERENT]++;
    if (differs === 0) return;
    if ((differs & Differs.STATUS) !== 0) words[STATUS_DIFFERENT]++;
    if ((differs & Differs.SIZE) !== 0) words[SIZE_DIFFERENT]++;
    if ((differs & Differs.BODY) !== 0) words[BODY_DIFFERENT]++;
    if ((differs & Differs.HEADER) !== 0) words[HEADER_DIFFERENT]++;
  }

  /** Shadow thread: both outcomes are known, and one of them is not a whole response. */
  notComparable(): void {
    this.words[NOT_COMPARABLE]++;
  }

  /** Proxy thread: an offered copy was chosen for structural comparison. */
  sampledForStructure(): void {
    this.words[SAMPLED]++;
  }

  /** Shadow thread: both responses are in the ring to the analysts. */
  handedToAnalysts(): void {
    this.words[HANDED_OVER]++;
  }

  /** Shadow thread: a sampled pair is not handed to the analysts. */
  unexamined(reason: Unexamined): void {
    this.words[UNEXAMINED + reason]++;
  }

  /** Shadow thread: the shadow's latency less the primary's for one request. */
  recordDelta(deltaUs: number): void {
    if (deltaUs < 0) this.deltaFaster.record(-deltaUs);
    else this.deltaSlower.record(deltaUs);
  }

  /** The shadow thread is dead: what it had in flight has failed. Called by the thread that takes over as the writer. */
  failInFlight(reason: Failure): void {
    // From the law, not from the gauge: a thread can be ended between the two stores of `sent`.
    const words = this.words;
    words[FAILED + reason] += words[SENT] - words[COMPLETED] - this.failedTotal;
    words[IN_FLIGHT] = 0;
    words[BREAKER_OPEN] = 0;
    words[HELD_BYTES] = 0;
    words[TROUBLE] = 0;
    words[LAG] = 0;
  }

  get breakerOpen(): number {
    return this.words[BREAKER_OPEN];
  }

  get breakerOpenedTotal(): number {
    return this.words[BREAKER_OPENED];
  }

  get heldBytes(): number {
    return this.words[HELD_BYTES];
  }

  get keptBytesTotal(): number {
    return this.words[KEPT_BYTES];
  }

  get segmentsTotal(): number {
    return this.words[SEGMENTS];
  }

  /** A `Drop`; -1: none. */
  get trouble(): number {
    return this.words[TROUBLE] - 1;
  }

  /** -1: not known. */
  get lag(): number {
    return this.words[LAG] - 1;
  }

  get eligibleTotal(): number {
    return this.words[ELIGIBLE];
  }

  get offeredTotal(): number {
    return this.words[OFFERED];
  }

  get receivedTotal(): number {
    return this.words[RECEIVED];
  }

  get sentTotal(): number {
    return this.words[SENT];
  }

  get completedTotal(): number {
    return this.words[COMPLETED];
  }

  get inFlight(): number {
    return this.words[IN_FLIGHT];
  }

  get pairedTotal(): number {
    return this.words[PAIRED];
  }

  get equalTotal(): number {
    return this.words[EQUAL];
  }

  get differentTotal(): number {
    return this.words[DIFFERENT];
  }

  get statusDifferentTotal(): number {
    return this.words[STATUS_DIFFERENT];
  }

  get sizeDifferentTotal(): number {
    return this.words[SIZE_DIFFERENT];
  }

  get bodyDifferentTotal(): number {
    return this.words[BODY_DIFFERENT];
  }

  get headerDifferentTotal(): number {
    return this.words[HEADER_DIFFERENT];
  }

  get notComparableTotal(): number {
    return this.words[NOT_COMPARABLE];
  }

  get sampledTotal(): number {
    return this.words[SAMPLED];
  }

  get handedToAnalystsTotal(): number {
    return this.words[HANDED_OVER];
  }

  unexaminedFor(reason: Unexamined): number {
    return this.words[UNEXAMINED + reason];
  }

  droppedFor(reason: Drop): number {
    return this.words[DROPPED + reason];
  }

  failedFor(reason: Failure): number {
    return this.words[FAILED + reason];
  }

  /** Over all reasons. */
  get droppedTotal(): number {
    return sum(this.words, DROPPED, dropReasons.length);
  }

  get failedTotal(): number {
    return sum(this.words, FAILED, failureReasons.length);
  }
}

function sum(words: Float64Array, first: number, count: number): number {
  let total = 0;
  for (let i = first; i < first + count; i++) total += words[i];
  return total;
}
