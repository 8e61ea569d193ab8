/**
 * Plays recorded requests at their times: open-loop, that is, a request goes out when it is due whether or not the ones before
 * were answered, and its latency counts from then, so that a stall of whoever answers shows in every request that it held up
 * (coordinated omission is what hides it). Without times (`max`) as many are under way as `inFlightMax` says.
 */
import type { Clock } from '../clock.js';
import { Drop } from '../errors.js';
import type { RecordedExchange } from '../recording/reader.js';
import type { Skipped } from '../recording/recorded.js';
import type { VersionPool } from '../upstream/pool.js';
import type { OrderKey } from './filter.js';
import type { ReplayLedgers } from './ledgers.js';
import { Played, type PlayedOwner } from './played.js';

/** `recorded`: the recording's times, so many times as fast. `rate`: so many a second. */
export type Pace =
  | { readonly kind: 'recorded'; readonly speed: number }
  | { readonly kind: 'rate'; readonly perSecond: number }
  | { readonly kind: 'max' };

export interface PlayerOptions {
  /** The recording from its beginning; called anew for each loop. */
  open(): Iterator<RecordedExchange | Skipped>;
  readonly pool: VersionPool;
  readonly ledgers: ReplayLedgers;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly loop: boolean;
  readonly filter: (exchange: RecordedExchange) => boolean;
  readonly order: OrderKey | null;
  /** Null keeps the recorded one. */
  readonly host: string | null;
  readonly timeoutMs: number;
  /** With `max`, how many are kept under way; else beyond how many a request that is due is dropped (`in-flight`). */
  readonly inFlightMax: number;
  onSkipped(skipped: Skipped): void;
}

/** Exchanges that are read ahead, and how many in one turn. */
const aheadMax = 2048;
const readPerTurn = 16;
/** Sent in one turn, before sockets are looked at. */
const sentPerTurn = 64;
/** A timer may be late by more than this, so the last stretch is waited for turn by turn. */
const timerSlackMs = 2;

interface Due {
  readonly exchange: RecordedExchange;
  /** -1: at once. */
  readonly dueUs: number;
}

export class Player implements PlayedOwner {
  readonly ledgers: ReplayLedgers;
  readonly clock: Clock;
  readonly #options: PlayerOptions;
  readonly #spare: Played[] = [];
  readonly #ahead: Due[] = [];
  #aheadAt = 0;
  /** By key: what waits for the one of the same key that is under way. */
  readonly #inOrder = new Map<string, Due[]>();
  #waitingInOrder = 0;
  #inFlight = 0;
  #source: Iterator<RecordedExchange | Skipped>;
  #ended = false;
  #stopped = false;
  #startUs = -1;
  /** Of the recording's time, where this loop began, and what the loops before took. */
  #firstTimeUs = -1;
  #lastTimeUs = 0;
  #loopUs = 0;
  #inLoop = 0;
  #count = 0;
  #timer: NodeJS.Timeout | null = null;
  #finish!: () => void;
  readonly done: Promise<void>;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.ledgers = options.ledgers;
    this.clock = options.clock;
    this.#source = options.open();
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  start(): void {
    this.#turn();
  }

  /** Nothing new goes out; `done` resolves when what is under way is over. */
  stop(): void {
    this.#stopped = true;
    this.#ended = true;
    this.#ahead.length = 0;
    this.#aheadAt = 0;
    this.#inOrder.clear();
    this.#waitingInOrder = 0;
    this.#endIfOver();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  over(played: Played): void {
    this.#inFlight--;
    this.#spare.push(played);
    if (played.key !== null) this.#nextInOrder(played.key);
    if (this.#options.pace.kind === 'max') this.#sendDue();
    this.#endIfOver();
  }

  readonly #turn = (): void => {
    this.#timer = null;
    this.#readAhead();
    this.#sendDue();
    if (this.#endIfOver() || this.#stopped) return;
    const next = this.#ahead[this.#aheadAt];
    if (next === undefined && this.#ended) return;
    const waitMs = next === undefined || next.dueUs < 0 ? 0 : (next.dueUs - this.#options.clock()) / 1000;
    const full = this.#ended || this.#ahead.length - this.#aheadAt >= aheadMax;
    if (full && waitMs > timerSlackMs)
      this.#timer = setTimeout(this.#turn, Math.min(waitMs - timerSlackMs, 1000));
    // With `max` nothing is to be done until an answer comes or there is room to read.
    else if (full && this.#options.pace.kind === 'max') this.#timer = setTimeout(this.#turn, 1);
    else setImmediate(this.#turn);
  };

  #readAhead(): void {
    for (let i = 0; i < readPerTurn && !this.#ended && this.#ahead.length - this.#aheadAt < aheadMax; i++) {
      const next = this.#source.next();
      if (next.done === true) {
        this.#endOfRecording();
        continue;
      }
      if ('reason' in next.value) this.#options.onSkipped(next.value);
      else if (this.#options.filter(next.value)) {
        this.#inLoop++;
        this.#ahead.push({ exchange: next.value, dueUs: this.#dueUs(next.value) });
      }
    }
  }

  /** A recording of which nothing is played is not begun again: it would never end. */
  #endOfRecording(): void {
    if (!this.#options.loop || this.#inLoop === 0) {
      this.#ended = true;
      return;
    }
    const spanUs = this.#lastTimeUs - this.#firstTimeUs;
    // The first request of the next loop is as far behind the last one as requests are on average.
    this.#loopUs += spanUs + spanUs / Math.max(1, this.#inLoop - 1);
    this.#firstTimeUs = -1;
    this.#inLoop = 0;
    this.#source = this.#options.open();
  }

  #dueUs({ timeUs }: RecordedExchange): number {
    const { pace, clock } = this.#options;
    if (pace.kind === 'max') return -1;
    if (this.#startUs < 0) this.#startUs = clock();
    const count = this.#count++;
    if (pace.kind === 'rate') return this.#startUs + (count * 1e6) / pace.perSecond;
    if (this.#firstTimeUs < 0) this.#firstTimeUs = timeUs;
    this.#lastTimeUs = Math.max(timeUs, this.#firstTimeUs);
    return this.#startUs + (this.#loopUs + this.#lastTimeUs - this.#firstTimeUs) / pace.speed;
  }

  #sendDue(): void {
    const { pace, clock, inFlightMax } = this.#options;
    for (let i = 0; i < sentPerTurn && this.#aheadAt < this.#ahead.length; i++) {
      const due = this.#ahead[this.#aheadAt];
      const full = this.#inFlight + this.#waitingInOrder >= inFlightMax;
      if (pace.kind === 'max' ? full : due.dueUs > clock()) break;
      this.#aheadAt++;
      if (full) this.#drop();
      else this.#send(due);
    }
    if (this.#aheadAt >= aheadMax) {
      this.#ahead.splice(0, this.#aheadAt);
      this.#aheadAt = 0;
    }
  }

  #drop(): void {
    this.ledgers.mirror.eligible();
    this.ledgers.mirror.dropped(Drop.IN_FLIGHT);
  }

  #send(due: Due): void {
    const key = this.#options.order?.(due.exchange) ?? null;
    if (key !== null) {
      const before = this.#inOrder.get(key);
      if (before !== undefined) {
        before.push(due);
        this.#waitingInOrder++;
        return;
      }
      this.#inOrder.set(key, []);
    }
    this.#sendNow(due, key);
  }

  #sendNow({ exchange, dueUs }: Due, key: string | null): void {
    const { pool, host, timeoutMs } = this.#options;
    const played = this.#spare.pop() ?? new Played(this);
    this.#inFlight++;
    played.start(pool, exchange, host ?? exchange.request.host, dueUs, key, timeoutMs);
  }

  #nextInOrder(key: string): void {
    const next = this.#inOrder.get(key)?.shift();
    if (next === undefined) {
      this.#inOrder.delete(key);
      return;
    }
    this.#waitingInOrder--;
    this.#sendNow(next, key);
  }

  #endIfOver(): boolean {
    const over =
      this.#ended &&
      this.#inFlight === 0 &&
      this.#aheadAt >= this.#ahead.length &&
      this.#waitingInOrder === 0;
    if (!over) return false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#finish();
    return true;
  }
}
