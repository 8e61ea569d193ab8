/**
 * The border between who wants a request sent (the proxy's exchange, the shadow's mirrored exchange) and the
 * upstream client. Both roles go through the same client, so their latencies are measured by the same code.
 */
import type { Failure } from '../errors.js';
import type { ResponseHead } from '../http/response-head.js';
import type { UpstreamTunnel } from './tunnel.js';

/**
 * Who awaits a response. Events come in the order
 *   onInterim* (onHead onResponseBody* onResponseTrailers? onEnd | onSwitch | onFailure)
 * and onFailure may also come at any point after onHead.
 * After onEnd, onSwitch or onFailure nothing more comes.
 */
export interface ResponseSink {
  /**
   * Runs `run`, in which the events of one read from the socket are delivered, so that a sink can gather its
   * writes.
   */
  batch(run: () => void): void;
  /** A 1xx that is to be forwarded (a 100 that nobody asked for is swallowed by the client before). */
  onInterim(head: ResponseHead): void;
  /** The final head; it and the bytes it points to die with the call. */
  onHead(head: ResponseHead): void;
  /** The next bytes of the body, without framing; they die with the call. */
  onResponseBody(bytes: Uint8Array): void;
  /** The trailers that go on, if there are any: whole field lines, a wire string. `onEnd` follows. */
  onResponseTrailers(lines: string): void;
  /**
   * In place of `onHead` … `onEnd`, and only for a request that asked for an upgrade: the upstream switched
   * protocols. `head` is its 101 and dies with the call. The connection lives on as `tunnel`, which must be
   * attached or destroyed before this returns; the call is over.
   */
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void;
  /** The response is whole. The measured figures of the call are final. */
  onEnd(): void;
  /** The exchange failed; `headSeen` of the call says whether a head was delivered before. */
  onFailure(failure: Failure): void;
  /** After `write` returned false: more of the request's body may be written. */
  onDrain(): void;
  /**
   * The first byte of the request is about to go to a socket: from here on it counts as sent. Called once,
   * retries included.
   */
  onSent(): void;
}
