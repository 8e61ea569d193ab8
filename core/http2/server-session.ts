import { Framing, type RequestHead } from '../http/message.js';
import type { RequestFault } from '../http/request-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { limits } from '../limits.js';
import { ErrorCode } from './error-code.js';
import { Guard } from './floods.js';
import { INT31_MAX } from './frame.js';
import type { HeaderBlock } from './header-block.js';
import { Verdict } from './request-fields.js';
import { Session, type SessionOwner } from './session.js';
import type { SessionResources } from './session-resources.js';
import { Bit, ignoringSink, Stream } from './stream.js';
import { ignoringFields } from './trailer-fields.js';

/** The owner of a client's connection. */
export interface ServerSessionOwner extends SessionOwner {
  /**
   * A request head was received. The owner sets `stream.sink` before it returns, and `head.secure`. `head`
   * is valid only during the call. With `Framing.NONE` the sink receives no `onData`.
   */
  onRequest(stream: Stream, head: RequestHead): void;
  /**
   * A request that the engine answers itself (core/http/request-fault). Its body is discarded. Of
   * `head` only the method is certain: an answer to HEAD has no body.
   */
  onRefused(stream: Stream, head: RequestHead, fault: RequestFault): void;
}

/** The stage of a drain. */
const Drain = {
  NONE: 0,
  /** The client was asked to open no more streams; streams that are on their way are accepted. */
  ASKED: 1,
  /** GOAWAY with the last accepted stream was sent. */
  NAMED: 2,
} as const;
type Drain = (typeof Drain)[keyof typeof Drain];

const nothing = Buffer.alloc(0);

/** The session of a client's connection. */
export class ServerSession extends Session {
  readonly #owner: ServerSessionOwner;
  /** The highest stream received, and the highest accepted. */
  #last = 0;
  #lastTaken = 0;
  #drain: Drain = Drain.NONE;

  /** `listBytesMax`: the listener's limit for request heads. */
  constructor(owner: ServerSessionOwner, resources: SessionResources, listBytesMax: number) {
    super(owner, resources, true, listBytesMax, nothing);
    this.#owner = owner;
  }

  /** Sends an interim response (1xx except 101). */
  sendInterim(stream: Stream, head: ResponseHead): void {
    if (stream.isClosed) return;
    this.sender.block(stream.id, this.resources.writer.response(this.encoder, head, ''), false);
  }

  /** Sends the final head of a response. `more`: field lines to add. `last`: no body follows. */
  sendHead(stream: Stream, head: ResponseHead, more: string, last: boolean): void {
    if (stream.isClosed || stream.has(Bit.HEAD_SENT)) return;
    this.#sendBlock(stream, this.resources.writer.response(this.encoder, head, more), last);
  }

  /** Sends the head of umbra's own answer with the field lines `lines`. `last`: no body follows. */
  sendAnswer(stream: Stream, status: number, lines: string, last: boolean): void {
    if (stream.isClosed || stream.has(Bit.HEAD_SENT)) return;
    this.#sendBlock(stream, this.resources.writer.answer(this.encoder, status, lines), last);
  }

  /**
   * Drains in two steps (RFC 9113, section 6.8). The first call announces the end and still accepts streams
   * that are on their way. The second call, or the answer to a PING sent with the first, sends the last
   * accepted stream.
   */
  drain(): void {
    if (this.isOver || this.#drain === Drain.NAMED) return;
    if (this.#drain === Drain.NONE) {
      this.#drain = Drain.ASKED;
      this.sender.goaway(INT31_MAX, ErrorCode.NO_ERROR);
      this.ping();
    } else {
      this.#drain = Drain.NAMED;
      this.sender.goaway(this.#lastTaken, ErrorCode.NO_ERROR);
    }
  }

  /** The drain is complete and no stream is open: the connection may be closed. */
  get isDrained(): boolean {
    return this.#drain === Drain.NAMED && this.open === 0;
  }

  protected override get lastPeerStream(): number {
    return this.#lastTaken;
  }

  protected override isIdle(id: number): boolean {
    return id > this.#last || (id & 1) === 0;
  }

  protected override onPong(): void {
    if (this.#drain === Drain.ASKED) this.drain();
    super.onPong();
  }

  protected override onBlock(block: HeaderBlock): void {
    const id = block.stream;
    const stream = this.streams.get(id);
    if ((id & 1) === 0) this.close(ErrorCode.PROTOCOL_ERROR);
    else if (stream !== null) this.onTrailers(stream, block);
    else if (id <= this.#last) this.onClosedBlock(block);
    else this.#onRequest(block);
  }

  /** GOAWAY of a client concerns streams that a server opens, and there are none. */
  protected override resetAbove(): void {}

  #onRequest(block: HeaderBlock): void {
    const id = block.stream;
    this.#last = id;
    if (this.#drain === Drain.NAMED || this.open >= limits.http2Streams) {
      this.#passOver(block);
      return;
    }
    this.#lastTaken = id;
    const { requestFields } = this.resources;
    requestFields.begin();
    if (!this.decode(block, limits.requestFields, requestFields)) return;
    const verdict = requestFields.complete(block.ends, this.listOverflowed);
    if (verdict === Verdict.MALFORMED || block.dependsOnItself) {
      this.refuse(id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    const { head } = requestFields;
    const stream = new Stream(id, ignoringSink, this.peer.window, this.nowUs);
    stream.set(Bit.HEAD_RECEIVED);
    if (block.ends) stream.set(Bit.PEER_ENDED);
    this.streams.add(stream);
    if (verdict === Verdict.REFUSED) {
      this.#owner.onRefused(stream, head, requestFields.fault);
      return;
    }
    stream.owed = requestFields.length;
    if (head.framing === Framing.NONE) stream.set(Bit.NO_BODY);
    this.#owner.onRequest(stream, head);
  }

  /** Handles a stream after GOAWAY or above the limit: its block is only decoded. */
  #passOver(block: HeaderBlock): void {
    if (!this.decode(block, limits.requestFields, ignoringFields)) return;
    if (this.#drain === Drain.NAMED) {
      this.#owner.onGuard(Guard.CLOSED);
      this.streams.rememberReset(block.stream);
      return;
    }
    this.#owner.onGuard(Guard.STREAMS);
    this.refuse(block.stream, ErrorCode.REFUSED_STREAM);
  }

  #sendBlock(stream: Stream, length: number, last: boolean): void {
    stream.set(Bit.HEAD_SENT);
    if (last) stream.set(Bit.LAST_WRITTEN | Bit.ENDED);
    this.sender.block(stream.id, length, last);
    if (last) this.onStreamSent(stream);
  }
}
