/**
 * The border between the senders of requests (the proxy's exchange, the shadow's mirrored exchange) and the
 * upstream client. Both use the same client, so their latencies are measured by the same code.
 */
import type { Failure } from '../errors.js';
import type { ResponseHead } from '../http/response-head.js';
import type { UpstreamTunnel } from './tunnel.js';

/**
 * Receives a response. Events arrive in the order
 *   onInterim* (onHead onResponseBody* onResponseTrailers? onEnd | onSwitch | onFailure)
 * and onFailure may also arrive at any point after onHead.
 * Nothing follows onEnd, onSwitch or onFailure.
 */
export interface ResponseSink {
  /**
   * Runs `run`, which delivers the events of one read from the socket, so that a sink can gather its writes.
   */
  batch(run: () => void): void;
  /** A 1xx that is forwarded. The client has already removed a 100 that nobody asked for. */
  onInterim(head: ResponseHead): void;
  /** The final head. It and its bytes are valid during the call only. */
  onHead(head: ResponseHead): void;
  /** The next bytes of the body, without framing, valid during the call only. */
  onResponseBody(bytes: Uint8Array): void;
  /** The forwarded trailers, if any: whole field lines, a wire string. `onEnd` follows. */
  onResponseTrailers(lines: string): void;
  /**
   * Replaces `onHead` … `onEnd` for a request that asked for an upgrade: the upstream switched protocols.
   * `head` is its 101 and is valid during the call only. The connection becomes `tunnel`, which must be
   * attached or destroyed before this returns; the call has ended.
   */
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void;
  /** The response is complete. The measured figures of the call are final. */
  onEnd(): void;
  /** The exchange failed. `headSeen` of the call is true if a head was delivered before. */
  onFailure(failure: Failure): void;
  /** More of the request's body may be written after `write` returned false. */
  onDrain(): void;
  /**
   * The first byte of the request is about to go to a socket, so it counts as sent. Called once, whatever the
   * retries.
   */
  onSent(): void;
}
