/**
 * Sends the requests of a stream to a shadow, as they come and at most so many at a time, and says of each
 * message when it is done with. A message is done with when its request has an outcome: a whole response, or
 * a failure after something was sent. Where nothing could be sent it is given back, to be delivered again,
 * and the shadow gets a rest; after `deliveriesMax` of them that is its outcome. So every delivery ends in
 * the counters as completed, failed or dropped, and every message at last as done.
 */

import type { Clock } from '../clock.js';
import { Drop, type Failure, none } from '../errors.js';
import { limits } from '../limits.js';
import { marked } from '../mirror/loop-mark.js';
import { MirrorField } from '../record/mirror-counters.js';
import type { RecordedExchange } from '../recording/recorded.js';
import { type PlayContext, ReplayedRequest, type ReplayedRequestOwner } from '../replay/replayed-request.js';
import { decodeMessage } from './message.js';

/** A shadow that can't be reached is left alone for so long, doubled from one time to the next. */
const restMs = { first: 250, max: 5000 };
/** Before a message that was given back is delivered again: so long, doubled from one time to the next. */
const againMs = { first: 500, max: 30_000 };

/** One delivery of one message. One of the three is called, once. */
export interface Delivery {
  /** The header `Umbra`. */
  readonly about: string;
  readonly payload: Buffer;
  readonly sequence: number;
  /** How often the message was delivered, this time included. */
  readonly count: number;
  /** Messages behind it. */
  readonly pending: number;
  done(): void;
  again(afterMs: number): void;
  reject(): void;
}

export interface StreamShadowOptions extends PlayContext {
  readonly clock: Clock;
  readonly inFlightMax: number;
  readonly deliveriesMax: number;
  onRejected(sequence: number, why: string): void;
}

export class StreamShadow implements ReplayedRequestOwner {
  readonly #options: StreamShadowOptions;
  readonly #spare: ReplayedRequest[] = [];
  readonly #underWay = new Map<ReplayedRequest, Delivery>();
  readonly #givenBack = new Set<ReplayedRequest>();
  /** Bytes of the messages under way. */
  #heldBytes = 0;
  #waiters: (() => void)[] = [];
  #restUntilUs = 0;
  /** 0: the shadow was reached last. */
  #restMs = 0;
  #restTimer: NodeJS.Timeout | null = null;
  #stopped = false;
  /** Deliveries that were sent on. */
  #taken = 0;
  /** Messages that were in the stream behind the latest delivery. */
  #pending = 0;

  constructor(options: StreamShadowOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  /** How many deliveries may be taken now, of which the largest has `bytesMax`. */
  roomFor(bytesMax: number): number {
    const bytesLeft = limits.streamTakenBytes - this.#heldBytes;
    // One is always taken, however large it is.
    if (bytesLeft < bytesMax && this.inFlight > 0) return 0;
    return Math.min(this.#freePlaces, Math.max(1, Math.floor(bytesLeft / bytesMax)));
  }

  get #freePlaces(): number {
    const free = this.#options.inFlightMax - this.inFlight;
    if (this.#restMs === 0 || free <= 0) return Math.max(0, free);
    // After a rest one request tries it.
    return this.#options.clock() >= this.#restUntilUs && this.inFlight === 0 ? 1 : 0;
  }

  async whenRoomFor(bytesMax: number): Promise<void> {
    while (this.roomFor(bytesMax) === 0 && !this.#stopped) await this.#change();
  }

  async whenIdle(): Promise<void> {
    while (this.inFlight > 0) await this.#change();
  }

  take(delivery: Delivery): void {
    const { deliveriesMax } = this.#options;
    this.#pending = delivery.pending;
    if (delivery.count > deliveriesMax) {
      this.#reject(delivery, Drop.DELIVERY_LIMIT, `it was delivered ${delivery.count} times`);
      return;
    }
    const exchange = decodeMessage(delivery.about, delivery.payload);
    if (typeof exchange === 'string') {
      this.#reject(delivery, Drop.UNREADABLE, exchange);
      return;
    }
    const played = this.#spare.pop() ?? new ReplayedRequest(this, this.#options);
    this.#underWay.set(played, delivery);
    this.#hold(delivery.payload.byteLength);
    this.#tellLag();
    played.start(asCopy(exchange), -1, null, ++this.#taken);
  }

  dropFor(played: ReplayedRequest, _failure: Failure): Drop | typeof none {
    const nowUs = this.#options.clock();
    if (nowUs >= this.#restUntilUs) {
      this.#restMs = this.#restMs === 0 ? restMs.first : Math.min(2 * this.#restMs, restMs.max);
      this.#restUntilUs = nowUs + this.#restMs * 1000;
      if (this.#restTimer !== null) clearTimeout(this.#restTimer);
      this.#restTimer = setTimeout(() => this.#changed(), this.#restMs + 1);
    }
    if (this.#underWay.get(played)!.count >= this.#options.deliveriesMax) return none;
    this.#givenBack.add(played);
    return Drop.REQUEUED;
  }

  over(played: ReplayedRequest): void {
    const delivery = this.#underWay.get(played)!;
    this.#underWay.delete(played);
    this.#hold(-delivery.payload.byteLength);
    this.#spare.push(played);
    if (this.#givenBack.delete(played))
      delivery.again(Math.min(againMs.first * 2 ** (delivery.count - 1), againMs.max));
    else {
      if (played.wasSent) this.#restMs = 0;
      delivery.done();
    }
    this.#tellLag();
    this.#changed();
  }

  /** `quiet` reports that `pending` messages of the stream were not delivered, while nothing comes. */
  quiet(pending: number): void {
    this.#pending = pending;
    this.#tellLag();
  }

  /** Nobody waits for room any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#restTimer !== null) clearTimeout(this.#restTimer);
    this.#changed();
  }

  #reject(delivery: Delivery, reason: Drop, why: string): void {
    this.#options.counters.mirror.eligible();
    this.#options.counters.mirror.dropped(reason);
    delivery.reject();
    this.#options.onRejected(delivery.sequence, why);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#options.counters.mirror.set(MirrorField.heldBytes, this.#heldBytes);
  }

  #tellLag(): void {
    this.#options.counters.mirror.setHighest(MirrorField.lag, this.#pending + this.inFlight);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #changed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}

/** `asCopy` returns the request with the mark that every copy carries. */
function asCopy(exchange: RecordedExchange): RecordedExchange {
  const { request } = exchange;
  return { ...exchange, request: { ...request, fields: marked(request.fields) } };
}
