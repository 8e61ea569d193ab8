import type { GrpcCall } from '../grpc/grpc-call.js';
import { Framing } from '../http/message.js';
import type { OutgoingHead } from '../http/request-writer.js';
import type { TimeoutsPlan, VersionPlan } from '../plan.js';
import { Resends } from './resend.js';
import type { Tie } from './tie.js';

/**
 * One request to a version, before it is written in a protocol: its head, its times, and the decisions about
 * sending it again. The owner sets the fields and starts a call with it. It is reused; starting a call again
 * with the same request is its next attempt.
 */
export class UpstreamRequest implements OutgoingHead {
  method = 'GET';
  target = '/';
  host = '';
  fields = '';
  framing: Framing = Framing.NONE;
  contentLength = 0;
  lengthZero = false;
  upgrade = '';
  expectsContinue = false;
  neverIndexed = '';
  /**
   * The gRPC call that this is, or null. Its owner follows the response with it, so that endpoints are judged
   * by its status.
   */
  grpc: GrpcCall | null = null;
  // The times of core/upstream/call-clocks; 0 is no bound.
  requestMs = 0;
  requestUntilEnd = false;
  firstByteMs = 0;
  idleMs = 0;
  totalMs = 0;
  /** The tie of the client's connection, or null when it can't be tied to a connection of the version. */
  tie: Tie | null = null;
  readonly resends = new Resends();

  /**
   * `nameHost` sets a missing host to that of the version's first endpoint. A request of HTTP/1.0 may omit
   * the host, but it is forwarded as HTTP/1.1, which may not (RFC 9112, section 3.2).
   */
  nameHost({ endpoints }: VersionPlan): void {
    if (this.host === '') this.host = endpoints[0]?.authority ?? '';
  }

  /** `judged` returns the status that a complete response with `status` is judged by. */
  judged(status: number): number {
    return this.grpc === null ? status : this.grpc.onEnd(status);
  }

  /** `takeTimeouts` applies the times of a route or a mirror. */
  takeTimeouts({ requestMs, requestUntilEnd, firstByteMs, idleMs, totalMs }: TimeoutsPlan): void {
    this.requestMs = requestMs;
    this.requestUntilEnd = requestUntilEnd;
    this.firstByteMs = firstByteMs;
    this.idleMs = idleMs;
    this.totalMs = totalMs;
  }

  /** `limitTotal` shortens the time of the whole exchange to `totalMs`; null changes nothing. */
  limitTotal(totalMs: number | null): void {
    if (totalMs === null) return;
    // 0 is no bound, and a deadline that is over is one.
    const boundMs = Math.max(1, totalMs);
    if (this.totalMs === 0 || boundMs < this.totalMs) this.totalMs = boundMs;
  }
}
