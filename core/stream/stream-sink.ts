/**
 * A sink that publishes copies to a stream of JetStream. A copy is settled when the server has acknowledged
 * its message. Messages that wait for that are kept: what a lost connection may have taken along is published
 * again, under its name, so that the server stores it once. So what is published ends as acknowledged or,
 * after `timeoutMs` or a refusal, as a counted loss; a loss for the reason `stream-down` may be in the stream
 * all the same, because an acknowledgement can be lost too.
 */
import type { Clock } from '../clock.js';
import { Drop, Failure, none } from '../errors.js';
import type { Redactor } from '../recording/redactor.js';
import { type Copy, reasonOr, type Sink } from '../sink/sink.js';
import { encodeMessage, type StreamMessage } from './message.js';
import type { StreamAnswer, StreamLink, StreamLinkEvents } from './stream-link.js';

/** The pause after which one message tries a full stream again. */
const fullRestUs = 200_000;
/** A full stream is reported again after so long. */
const fullToldUs = 60_000_000;
/** A server that answers nothing for so long is as good as gone. */
const silenceUs = 1_000_000;
/**
 * A message without an answer is published again after so long: servers of a cluster that choose a leader
 * answer nothing. While nothing is answered at all it is the oldest one alone, because what is published on a
 * connection that is dead stays in memory, again each time.
 */
const againUs = 5_000_000;
const tickMs = 250;
/** Published in one turn, before the rings are read again. */
const publishedPerTurn = 512;
/** Messages that are published before the rings are read to their end. */
const publishedTogether = 64;
/** Bytes of the protocol's own words in one message. */
const framingBytes = 128;

export interface StreamSinkSettings {
  readonly outstandingMax: number;
  readonly timeoutMs: number;
}

export interface StreamSinkDeps {
  readonly clock: Clock;
  wallClockMs(): number;
  /** Names this sink among all that publish to the stream. */
  readonly name: string;
  open(events: StreamLinkEvents): StreamLink;
  /** Reports what an operator should know. */
  onTrouble(trouble: string): void;
  /** The connection is there, for the first time or again. */
  onReady(): void;
}

interface Publication {
  readonly token: string;
  readonly message: StreamMessage;
  readonly copy: Copy;
  /** The size with its headers. */
  readonly bytes: number;
  readonly putUs: number;
  /** -1: it waits to be published. */
  publishedUs: number;
}

export class StreamSink implements Sink {
  readonly #deps: StreamSinkDeps;
  readonly #link: StreamLink;
  readonly #tick: NodeJS.Timeout;
  #settings: StreamSinkSettings;
  #redactor: Redactor;
  #count = 0;
  /** By token, in the order in which they were put. */
  readonly #outstanding = new Map<string, Publication>();
  /** Those of them that wait to be published. */
  #queue: Publication[] = [];
  #queueFrom = 0;
  #pumping = false;
  #ready = false;
  #answeredUs = 0;
  /** The latest message found no room, and nothing has shown since that there is some. */
  #full = false;
  /** Bytes of that message. */
  #refusedBytes = 0;
  #fullUntilUs = 0;
  #fullTriedBy: Publication | null = null;
  #fullToldUs = Number.NEGATIVE_INFINITY;
  #refusalTold = '';
  #whenEmpty: (() => void) | null = null;

  constructor(settings: StreamSinkSettings, redactor: Redactor, deps: StreamSinkDeps) {
    this.#settings = settings;
    this.#redactor = redactor;
    this.#deps = deps;
    this.#tick = setInterval(() => this.#look(), tickMs).unref();
    this.#link = deps.open({
      onReady: () => this.#up(),
      onDown: (why) => this.#down(why),
      onRoom: (bytes) => {
        if (bytes >= this.#refusedBytes) this.#full = false;
      },
      onAnswer: (token, answer, why) => this.#answered(token, answer, why),
    });
  }

  /** Copies that are put from now on are published so. */
  follow(settings: StreamSinkSettings, redactor: Redactor): void {
    this.#settings = settings;
    this.#redactor = redactor;
  }

  refuses(): Drop | typeof none {
    if (this.#outstanding.size >= this.#settings.outstandingMax) {
      return reasonOr(Drop.IN_FLIGHT, this.stalled());
    }
    if (!this.#full) return none;
    const mayTry = this.#fullTriedBy === null && this.#deps.clock() >= this.#fullUntilUs;
    return mayTry ? none : reasonOr(Drop.STREAM_FULL, this.stalled());
  }

  stalled(): Drop | typeof none {
    if (!this.#ready) return Drop.STREAM_DOWN;
    const [oldest] = this.#outstanding.values();
    const sinceUs = Math.max(this.#answeredUs, oldest?.putUs ?? Number.POSITIVE_INFINITY);
    return this.#deps.clock() - sinceUs > silenceUs ? Drop.STREAM_DOWN : none;
  }

  trouble(): Drop | typeof none {
    const stalled = this.stalled();
    return stalled === none && this.#full ? Drop.STREAM_FULL : stalled;
  }

  lag(): number | null {
    return this.#ready ? this.#link.lag : null;
  }

  put(copy: Copy): Drop | typeof none {
    const { clock, wallClockMs } = this.#deps;
    const nowUs = clock();
    const message = encodeMessage(copy, this.#redactor, wallClockMs() * 1000 - (nowUs - copy.offeredUs));
    const bytes = message.payload.byteLength + message.about.length + framingBytes;
    if (bytes > this.#link.messageBytesMax) return Drop.MESSAGE_TOO_LARGE;
    const token = (this.#count++).toString(36);
    const publication = { token, message, copy, bytes, putUs: nowUs, publishedUs: -1 };
    this.#outstanding.set(token, publication);
    if (this.#full) this.#fullTriedBy = publication;
    this.#queue.push(publication);
    if (this.#queue.length - this.#queueFrom >= publishedTogether) this.#pumpSoon();
    return none;
  }

  flush(): void {
    if (this.#queueFrom < this.#queue.length) this.#pumpSoon();
  }

  abort(): void {
    for (const publication of [...this.#outstanding.values()]) this.#settle(publication, Failure.DRAINING);
  }

  /** Waits for what is outstanding, `timeoutMs` at most. */
  async close(): Promise<void> {
    this.flush();
    if (this.#outstanding.size > 0)
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    clearInterval(this.#tick);
    await this.#link.close();
  }

  #up(): void {
    this.#ready = true;
    this.#answeredUs = this.#deps.clock();
    this.#deps.onReady();
    this.flush();
  }

  #down(why: string): void {
    this.#ready = false;
    for (const publication of this.#outstanding.values()) publication.publishedUs = -1;
    this.#queue = [...this.#outstanding.values()];
    this.#queueFrom = 0;
    this.#deps.onTrouble(`${why}; up to ${this.#settings.outstandingMax} copies wait for it`);
  }

  #pumpSoon(): void {
    if (this.#pumping || !this.#ready) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const nowUs = this.#deps.clock();
    for (let i = 0; i < publishedPerTurn && this.#ready && this.#queueFrom < this.#queue.length; i++) {
      const publication = this.#queue[this.#queueFrom++];
      if (this.#outstanding.get(publication.token) !== publication) continue;
      publication.publishedUs = nowUs;
      this.#link.publish(`${this.#deps.name}-${publication.token}`, publication.token, publication.message);
    }
    if (this.#queueFrom < this.#queue.length) {
      this.#pumpSoon();
      return;
    }
    this.#queue = [];
    this.#queueFrom = 0;
  }

  #answered(token: string, answer: StreamAnswer, why: string): void {
    const publication = this.#outstanding.get(token);
    const nowUs = this.#deps.clock();
    this.#answeredUs = nowUs;
    if (publication === undefined) return;
    if (answer === 'stored') {
      this.#full = false;
      this.#settle(publication, none);
    } else if (answer === 'full') {
      this.#full = true;
      this.#refusedBytes = publication.bytes;
      this.#fullUntilUs = nowUs + fullRestUs;
      if (nowUs - this.#fullToldUs > fullToldUs) {
        this.#fullToldUs = nowUs;
        this.#deps.onTrouble('the stream is full');
      }
      this.#settle(publication, Failure.STREAM_FULL);
    } else {
      if (why !== this.#refusalTold) this.#deps.onTrouble(why);
      this.#refusalTold = why;
      this.#settle(publication, Failure.STREAM_REFUSED);
    }
  }

  #look(): void {
    const nowUs = this.#deps.clock();
    const timeoutUs = this.#settings.timeoutMs * 1000;
    const [oldest] = this.#outstanding.values();
    const silent = nowUs - this.#answeredUs > againUs;
    for (const publication of [...this.#outstanding.values()]) {
      const { putUs, publishedUs } = publication;
      if (nowUs - putUs >= timeoutUs) this.#settle(publication, Failure.STREAM_DOWN);
      else if (publishedUs >= 0 && nowUs - publishedUs > againUs && !(silent && publication !== oldest)) {
        publication.publishedUs = -1;
        this.#queue.push(publication);
      }
    }
    this.flush();
  }

  #settle(publication: Publication, failure: Failure | typeof none): void {
    this.#outstanding.delete(publication.token);
    if (this.#fullTriedBy === publication) this.#fullTriedBy = null;
    publication.copy.settled(failure, publication.bytes);
    if (this.#outstanding.size === 0) this.#whenEmpty?.();
  }
}
