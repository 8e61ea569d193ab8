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

/** Who owns the connection of a client. */
export interface ServerSessionOwner extends SessionOwner {
  /**
   * A request. The owner sets `stream.sink` before it returns. `head` dies with the call; its `secure` is the
   * owner's to set. With
   * `Framing.NONE` the sink gets no `onData`.
   */
  onRequest(stream: Stream, head: RequestHead): void;
  /**
   * A request that is answered by the engine (core/http/request-fault). What comes of its body is dropped.
   */
  onRefused(stream: Stream, fault: RequestFault): void;
}

/** How far a drain has come. */
const Drain = {
  NONE: 0,
  /** The client was asked to open no more streams; those on their way are taken. */
  ASKED: 1,
  /** The last stream was named. */
  NAMED: 2,
} as const;
type Drain = (typeof Drain)[keyof typeof Drain];

const nothing = Buffer.alloc(0);

/** The connection of a client. */
export class ServerSession extends Session {
  readonly #owner: ServerSessionOwner;
  /** The highest stream that came, and the highest that was taken. */
  #last = 0;
  #lastTaken = 0;
  #drain: Drain = Drain.NONE;

  /** `listBytesMax`: the listener's bound of a request head. */
  constructor(owner: ServerSessionOwner, resources: SessionResources, listBytesMax: number) {
    super(owner, resources, true, listBytesMax, nothing);
    this.#owner = owner;
  }

  /** An interim response (1xx, not 101). */
  sendInterim(stream: Stream, head: ResponseHead): void {
    if (stream.isClosed) return;
    this.sender.block(stream.id, this.resources.writer.response(this.encoder, head, ''), false);
  }

  /** The final head of a response. `more`: field lines that are added to it. `last`: no body follows. */
  sendHead(stream: Stream, head: ResponseHead, more: string, last: boolean): void {
    if (stream.isClosed || stream.has(Bit.HEAD_SENT)) return;
    this.#sendBlock(stream, this.resources.writer.response(this.encoder, head, more), last);
  }

  /** The head of an answer of umbra's own, as `sendHead`. `lines`: its field lines. */
  sendAnswer(stream: Stream, status: number, lines: string, last: boolean): void {
    if (stream.isClosed || stream.has(Bit.HEAD_SENT)) return;
    this.#sendBlock(stream, this.resources.writer.answer(this.encoder, status, lines), last);
  }

  /**
   * Drains in two steps (RFC 9113, section 6.8). The first call asks for no new streams and takes those that
   * are on their way. The second, or the answer to a ping that goes with the first, names the last one.
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

  /** The last stream was named, and all are closed: the connection may be closed. */
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

  /** A client may say where its own end is; there are no streams of ours. */
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
    stream.set(Bit.HEAD_CAME);
    if (block.ends) stream.set(Bit.PEER_ENDED);
    this.streams.add(stream);
    if (verdict === Verdict.REFUSED) {
      this.#owner.onRefused(stream, requestFields.fault);
      return;
    }
    stream.owed = requestFields.length;
    if (head.framing === Framing.NONE) stream.set(Bit.NO_BODY);
    this.#owner.onRequest(stream, head);
  }

  /** A stream above the one that GOAWAY has named, or one too many: its block is decoded, no more. */
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
