import type { ResponseHead } from '../http/response-head.js';
import { limits } from '../limits.js';
import type { ErrorCode } from './error-code.js';
import { ReceiveWindow } from './receive-window.js';

/**
 * Who takes what comes on one stream: of a server the request behind its head, of a client the response. All
 * calls are made within a call of the session's owner, and pieces and heads die with the call.
 *
 *   server   (onData* onTrailers? last onData)?            none if the request ended with its head
 *   client   onInterim* onHead onData* onTrailers? last onData
 *
 * `onReset` may come in place of any of them, and as long as our side of the stream is not over also behind
 * them. After it nothing comes.
 */
export interface StreamSink {
  /** A 1xx response. */
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** The next bytes of the body, or none. `last`: it is complete. */
  onData(piece: Uint8Array, last: boolean): void;
  /** The trailers that go on: whole field lines, a wire string. The last `onData` follows. */
  onTrailers(lines: string): void;
  /** After a write was answered with `Sent.HELD`: all that was held is gone. */
  onWritable(): void;
  /**
   * The stream is over: the peer reset it, it broke the protocol, or the connection ended (`ErrorCode.LOST`).
   * `unprocessed`: the peer has done nothing with it, so it may be sent once more.
   */
  onReset(code: ErrorCode, unprocessed: boolean): void;
}

/** What has happened to a stream; bits. It is closed when both sides have ended. */
export const Bit = {
  /** The final head of the peer came; of a request it is the only one. */
  HEAD_CAME: 1,
  PEER_ENDED: 2,
  /** We have sent a head, and of a response the final one. */
  HEAD_SENT: 4,
  /** Our last frame was put out. */
  ENDED: 8,
  /** Nothing more may be written, though some of it waits for a window. */
  LAST_WRITTEN: 16,
  RESET: 32,
  /** The consumer takes nothing: the stream's window is not opened again. */
  PAUSED: 64,
  /** `onWritable` is owed. */
  ROOM_OWED: 128,
  /** Waits for its turn to send (core/http2/turns). */
  IN_TURNS: 256,
  /** The request is HEAD: its response has no body. */
  TO_HEAD: 512,
  /** The consumer gets no body, as the request's head announced none. */
  NO_BODY: 1024,
} as const;

/** The peer's body may have any length. */
export const ANY_LENGTH = -1;

/** One stream of a session. The session alone changes it. */
export class Stream {
  readonly id: number;
  bits = 0;
  sink: StreamSink;
  /** Bytes that the peer takes; below zero after it has made its window smaller. */
  sendWindow: number;
  /** What the peer may send. */
  readonly window = new ReceiveWindow(limits.http2StreamWindowBytes);
  /** Bytes that the peer's Content-Length leaves; `ANY_LENGTH`: it has sent none. */
  owed = ANY_LENGTH;
  /** Interim responses that came. */
  interims = 0;
  /** When something last came on it, on the clock of the session; for deadlines. */
  cameUs: number;
  /** Since when its held bytes have waited without any of them going; 0: nothing waits. */
  waitsSinceUs = 0;
  /** Bytes that wait for a window, in copies. */
  heldBytes = 0;
  readonly held: Buffer[] = [];
  /** Bytes of the first of them that are gone. */
  heldFrom = 0;
  /** Trailers that end our side: whole field lines; empty: DATA ends it. */
  trailers = '';
  /** Neighbours in a ring of streams that wait; this stream itself while it does not. */
  next: Stream = this;
  previous: Stream = this;

  constructor(id: number, sink: StreamSink, sendWindow: number, nowUs: number) {
    this.id = id;
    this.sink = sink;
    this.sendWindow = sendWindow;
    this.cameUs = nowUs;
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

/** Takes nothing: of streams that nobody wants any more. */
export const ignoringSink: StreamSink = {
  onInterim(): void {},
  onHead(): void {},
  onData(): void {},
  onTrailers(): void {},
  onWritable(): void {},
  onReset(): void {},
};
