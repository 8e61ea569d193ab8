/**
 * Plays recorded requests at their times: open-loop, that is, a request goes out when it is due whether or
 * not the ones before were answered, and its latency counts from when it was handed to its connections or to
 * the queue of its key. So a stall of the version shows in every request that it held up (coordinated
 * omission hides it). How late the player itself was, because the recording was read or its thread was
 * scheduled late, is recorded apart and charged to no version. Without times (`max`) as many are under way as
 * `inFlightMax` says.
 */
import type { Clock } from '../clock.js';
import { Drop, none } from '../errors.js';
import type { RecordedExchange } from '../recording/recorded.js';
import type { ReadyRequest } from './packed.js';
import { type PlayContext, ReplayedRequest, type ReplayedRequestOwner } from './replayed-request.js';
import { type TokenSource, tokenIn, tokensOf } from './session-tokens.js';

/** Where requests come from, in the order in which they are due. */
export interface PlayerSource {
  /** Null: none is at hand. */
  next(): ReadyRequest | null;
  /** None will come any more. */
  readonly ended: boolean;
}

export interface PlayerOptions extends PlayContext {
  readonly source: PlayerSource;
  /** Where recorded responses have tokens of sessions: requests wait for the tokens that they carry. */
  readonly tokenSources: readonly TokenSource[];
  readonly clock: Clock;
  /** Requests have no times. */
  readonly atOnce: boolean;
  /**
   * With `atOnce`, how many are kept under way; else beyond how many a request that is due is dropped
   * (`in-flight`).
   */
  readonly inFlightMax: number;
}

/** A request that was due and is sent, or waits for the one of its key that is under way. */
interface TakenRequest extends Pick<ReadyRequest, 'exchange' | 'key'> {
  /** When its latency begins to count; -1: with its first byte. */
  readonly fromUs: number;
  /** Its place in what was played up to now, from 1. */
  readonly number: number;
}

const noTokens: readonly string[] = [];
/** Sent in one turn, before sockets are looked at. */
const sentPerTurn = 64;
/** A timer may be late by more than this, so the last stretch is waited for turn by turn. */
const timerSlackMs = 2;
const timerMsMax = 1000;

export class Player implements ReplayedRequestOwner {
  readonly #options: PlayerOptions;
  readonly #spare: ReplayedRequest[] = [];
  /** The one that is due next. */
  #next: ReadyRequest | null = null;
  /** By key: what waits for the one of the same key that is under way. */
  readonly #inOrder = new Map<string, TakenRequest[]>();
  #waitingInOrder = 0;
  /** By recorded token: what waits for the request under way that will give it. */
  readonly #awaited = new Map<string, TakenRequest[]>();
  #inFlight = 0;
  /** Requests that were due, sent or dropped. */
  #due = 0;
  #stopped = false;
  #startUs = -1;
  #timer: NodeJS.Timeout | null = null;
  #turning = false;
  #finish!: () => void;
  readonly done: Promise<void>;

  constructor(options: PlayerOptions) {
    this.#options = options;
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
    this.#awaited.clear();
    this.#waitingInOrder = 0;
    this.#endIfOver();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A recorded request is sent once, and its outcome is counted. */
  dropFor(): typeof none {
    return none;
  }

  over(played: ReplayedRequest): void {
    this.#inFlight--;
    const { key, tokens } = played;
    this.#spare.push(played);
    for (const token of tokens) this.#release(token);
    if (key !== null) this.#nextInOrder(key);
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

  /** How long until the next request is due, which there is; below 0: it is late. */
  #waitMs(): number {
    const { afterUs } = this.#next!;
    return afterUs < 0 ? 0 : (this.#startUs + afterUs - this.#options.clock()) / 1000;
  }

  get #isFull(): boolean {
    return this.#inFlight + this.#waitingInOrder >= this.#options.inFlightMax;
  }

  #sendDue(): void {
    const { atOnce } = this.#options;
    for (let i = 0; i < sentPerTurn; i++) {
      const next = this.#peek();
      if (next === null) return;
      if (this.#startUs < 0) this.#startUs = this.#options.clock();
      if (atOnce ? this.#isFull : this.#waitMs() > 0) return;
      this.#next = null;
      this.#due++;
      if (this.#isFull) this.#drop();
      else this.#send(next);
    }
  }

  #drop(): void {
    this.#options.counters.mirror.eligible();
    this.#options.counters.mirror.dropped(Drop.IN_FLIGHT);
  }

  #send({ exchange, afterUs, key }: ReadyRequest): void {
    const nowUs = this.#options.clock();
    if (afterUs >= 0) this.#options.counters.mirror.queue.record(nowUs - this.#startUs - afterUs);
    const request = { exchange, key, fromUs: afterUs < 0 ? -1 : nowUs, number: this.#due };
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

  #sendNow(taken: TakenRequest): void {
    const { exchange, key, fromUs, number } = taken;
    const token = tokenIn(exchange.request, this.#awaited);
    if (token !== null) {
      this.#awaited.get(token)!.push(taken);
      this.#waitingInOrder++;
      return;
    }
    const replayed = this.#spare.pop() ?? new ReplayedRequest(this, this.#options);
    this.#inFlight++;
    replayed.tokens = this.#tokensGivenBy(exchange);
    for (const given of replayed.tokens) this.#awaited.set(given, []);
    replayed.start(exchange, fromUs, key, number);
  }

  /** New ones that no request under way gives yet. */
  #tokensGivenBy({ response }: RecordedExchange): readonly string[] {
    const { tokenSources } = this.#options;
    if (tokenSources.length === 0 || response?.content == null) return noTokens;
    const { tokens } = this.#options.servers.shadow;
    return tokensOf(response.content, tokenSources).filter(
      (token): token is string =>
        token !== null && !this.#awaited.has(token) && tokens?.knows(token) !== true,
    );
  }

  #release(token: string): void {
    const waiting = this.#awaited.get(token) ?? [];
    this.#awaited.delete(token);
    this.#waitingInOrder -= waiting.length;
    for (const taken of waiting) this.#sendNow(taken);
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
