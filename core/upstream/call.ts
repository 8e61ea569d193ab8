import type { CallFigures } from './call-figures.js';
import type { VersionPool } from './pool.js';
import type { UpstreamRequest } from './upstream-request.js';

/**
 * One attempt of a request to a version, with its response: the same for every protocol, for the proxy
 * (primary) and the shadow thread (shadow) alike. `calls.ts` chooses the class. A call reports to the
 * `ResponseSink` that it was created with, and is reused: call `start` again after `onEnd`, `onFailure` or
 * `cancel`. It belongs to the thread of its pool. The sink is never called from within `start` or `write`,
 * except for `onSent`.
 *
 * Within an attempt the request may go to another endpoint or to a new connection, as core/upstream/resend
 * decides. Only a request that is still in memory can be sent again.
 */
export interface Call {
  readonly figures: Readonly<CallFigures>;
  /**
   * Bytes of the request that are kept: for a connection, for an upstream that does not read, or for a second
   * sending.
   */
  readonly heldBytes: number;
  /**
   * `start` sends `request`, which must not change until the call has ended. With `Framing.NONE` it is sent
   * at once. Otherwise it is held until the first `write`, which the owner must make in this turn of the
   * loop. A failure that is found at once (no endpoint, a full queue) is delivered after the running callback
   * has returned. With `upgrade` the sink gets `onSwitch`; with `expectsContinue` it gets the 100 as an
   * interim response.
   */
  start(pool: VersionPool, request: UpstreamRequest): void;
  /**
   * `write` copies or sends the next piece of the request's body before it returns. With `last` the body is
   * complete. After false, wait for `onDrain`; further pieces are kept up to `limits.heldBodyBytes`, above
   * which the call fails with `overloaded`. A body that does not have its Content-Length fails with
   * `malformed-body`, because the request can't be completed. After the call has ended, pieces are ignored
   * and true is returned.
   */
  write(piece: Uint8Array, last: boolean): boolean;
  /**
   * `trailers` sets the trailers of a body without a length: whole field lines, a wire string. The last
   * `write` must follow.
   */
  trailers(lines: string): void;
  /** `pauseResponse` applies backpressure from the client. Little more than one read is still delivered. */
  pauseResponse(): void;
  resumeResponse(): void;
  /** `cancel` ends the call without further events. */
  cancel(): void;
  /**
   * `abandon` cancels after the head of a response arrived, and counts what its status reports about the
   * endpoint.
   */
  abandon(): void;
  /** `expire` fails the call with `timeout`, within this method. Ignored when there is no exchange. */
  expire(): void;
}
