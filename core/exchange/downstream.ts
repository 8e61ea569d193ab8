/**
 * The border between a downstream engine (uws, node) and the proxy thread: everything that is peculiar to
 * an engine ends here. All calls are synchronous and on the engine's own thread.
 *
 *   engine --onRequest(head, responder)--> proxy            proxy --sendHead/sendBody/finish--> engine
 *          --sink.onRequestBody / onAborted / onWritable-->               --pauseBody/resumeBody/cut-->
 */
import type { RequestHead } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import type { Tie } from '../upstream/tie.js';
import type { UpstreamTunnel } from '../upstream/tunnel.js';

/** The proxy thread, as an engine sees it. */
export interface RequestHandler {
  /**
   * One request whose head is complete and was checked. `head` and its object are the engine's and die with
   * the call. If `head.framing` is not NONE, the engine calls `onRequestBody` of the returned sink in the
   * same turn of the loop at least once (with an empty piece when nothing has arrived yet), so that the proxy
   * can send head and first piece together.
   */
  onRequest(head: RequestHead, responder: Responder): RequestSink;
}

/** Where an engine delivers the rest of one request. */
export interface RequestSink {
  /**
   * The next piece of the body, without framing. `piece` dies with the call. `last`: the body is complete.
   */
  onRequestBody(piece: Uint8Array, last: boolean): void;
  /**
   * Before the last piece of a chunked body, if it has trailers that go on: whole field lines, a wire string.
   */
  onRequestTrailers(lines: string): void;
  /** The client is gone, or sent a body that can't be understood. The responder is dead from here on. */
  onAborted(): void;
  /** After `sendBody` returned false: there is room again. */
  onWritable(): void;
}

/** An answer that no version gave; `lines` as `Responder.answer` takes them. */
export interface DirectAnswer {
  readonly status: number;
  readonly body: string;
  readonly lines: string;
}

/** The field lines of umbra's own short answers. */
export const PLAIN_TEXT = 'Content-Type: text/plain; charset=utf-8\r\n';

/**
 * Whether a response with this status has neither body nor Content-Length (RFC 9110, sections 6.4.1 and 8.6).
 */
export function hasNoBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/** Takes what a client still sends for a request that was already answered. */
export const ignoredRequest: RequestSink = {
  onRequestBody(): void {},
  onRequestTrailers(): void {},
  onAborted(): void {},
  onWritable(): void {},
};

/**
 * One request's way back to its client. It is dead after `finish`, `answer`, `cut` or `onAborted`: calling it
 * then is a fault. Engines reuse the object for later requests.
 */
export interface Responder {
  /**
   * Ties the client's connection to the upstream connection that carries its login; null where the engine
   * does not know its connections: then no login of a connection can be completed.
   */
  readonly tie: Tie | null;
  /** Runs `run` with everything written in it gathered into as few writes to the socket as possible. */
  batch(run: () => void): void;
  /** An interim (1xx) response head. */
  sendInterim(head: ResponseHead): void;
  /**
   * The final head. The engine takes what it needs from `head` before it returns, leaves out hop-by-hop
   * fields, and frames the body itself: with `head.contentLength` where `head.framing` is LENGTH, else as it
   * must.
   */
  sendHead(head: ResponseHead): void;
  /**
   * True: the final head has not left, and is forgotten; an answer may take its place. False: it has left, or
   * there was none.
   */
  recallHead(): boolean;
  /** The next bytes of the body, copied or sent before it returns. False: send no more until `onWritable`. */
  sendBody(bytes: Uint8Array): boolean;
  /**
   * The trailers: whole field lines, a wire string. `finish` follows. Dropped where the engine or the client
   * can't take them.
   */
  sendTrailers(lines: string): void;
  /**
   * The primary switched protocols, as the request asked by `head.upgrade`: `head` is its 101 and dies with
   * the call. The engine answers the client, attaches itself to `tunnel` or destroys it before it returns,
   * and the two talk without the proxy from here on. The responder is dead.
   */
  switchProtocols(head: ResponseHead, tunnel: UpstreamTunnel): void;
  /** The response is complete, and so is the request. */
  finish(): void;
  /**
   * The response is complete, and the request is not. True: the engine reads on for a bounded time, and
   * delivers the rest of the request to its sink until the last piece or `onAborted`, one of which comes.
   * False: no more will come.
   */
  finishEarly(): boolean;
  /**
   * An answer of umbra's own, in place of all of the above. `lines` are its field lines, each ending in CRLF,
   * a wire string without framing and Date; left out, it is plain text. HEAD, and statuses without a body,
   * are the engine's care.
   */
  answer(status: number, body: string, lines?: string): void;
  /** Closes the client's connection so that its tools see the response as incomplete. */
  cut(): void;
  /** Asks the client to send no more body until `resumeBody`; some may still arrive. */
  pauseBody(): void;
  resumeBody(): void;
  /** The client's address as text, without port; read only when a policy or a log needs it. */
  clientAddress(): string;
  /** The client's port; 0: the engine does not know it, or the client has none. */
  clientPort(): number;
  /**
   * A number that the client's connection has to itself on this thread, not 0; 0: the engine can't
   * distinguish connections.
   */
  connectionKey(): number;
}
