import { Deadline } from './deadlines.js';
import type { UpstreamResources } from './resources.js';
import type { UpstreamRequest } from './upstream-request.js';

/** What a call waits for while `#wait` is set. */
const Waits = { NOTHING: 0, PLACE: 1, FIRST_BYTE: 2, NEXT_BYTE: 3 } as const;
type Waits = (typeof Waits)[keyof typeof Waits];

/** The call that the clocks belong to, as the clocks call it. */
export interface ClockOwner {
  /** `requestMs`, `totalMs` or `firstByteMs` has passed. */
  onTimeOut(): void;
  /** The time in the pool's queue has passed. */
  onQueueTimeOut(): void;
  /** Nothing moved for `idleMs`: no byte of the response was read, and none of the request was taken. */
  onStalled(): void;
}

/**
 * The clocks of one call. A clock whose time is 0 is off:
 *
 *   total         start ───────────────────────────────────────────────────────────────────▶ end
 *   request                      request whole ─────────────▶ head, or end
 *   place         queued ──▶ place
 *   first byte                       sent whole ────────────▶ head
 *   next byte               held bytes ──▶ taken             head ──▶ byte ──▶ byte ──▶ … ──▶ end
 *
 * While the client is slow, because it sends no body or reads no response, only `total` runs.
 */
export class CallClocks {
  /** When a byte of the exchange moved last. It is kept only while the next byte is awaited. */
  movedUs = 0;
  /** The client does not read, so no next byte is awaited. */
  isPaused = false;
  readonly #owner: ClockOwner;
  readonly #total: Deadline;
  readonly #request: Deadline;
  readonly #wait: Deadline;
  #waits: Waits = Waits.NOTHING;
  #resources: UpstreamResources | null = null;
  #requestMs = 0;
  #requestUntilEnd = false;
  #firstByteMs = 0;
  #idleMs = 0;

  constructor(owner: ClockOwner) {
    this.#owner = owner;
    this.#total = new Deadline(() => owner.onTimeOut());
    this.#request = new Deadline(() => owner.onTimeOut());
    this.#wait = new Deadline(() => this.#onWaitOver());
  }

  begin(resources: UpstreamResources, request: UpstreamRequest, nowUs: number): void {
    this.isPaused = false;
    this.movedUs = nowUs;
    this.#waits = Waits.NOTHING;
    this.#resources = resources;
    this.#requestMs = request.requestMs;
    this.#requestUntilEnd = request.requestUntilEnd;
    this.#firstByteMs = request.firstByteMs;
    this.#idleMs = request.idleMs;
    if (request.totalMs > 0) resources.deadlines.set(this.#total, request.totalMs, nowUs);
  }

  /** `requestWhole` is called when the owner has written all of the request. */
  requestWhole(nowUs: number): void {
    if (this.#requestMs > 0) this.#resources!.deadlines.set(this.#request, this.#requestMs, nowUs);
  }

  queued(timeoutMs: number): void {
    this.#waitFor(Waits.PLACE, timeoutMs);
  }

  /** The exchange begins on a connection, possibly not the first one. */
  opened(): void {
    this.#stopWaiting();
  }

  /**
   * `holding` is called while the socket holds bytes of the request: when more were written, and when the
   * kernel took some.
   */
  holding(): void {
    if (this.#idleMs === 0) return;
    this.movedUs = this.#resources!.clock();
    if (this.#waits !== Waits.NEXT_BYTE) this.#waitFor(Waits.NEXT_BYTE, this.#idleMs);
  }

  get isWatchingHeld(): boolean {
    return this.#waits === Waits.NEXT_BYTE;
  }

  /**
   * `took` is called when the kernel has taken all held bytes before a head arrived. The client must then
   * send the next byte.
   */
  took(): void {
    this.#stopWaiting();
  }

  /** `sentWhole` is called when the kernel has all of the request. */
  sentWhole(nowUs: number = this.#resources!.clock()): void {
    if (this.#firstByteMs > 0 && this.#waits === Waits.NOTHING) {
      this.#waits = Waits.FIRST_BYTE;
      this.#resources!.deadlines.set(this.#wait, this.#firstByteMs, nowUs);
    }
  }

  /**
   * `headCame` is called when the response's head arrived in the read at `movedUs`. With `isWhole` no body
   * follows.
   */
  headCame(isWhole: boolean): void {
    const { deadlines } = this.#resources!;
    if (!this.#requestUntilEnd) deadlines.clear(this.#request);
    if (this.#idleMs === 0 || isWhole) {
      this.#stopWaiting();
      return;
    }
    this.#waits = Waits.NEXT_BYTE;
    deadlines.set(this.#wait, this.#idleMs, this.movedUs);
  }

  /** `movedAt` is called within `onStalled` when a byte has moved after all, at `us`. */
  movedAt(us: number): void {
    this.movedUs = us;
    this.#waits = Waits.NEXT_BYTE;
    if (!this.#waitsOn()) this.#resources!.deadlines.set(this.#wait, 0, us);
  }

  /** `resumed` is called when the client reads again. */
  resumed(): void {
    this.isPaused = false;
    this.movedUs = this.#resources!.clock();
  }

  end(): void {
    const { deadlines } = this.#resources!;
    deadlines.clear(this.#total);
    deadlines.clear(this.#request);
    this.#stopWaiting();
  }

  #waitFor(waits: Waits, timeoutMs: number): void {
    const { deadlines, clock } = this.#resources!;
    this.#waits = waits;
    deadlines.set(this.#wait, timeoutMs, clock());
  }

  #stopWaiting(): void {
    this.#waits = Waits.NOTHING;
    this.#resources!.deadlines.clear(this.#wait);
  }

  #onWaitOver(): void {
    const waits = this.#waits;
    if (waits === Waits.NEXT_BYTE && this.#waitsOn()) return;
    this.#waits = Waits.NOTHING;
    if (waits === Waits.PLACE) this.#owner.onQueueTimeOut();
    else if (waits === Waits.NEXT_BYTE) this.#owner.onStalled();
    else this.#owner.onTimeOut();
  }

  /**
   * `#waitsOn` checks a due deadline. A read does not move the deadline, so this method checks whether a byte
   * has moved since.
   */
  #waitsOn(): boolean {
    const { deadlines, clock } = this.#resources!;
    const nowUs = clock();
    const leftMs = this.isPaused ? this.#idleMs : this.#idleMs - (nowUs - this.movedUs) / 1e3;
    if (leftMs <= 0) return false;
    deadlines.set(this.#wait, leftMs, nowUs);
    return true;
  }
}
