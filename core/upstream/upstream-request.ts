import { Framing } from '../http/message.js';
import type { OutgoingHead } from '../http/request-writer.js';
import type { TimeoutsPlan, VersionPlan } from '../plan.js';
import { Resends } from './resend.js';
import type { Tie } from './tie.js';

/**
 * One request to a version, before it has a protocol: its head, its times, and what was decided about sending
 * it again. The owner fills it in and starts a call with it. Reused; a call that is started once more with
 * the same request is its next attempt.
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
  // The times of core/upstream/call-clocks; 0: no bound.
  requestMs = 0;
  firstByteMs = 0;
  idleMs = 0;
  totalMs = 0;
  /** The tie of the client's connection; null: it can't be tied to a connection of the version. */
  tie: Tie | null = null;
  readonly resends = new Resends();

  /**
   * A request of HTTP/1.0 may leave its host out, and goes on as HTTP/1.1, which must not (RFC 9112, section
   * 3.2): it names the first endpoint of its version.
   */
  nameHost({ endpoints }: VersionPlan): void {
    if (this.host === '') this.host = endpoints[0]?.authority ?? '';
  }

  /** Takes over the times of a route or a mirror. */
  takeTimeouts({ requestMs, firstByteMs, idleMs, totalMs }: TimeoutsPlan): void {
    this.requestMs = requestMs;
    this.firstByteMs = firstByteMs;
    this.idleMs = idleMs;
    this.totalMs = totalMs;
  }
}
