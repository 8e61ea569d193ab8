/**
 * The border between a downstream engine (uws, node) and the proxy thread: nothing that is specific to an
 * engine passes it. All calls are synchronous and on the engine's own thread.
 *
 *   engine --onRequest(head, responder)--> proxy            proxy --sendHead/sendBody/finish--> engine
 *          --sink.onRequestBody / onAborted / onWritable-->               --pauseBody/resumeBody/cut-->
 */
import type { Failure } from '../errors.js';
import type { RequestHead } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import type { Tie } from '../upstream/tie.js';
import type { UpstreamTunnel } from '../upstream/tunnel.js';

/** The proxy thread, as an engine sees it. */
export interface RequestHandler {
  /**
   * Handles one request whose head is complete and valid. `head` belongs to the engine and is valid during
   * the call only. If `head.framing` is not NONE, the engine calls `onRequestBody` of the returned sink at
   * least once in the same turn of the event loop, with an empty piece when nothing has arrived yet. So the
   * proxy can send the head and the first piece together.
   */
  onRequest(head: RequestHead, responder: Responder): RequestSink;
}

/** Takes the rest of one request from an engine. */
export interface RequestSink {
  /**
   * The next piece of the body, without framing, valid during the call only. With `last` the body is
   * complete.
   */
  onRequestBody(piece: Uint8Array, last: boolean): void;
  /** The forwarded trailers of a chunked body, before its last piece: whole field lines, a wire string. */
  onRequestTrailers(lines: string): void;
  /**
   * The request or its response can't be completed, for `reason`, which is `ABORTED` when the client is gone.
   * The responder must not be used any more.
   */
  onAborted(reason: Failure): void;
  /** There is room again after `sendBody` returned false. */
  onWritable(): void;
  /**
   * Returns the trailers that end a response which has begun and fails for `reason`, as for `Responder.cut`.
   */
  lastWords(reason: Failure): string;
}

/** An answer that no version sent. `lines` are as in `Responder.answer`. */
export interface DirectAnswer {
  readonly status: number;
  readonly body: string;
  readonly lines: string;
}

/** The field lines of umbra's own short answers. */
export const PLAIN_TEXT = 'Content-Type: text/plain; charset=utf-8\r\n';

/**
 * `hasNoBody` returns true when a response with this status has neither body nor Content-Length (RFC 9110,
 * sections 6.4.1 and 8.6).
 */
export function hasNoBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/** Ignores what a client still sends for a request that was already answered. */
export const ignoredRequest: RequestSink = {
  onRequestBody(): void {},
  onRequestTrailers(): void {},
  onAborted(): void {},
  onWritable(): void {},
  lastWords: () => '',
};

/**
 * Sends the response to one request to its client. It must not be used after `finish`, `answer`, `cut` or
 * `onAborted`. Engines reuse the object for later requests.
 */
export interface Responder {
  /**
   * Ties the client's connection to the upstream connection that carries its login. It is null when the
   * engine does not know its connections; then no login of a connection can be completed.
   */
  readonly tie: Tie | null;
  /** Runs `run` and gathers everything it writes into as few writes to the socket as possible. */
  batch(run: () => void): void;
  /** Sends an interim (1xx) response head. */
  sendInterim(head: ResponseHead): void;
  /**
   * Sends the final head. The engine reads `head` before it returns, leaves out hop-by-hop fields, and frames
   * the body itself: with `head.contentLength` if `head.framing` is LENGTH, else as the protocol requires.
   */
  sendHead(head: ResponseHead): void;
  /**
   * Returns true when the final head has not left and is discarded, so that an answer may replace it. Returns
   * false when it has left, or there was none.
   */
  recallHead(): boolean;
  /** Sends or copies the next bytes of the body before it returns. False: send no more until `onWritable`. */
  sendBody(bytes: Uint8Array): boolean;
  /**
   * Sends the trailers: whole field lines, a wire string. `finish` follows. They are dropped if the engine or
   * the client can't take them.
   */
  sendTrailers(lines: string): void;
  /**
   * The primary switched protocols, as `head.upgrade` of the request asked. `head` is its 101 and is valid
   * during the call only. Before it returns, the engine answers the client and attaches itself to `tunnel` or
   * destroys it. From then on the two exchange bytes without the proxy, and the responder must not be used.
   */
  switchProtocols(head: ResponseHead, tunnel: UpstreamTunnel): void;
  /** The response and the request are complete. */
  finish(): void;
  /**
   * The response is complete, but the request is not. If this returns true, the engine reads on for a bounded
   * time and delivers the rest of the request to its sink, until the last piece or `onAborted`. If it returns
   * false, nothing more arrives.
   */
  finishEarly(): boolean;
  /**
   * Sends an answer of umbra's own instead of all of the above. `lines` are its field lines, each ending in
   * CRLF: a wire string without framing and Date. Without `lines` it is plain text. The engine handles HEAD
   * and statuses without a body.
   */
  answer(status: number, body: string, lines?: string): void;
  /**
   * Ends the response in such a way that the client sees it as incomplete. `trailers` say so to a client that
   * reads the outcome there: whole field lines, a wire string, empty for all others. An engine that has none,
   * or can't send them, closes the connection or resets the stream.
   */
  cut(trailers?: string): void;
  /** Asks the client to send no more body until `resumeBody`. Some may still arrive. */
  pauseBody(): void;
  resumeBody(): void;
  /** The client's address as text, without the port. It is read only when a policy or a log needs it. */
  clientAddress(): string;
  /** The client's port; 0 when the engine does not know it or the client has none. */
  clientPort(): number;
  /**
   * Returns a number that is unique to the client's connection on this thread, or 0 when the engine can't
   * distinguish connections.
   */
  connectionKey(): number;
}
