/**
 * Plays recorded requests at their times: open-loop, that is, a request goes out when it is due whether or not the ones before
 * were answered, and its latency counts from then, so that a stall of whoever answers shows in every request that it held up
 * (coordinated omission is what hides it). Without times (`max`) as many are under way as `inFlightMax` says.
 */
import type { Clock } from '../clock.js';
import { Drop, none } from '../errors.js';
import type { VersionPool } from '../upstream/pool.js';
import type { ReadyRequest } from './packed.js';
import type { ReplayCounters } from './replay-counters.js';
import { type PlayedOwner, ReplayedRequest } from './replayed-request.js';

/** Where requests come from, in the order in which they are due. */
export interface PlayerSource {
  /** Null: none is at hand. */
  next(): ReadyRequest | null;
  /** None will come any more. */
  readonly ended: boolean;
}

export interface PlayerOptions {
  readonly source: PlayerSource;
  readonly pool: VersionPool;
  readonly counters: ReplayCounters;
  readonly clock: Clock;
  /** Requests have no times. */
  readonly atOnce: boolean;
  /** Null keeps the recorded one. */
  readonly host: string | null;
  readonly timeoutMs: number;
  /** With `atOnce`, how many are kept under way; else beyond how many a request that is due is dropped (`in-flight`). */
  readonly inFlightMax: number;
}

/** Sent in one turn, before sockets are looked at. */
const sentPerTurn = 64;
/** A timer may be late by more than this, so the last stretch is waited for turn by turn. */
const timerSlackMs = 2;
const timerMsMax = 1000;

export class Player implements PlayedOwner {
  readonly counters: ReplayCounters;
  readonly clock: Clock;
  readonly #options: PlayerOptions;
  readonly #spare: ReplayedRequest[] = [];
  /** The one that is due next. */
  #next: ReadyRequest | null = null;
  /** By key: what waits for the one of the same key that is under way. */
  readonly #inOrder = new Map<string, ReadyRequest[]>();
  #waitingInOrder = 0;
  #inFlight = 0;
  #stopped = false;
  #startUs = -1;
  #timer: NodeJS.Timeout | null = null;
  #turning = false;
  #finish!: () => void;
  readonly done: Promise<void>;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.counters = options.counters;
    this.clock = options.clock;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** The source has something, or has ended. */
  more(): void {
    if (!this.#turning && this.#timer === null) this.#turn();
  }

  /** Nothing new goes out; `done` resolves when what is under way is over. */
  stop(): void {
    this.#stopped = true;
    this.#next = null;
    this.#inOrder.clear();
    this.#waitingInOrder = 0;
    this.#endIfOver();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A recorded request is sent once, and what it came to is told. */
  dropFor(): typeof none {
    return none;
  }

  over(played: ReplayedRequest): void {
    this.#inFlight--;
    this.#spare.push(played);
    if (played.key !== null) this.#nextInOrder(played.key);
    if (this.#options.atOnce) this.#sendDue();
    this.#endIfOver();
  }

  readonly #turn = (): void => {
    this.#timer = null;
    this.#turning = false;
    this.#sendDue();
    if (this.#endIfOver() || this.#stopped || this.#peek() === null) return;
    const waitMs = this.#waitMs();
    if (waitMs > timerSlackMs)
      this.#timer = setTimeout(this.#turn, Math.min(waitMs - timerSlackMs, timerMsMax));
    // With `atOnce`, and as many under way as may be, it is an answer that goes on.
    else if (!this.#options.atOnce || !this.#isFull) {
      this.#turning = true;
      setImmediate(this.#turn);
    }
  };

  #peek(): ReadyRequest | null {
    if (this.#stopped) return null;
    this.#next ??= this.#options.source.next();
    return this.#next;
  }

  /** Of the next one, which there is; below 0: it is late. */
  #waitMs(): number {
    const { afterUs } = this.#next!;
    return afterUs < 0 ? 0 : (this.#startUs + afterUs - this.clock()) / 1000;
  }

  get #isFull(): boolean {
    return this.#inFlight + this.#waitingInOrder >= this.#options.inFlightMax;
  }

  #sendDue(): void {
    const { atOnce } = this.#options;
    for (let i = 0; i < sentPerTurn; i++) {
      const next = this.#peek();
      if (next === null) return;
      if (this.#startUs < 0) this.#startUs = this.clock();
      if (atOnce ? this.#isFull : this.#waitMs() > 0) return;
      this.#next = null;
      if (this.#isFull) this.#drop();
      else this.#send(next);
    }
  }

  #drop(): void {
    this.counters.mirror.eligible();
    this.counters.mirror.dropped(Drop.IN_FLIGHT);
  }

  #send(request: ReadyRequest): void {
    const { key } = request;
    if (key !== null) {
      const before = this.#inOrder.get(key);
      if (before !== undefined) {
        before.push(request);
        this.#waitingInOrder++;
        return;
      }
      this.#inOrder.set(key, []);
    }
    this.#sendNow(request);
  }

  #sendNow(request: ReadyRequest): void {
    const { pool, host, timeoutMs } = this.#options;
    const played = this.#spare.pop() ?? new ReplayedRequest(this);
    this.#inFlight++;
    const { exchange, afterUs, key } = request;
    const dueUs = afterUs < 0 ? -1 : this.#startUs + afterUs;
    played.start(pool, exchange, host ?? exchange.request.host, dueUs, key, timeoutMs);
  }

  #nextInOrder(key: string): void {
    const next = this.#inOrder.get(key)?.shift();
    if (next === undefined) {
      this.#inOrder.delete(key);
      return;
    }
    this.#waitingInOrder--;
    this.#sendNow(next);
  }

  #endIfOver(): boolean {
    if (this.#inFlight > 0 || this.#waitingInOrder > 0 || this.#peek() !== null) return false;
    if (!this.#stopped && !this.#options.source.ended) return false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#finish();
    return true;
  }
}
