/**
 * The details of a response in access logs, in the words of Envoy's `%RESPONSE_CODE_DETAILS%` where it has
 * one ("HTTP response code details" of its documentation): who answered, and why. They hold no blanks.
 */

import { Cause, causes, type EndpointError } from '../endpoint-cause.js';
import { Failure, failureReasons } from '../errors.js';

export const ResponseDetails = {
  VIA_UPSTREAM: 'via_upstream',
  NO_ROUTE: 'route_not_found',
  DIRECT: 'direct_response',
  FAULT: 'fault_filter_abort',
} as const;

/** Details that do not depend on the endpoint. */
const byFailure: ReadonlyMap<Failure, string> = new Map([
  [Failure.NO_ENDPOINT, 'no_healthy_upstream'],
  [Failure.TIMEOUT, 'upstream_response_timeout'],
  [Failure.UNREAD, 'upstream_request_timeout'],
  [Failure.ABORTED, 'downstream_remote_disconnect'],
  [Failure.BODY_TOO_LARGE, 'request_payload_too_large'],
  [Failure.RESPONSE_TOO_LARGE, 'response_payload_too_large'],
  [Failure.SLOW_CLIENT, 'request_timeout'],
  [Failure.SLOW_READER, 'stream_idle_timeout'],
  [Failure.MALFORMED_BODY, 'codec_error'],
]);

/** What ended the connection, in Envoy's words for why a stream was reset. */
const resets: ReadonlyMap<Failure, string> = new Map([
  [Failure.CONNECT, 'remote_connection_failure'],
  [Failure.TLS, 'remote_connection_failure'],
  [Failure.OUT_OF_RESOURCES, 'local_connection_failure'],
  [Failure.RESET, 'connection_termination'],
  [Failure.PROTOCOL, 'protocol_error'],
  [Failure.OVERLOADED, 'overflow'],
]);

/**
 * `responseDetails` returns the details of an exchange that ended with `failure`, -1 for none, for `error` of
 * its endpoint. `began`: the head of the response had gone to the client.
 */
export function responseDetails(failure: Failure | -1, began: boolean, error: EndpointError): string {
  if (failure < 0) return ResponseDetails.VIA_UPSTREAM;
  const plain = byFailure.get(failure as Failure);
  if (plain !== undefined) return plain;
  const reset = resets.get(failure as Failure);
  if (reset === undefined) return failureReasons[failure]!.replaceAll('-', '_');
  const when = began ? 'after' : 'before';
  return `upstream_reset_${when}_response_started{${reset}${causeOf(error)}}`;
}

function causeOf({ cause, errno }: EndpointError): string {
  if (cause === Cause.NONE) return '';
  return `|${causes[cause]!.code}${errno === '' ? '' : `|${errno}`}`;
}
