import type { ResponseHead } from '../http/response-head.js';
import { limits } from '../limits.js';
import type { ErrorCode } from './error-code.js';
import { ReceiveWindow } from './receive-window.js';

/**
 * The consumer of one stream. On a server it receives the request after its head, on a client the response.
 * All calls happen within a call of the session's owner. Pieces and heads are valid only during the call.
 *
 *   server   (onData* onTrailers? last onData)?            nothing if the request ended with its head
 *   client   onInterim* onHead onData* onTrailers? last onData
 *
 * `onReset` may replace any of these calls. While our side of the stream is open it may also follow the last
 * of them. It is the last call.
 */
export interface StreamSink {
  /** A 1xx response. */
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** The next bytes of the body, or none. `last`: it is complete. */
  onData(piece: Uint8Array, last: boolean): void;
  /** The trailers to forward: whole field lines, a wire string. The last `onData` follows. */
  onTrailers(lines: string): void;
  /** After a write returned `Sent.HELD`, or held a part of the last piece: all held bytes have been sent. */
  onWritable(): void;
  /**
   * The stream ended early: the peer reset it or violated the protocol, or the connection ended
   * (`ErrorCode.LOST`). `unprocessed`: the peer did not process the request, so it may be sent again.
   */
  onReset(code: ErrorCode, unprocessed: boolean): void;
}

/** The state of a stream, as bits. A stream is closed when both sides have ended or it was reset. */
export const Bit = {
  /** The peer's request head or final response head was received. */
  HEAD_RECEIVED: 1,
  PEER_ENDED: 2,
  /** We have sent a request head or a final response head. */
  HEAD_SENT: 4,
  /** Our last frame was written. */
  ENDED: 8,
  /** The owner has written the last piece; some of it may still wait for a window. */
  LAST_WRITTEN: 16,
  RESET: 32,
  /** The consumer accepts nothing: no WINDOW_UPDATE is sent for the stream. */
  PAUSED: 64,
  /** `onWritable` is due. */
  ROOM_OWED: 128,
  /** The stream is in the ring of waiting streams (core/http2/turns). */
  IN_TURNS: 256,
  /** The request is HEAD: its response has no body. */
  TO_HEAD: 512,
  /** The request has no body, so the consumer receives none. */
  NO_BODY: 1024,
  /** It was reset because the peer has broken a rule. */
  BROKEN: 2048,
} as const;

/** The peer announced no length. */
export const ANY_LENGTH = -1;

/** One stream of a session. Only the session changes it, except for `sink`. */
export class Stream {
  readonly id: number;
  bits = 0;
  sink: StreamSink;
  /** The peer's window for this stream; below zero after the peer has reduced its initial window. */
  sendWindow: number;
  /** Our window for this stream. */
  readonly window = new ReceiveWindow(limits.http2StreamWindowBytes);
  /** Bytes left of the peer's Content-Length, or `ANY_LENGTH`. */
  owed = ANY_LENGTH;
  /** Interim responses received. */
  interims = 0;
  /** When a head or body bytes were last received, on the session's clock; for deadlines. */
  receivedUs: number;
  /** Since when held bytes have waited without progress; 0 when nothing is held. */
  blockedSinceUs = 0;
  /** Bytes of `held`: copies of pieces that wait for a window. */
  heldBytes = 0;
  readonly held: Buffer[] = [];
  /** Bytes of the first held piece that were sent. */
  heldFrom = 0;
  /** The trailers that end our side: whole field lines. Empty: DATA ends it. */
  trailers = '';
  /** Neighbours in the ring of waiting streams; the stream itself while it is not in the ring. */
  next: Stream = this;
  previous: Stream = this;
  /** The next stream in the same bucket of the table of streams. */
  chained: Stream | null = null;

  constructor(id: number, sink: StreamSink, sendWindow: number, nowUs: number) {
    this.id = id;
    this.sink = sink;
    this.sendWindow = sendWindow;
    this.receivedUs = nowUs;
  }

  has(bit: number): boolean {
    return (this.bits & bit) !== 0;
  }

  set(bit: number): void {
    this.bits |= bit;
  }

  clear(bit: number): void {
    this.bits &= ~bit;
  }

  get isClosed(): boolean {
    return this.has(Bit.RESET) || (this.has(Bit.ENDED) && this.has(Bit.PEER_ENDED));
  }
}

/** `ignoringSink` discards everything, for streams without a consumer. */
export const ignoringSink: StreamSink = {
  onInterim(): void {},
  onHead(): void {},
  onData(): void {},
  onTrailers(): void {},
  onWritable(): void {},
  onReset(): void {},
};
