import { Framing } from '../http/message.js';
import type { OutgoingHead } from '../http/request-writer.js';
import { Resends } from './resend.js';

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
  /** Bounds the whole attempt, the wait for a connection included. */
  timeoutMs = 0;
  /**
   * From when the kernel has the last byte of the request to the head of the response; 0: only `timeoutMs`
   * does.
   */
  firstByteTimeoutMs = 0;
  readonly resends = new Resends();
}
