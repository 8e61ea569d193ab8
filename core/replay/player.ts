/**
 * Sends recorded requests at their times. It is open-loop: a request is sent when it is due, whether or not
 * earlier ones were answered. Its latency counts from when it was handed to its connections or to the queue
 * of its key, so a stall of the version shows in every request that it delayed (coordinated omission would
 * hide it). The player's own delay, caused by reading the recording or by late scheduling of its thread, is
 * recorded separately and charged to no version. Without times (`max`) up to `inFlightMax` requests are under
 * way.
 */
import type { Clock } from '../clock.js';
import { Drop, none } from '../errors.js';
import type { RecordedExchange } from '../recording/recorded.js';
import type { ReadyRequest } from './packed.js';
import { type PlayContext, ReplayedRequest, type ReplayedRequestOwner } from './replayed-request.js';
import { type TokenSource, tokenIn, tokensOf } from './session-tokens.js';

/** The source of requests, in the order in which they are due. */
export interface PlayerSource {
  /** The next request, or null when none is available now. */
  next(): ReadyRequest | null;
  /** No further request will come. */
  readonly ended: boolean;
}

export interface PlayerOptions extends PlayContext {
  readonly source: PlayerSource;
  /** The places of session tokens in recorded responses. Requests wait for the tokens that they carry. */
  readonly tokenSources: readonly TokenSource[];
  readonly clock: Clock;
  /** Requests have no times. */
  readonly atOnce: boolean;
  /**
   * With `atOnce`, the number of requests to keep under way. Otherwise a request that is due is dropped
   * (`in-flight`) when this many are under way.
   */
  readonly inFlightMax: number;
}

/** A request that was due and is sent, or waits for the request of its key that is under way. */
interface TakenRequest extends Pick<ReadyRequest, 'exchange' | 'key'> {
  /** When its latency begins to count; -1 for its first byte. */
  readonly fromUs: number;
  /** Its number among the requests so far, from 1. */
  readonly number: number;
}

const noTokens: readonly string[] = [];
/** Requests that are sent in one turn of the event loop, before sockets are polled. */
const sentPerTurn = 64;
/** A timer may be late by more than this, so the last part of a wait polls in each turn. */
const timerSlackMs = 2;
const timerMsMax = 1000;

export class Player implements ReplayedRequestOwner {
  readonly #options: PlayerOptions;
  readonly #spare: ReplayedRequest[] = [];
  /** The next request that is due. */
  #next: ReadyRequest | null = null;
  /** Requests that wait for the one of the same key that is under way, by key. */
  readonly #inOrder = new Map<string, TakenRequest[]>();
  #waitingInOrder = 0;
  /** Requests that wait for a recorded token, by token. A request under way will provide it. */
  readonly #awaited = new Map<string, TakenRequest[]>();
  #inFlight = 0;
  /** Requests that were due so far, sent or dropped. */
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

  /** `more` is called when the source has another request or has ended. */
  more(): void {
    if (!this.#turning && this.#timer === null) this.#turn();
  }

  /** `stop` stops sending. `done` resolves when the requests under way have ended. */
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
    // With `atOnce` and the maximum under way, the next response continues the loop.
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

  /**
   * `#waitMs` returns the milliseconds until the next request, which must exist; negative when it is late.
   */
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

  /** `#tokensGivenBy` returns new tokens that no request under way provides yet. */
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
