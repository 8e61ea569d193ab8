import { type EndpointError, noError } from '../endpoint-cause.js';
import { ResponseFault } from '../http/response-fault.js';
import type { Endpoint } from './endpoint.js';

/**
 * The figures of a call, valid until its next `start`. Times are microseconds on the process-wide time line,
 * and 0 means not yet. Only the call changes them.
 */
export class CallFigures {
  /** When the first byte of the request was about to go to a socket. */
  sentUs = 0;
  /** When the read that completed the final response's head was delivered. Interim responses do not count. */
  firstByteUs = 0;
  /** When the last byte of the response was read, or the exchange failed. */
  endUs = 0;
  /** The status of the final response, once `headSeen`. */
  status = 0;
  /** Bytes of the response's body without framing. */
  responseBytes = 0;
  /** Bytes of the request's body without framing that the owner has written so far. */
  requestBytes = 0;
  /** The endpoint that the request was sent to, or was to be sent to. */
  endpoint: Endpoint | null = null;
  headSeen = false;
  /** The request goes over HTTP/2. */
  readonly http2: boolean;
  /** The connection had carried an exchange before. */
  reused = false;
  /** The rule that the response broke, after failure `protocol`. */
  fault: ResponseFault = ResponseFault.NONE;
  /** What the last attempt's endpoint failed for; `noError` after any other end. */
  error: EndpointError = noError;

  constructor(http2: boolean) {
    this.http2 = http2;
  }

  begin(): void {
    this.sentUs = 0;
    this.firstByteUs = 0;
    this.endUs = 0;
    this.status = 0;
    this.responseBytes = 0;
    this.requestBytes = 0;
    this.endpoint = null;
    this.headSeen = false;
    this.reused = false;
    this.fault = ResponseFault.NONE;
    this.error = noError;
  }

  /** The head of the final response arrived in the read at `readUs`. */
  answered(status: number, readUs: number): void {
    this.firstByteUs = readUs;
    this.status = status;
    this.headSeen = true;
    this.error = noError;
  }
}
