import { Framing } from '../http/message.js';
import type { OutgoingHead } from '../http/request-writer.js';
import { limits } from '../limits.js';
import { ErrorCode } from './error-code.js';
import { INT31_MAX, PREFACE } from './frame.js';
import type { HeaderBlock } from './header-block.js';
import { Session, type SessionOwner } from './session.js';
import type { SessionResources } from './session-resources.js';
import { ANY_LENGTH, Bit, Stream, type StreamSink } from './stream.js';

const INTERIM_END = 200;
const nothing = new Uint8Array(0);

/** The session of a connection to a version. */
export class ClientSession extends Session {
  #next = 1;
  /** The lowest last stream of the peer's GOAWAY frames. */
  #lastAllowed = INT31_MAX;

  constructor(owner: SessionOwner, resources: SessionResources) {
    super(owner, resources, false, limits.responseHeadBytes, PREFACE);
  }

  /** How many streams may be opened now; always 0 after the peer's GOAWAY. */
  get room(): number {
    if (this.isOver || this.isGoingAway || this.#next > INT31_MAX) return 0;
    return Math.max(0, this.peer.streamsMax - this.open);
  }

  /**
   * Opens a stream for a request and writes its head; there must be `room`. With `Framing.NONE` the request
   * is complete, otherwise `write` sends its body.
   */
  request(sink: StreamSink, head: OutgoingHead, isSecure: boolean): Stream {
    if (this.room === 0) throw new Error('no stream may be opened');
    const id = this.#next;
    this.#next += 2;
    const stream = new Stream(id, sink, this.peer.window, this.resources.clock());
    stream.set(Bit.HEAD_SENT);
    if (head.method === 'HEAD') stream.set(Bit.TO_HEAD);
    const last = head.framing === Framing.NONE;
    if (last) stream.set(Bit.LAST_WRITTEN | Bit.ENDED);
    this.streams.add(stream);
    const length = this.resources.writer.request(this.encoder, head, isSecure);
    this.sender.block(id, length, last);
    return stream;
  }

  /** Always 0: servers may not push. */
  protected override get lastPeerStream(): number {
    return 0;
  }

  protected override isIdle(id: number): boolean {
    return id >= this.#next || (id & 1) === 0;
  }

  protected override onBlock(block: HeaderBlock): void {
    const stream = this.streams.get(block.stream);
    if (stream === null) {
      if (this.isIdle(block.stream)) this.close(ErrorCode.PROTOCOL_ERROR);
      else this.onClosedBlock(block);
    } else if (stream.has(Bit.HEAD_RECEIVED)) {
      this.onTrailers(stream, block);
    } else {
      this.#onResponse(stream, block);
    }
  }

  /** The server did not process streams above its last one (RFC 9113, section 6.8). */
  protected override resetAbove(last: number): void {
    this.#lastAllowed = Math.min(this.#lastAllowed, last);
    for (const stream of this.streams.all()) {
      if (stream.id <= this.#lastAllowed || stream.isClosed) continue;
      this.forget(stream);
      stream.sink.onReset(ErrorCode.REFUSED_STREAM, true);
    }
  }

  #onResponse(stream: Stream, block: HeaderBlock): void {
    const { responseFields } = this.resources;
    responseFields.begin();
    if (!this.decode(block, limits.responseFields, responseFields)) return;
    if (this.listOverflowed) {
      this.breakStream(stream, ErrorCode.ENHANCE_YOUR_CALM);
      return;
    }
    if (!responseFields.complete(block.ends, stream.has(Bit.TO_HEAD))) {
      this.breakStream(stream, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    const { head } = responseFields;
    stream.receivedUs = this.nowUs;
    if (head.status < INTERIM_END) {
      if (++stream.interims > limits.interimResponses) this.breakStream(stream, ErrorCode.ENHANCE_YOUR_CALM);
      else stream.sink.onInterim(head);
      return;
    }
    stream.set(Bit.HEAD_RECEIVED);
    if (head.framing === Framing.NONE) stream.owed = 0;
    else stream.owed = head.framing === Framing.LENGTH ? head.contentLength : ANY_LENGTH;
    stream.sink.onHead(head);
    if (block.ends && !stream.isClosed) this.peerEnded(stream, nothing);
  }
}
