/**
 * A copy as one message of a stream, and back.
 *
 *   header Nats-Msg-Id   names the message: one that is published anew is stored once (JetStream)
 *   header Umbra         1; route=NAME; at-us=N; order=HEX; status=N; grpc-status=N; latency-us=N; bytes=N;
 *                        digest=HEX; failure=REASON; request-bytes=N; withheld; truncated;
 *                        request-message-us=N N …; response-message-us=N N …
 *   payload              the request as an HTTP/1.1 message, and behind it, where asked, the primary's
 *                        response as another
 *
 * `1` is the format. `at-us` is when the request came, on the wall clock; `order` is the key of the mirror's
 * `order`. `status` to `digest` are of the primary's whole response: latency from the first byte sent to the
 * last one received, size and CRC-32 of the body without framing; `failure` stands there instead where it had
 * none, and neither where nothing is known of it. `grpc-status` is that of a gRPC call, and `status` the HTTP
 * status that stands for it. `request-bytes` is where the response begins; `withheld`: the request's body is
 * left out, because redaction could not look into it; `truncated`: the response's body is not whole;
 * `request-message-us` and `response-message-us`: when the messages of a gRPC call came
 * (core/grpc/message-times). What is not known stands not there. A payload without the header is a request
 * alone.
 */
import { type Failure, failureReasons, none } from '../errors.js';
import { GrpcStatus, parseGrpcStatus } from '../grpc/grpc-status.js';
import { checkedTimes } from '../grpc/message-times.js';
import { blockBytes, requestBlock, responseBlock, writeBlock } from '../recording/http-block.js';
import {
  type RecordedExchange,
  type RecordedResponse,
  readRequest,
  readResponse,
} from '../recording/recorded.js';
import type { Redactor } from '../recording/redactor.js';
import {
  hides,
  type ShownRequest,
  type ShownResponse,
  safeRequest,
  safeResponse,
  wholeRequest,
  wholeResponse,
} from '../recording/shown.js';
import type { Copy, PrimaryOutcome } from '../sink/sink.js';

const format = '1';

export interface StreamMessage {
  /** The value of the header `Umbra`. */
  readonly about: string;
  readonly payload: Buffer;
}

/** `atUs`: when the request came, on the wall clock. Nothing secret is in what is returned. */
export function encodeMessage(copy: Copy, redactor: Redactor, atUs: number): StreamMessage {
  const request = wholeRequest(copy);
  const response = copy.response === null ? null : wholeResponse(copy.response);
  const asItCame = messageOf(copy, request, response, atUs);
  // A payload that the pre-filter passes need not be taken apart.
  const { payload } = asItCame;
  if (redactor.isHarmless(payload, 0, payload.byteLength)) return asItCame;
  const safe = safeRequest(copy, redactor);
  const safely = response === null ? null : safeResponse(response, redactor);
  if (hides(request, safe) || (response !== null && hides(response, safely!))) copy.redacted();
  return messageOf(copy, safe, safely, atUs);
}

function messageOf(
  copy: Copy,
  request: ShownRequest,
  response: ShownResponse | null,
  atUs: number,
): StreamMessage {
  const block = requestBlock(copy, request);
  const answer = response === null ? null : responseBlock(copy.response!, response, copy.method);
  const requestBytes = blockBytes(block);
  const payload = Buffer.allocUnsafe(requestBytes + (answer === null ? 0 : blockBytes(answer)));
  writeBlock(block, payload, 0);
  if (answer !== null) writeBlock(answer, payload, requestBytes);
  const about =
    `${format}; route=${copy.route}; at-us=${Math.round(atUs)}` +
    (copy.orderKey === 0 ? '' : `; order=${copy.orderKey.toString(16)}`) +
    aboutTimes('request-message-us', copy.messageTimes) +
    aboutTimes('response-message-us', copy.response?.messageTimes ?? '') +
    aboutPrimary(copy.primary) +
    (answer === null ? '' : `; request-bytes=${requestBytes}`) +
    (request.content.withheld === true ? '; withheld' : '') +
    (copy.response?.truncated || response?.content.withheld ? '; truncated' : '');
  return { about, payload };
}

function aboutTimes(name: string, times: string): string {
  return times === '' ? '' : `; ${name}=${times}`;
}

function aboutPrimary(primary: PrimaryOutcome | null): string {
  if (primary === null) return '';
  if (primary.failure !== none) return `; failure=${failureReasons[primary.failure]}`;
  const { status, grpcStatus, latencyUs, responseBytes, bodyDigest } = primary;
  const grpc = grpcStatus === GrpcStatus.NONE ? '' : `; grpc-status=${grpcStatus}`;
  const digest = bodyDigest === null ? '' : `; digest=${bodyDigest.toString(16)}`;
  return `; status=${status}${grpc}; latency-us=${Math.round(latencyUs)}; bytes=${responseBytes}${digest}`;
}

/** What `encodeMessage` made, or why it is nothing that can be sent. */
export function decodeMessage(about: string, payload: Buffer): RecordedExchange | string {
  const words = about === '' ? [format] : about.split('; ');
  if (words[0] !== format) return `it is of format ${words[0]}, which this umbra does not know`;
  const values = new Map<string, string>();
  for (const word of words.slice(1)) {
    const sign = word.indexOf('=');
    values.set(sign < 0 ? word : word.slice(0, sign), sign < 0 ? '' : word.slice(sign + 1));
  }
  if (values.has('withheld')) return 'its body was not recorded';
  const requestBytes = numberOf(values, 'request-bytes') ?? payload.byteLength;
  const request = readRequest(payload.subarray(0, requestBytes));
  if (typeof request === 'string') return request;
  return {
    timeUs: numberOf(values, 'at-us') ?? -1,
    route: values.get('route') ?? '',
    order: values.get('order') ?? '',
    request: { ...request, messageTimes: checkedTimes(values.get('request-message-us')) },
    response: responseOf(values, payload.subarray(requestBytes)),
    primaryFailure: failureReasons.indexOf(values.get('failure') as never) as Failure | -1,
  };
}

/** `block`: the response as it was recorded; empty where it was not. */
function responseOf(values: ReadonlyMap<string, string>, block: Buffer): RecordedResponse | null {
  const status = numberOf(values, 'status');
  const bytes = numberOf(values, 'bytes');
  if (status === null || bytes === null || status < 100 || status > 599) return null;
  const digest = values.get('digest') ?? '';
  const truncated = values.has('truncated');
  return {
    status,
    grpcStatus: values.has('grpc-status') ? parseGrpcStatus(values.get('grpc-status')!) : GrpcStatus.NONE,
    bytes,
    digest: /^[0-9a-f]{1,8}$/.test(digest) ? Number.parseInt(digest, 16) : null,
    truncated,
    latencyUs: numberOf(values, 'latency-us') ?? -1,
    content: readResponse(block, truncated, -1)?.content ?? null,
  };
}

function numberOf(values: ReadonlyMap<string, string>, name: string): number | null {
  const text = values.get(name) ?? '';
  return /^\d{1,16}$/.test(text) ? Number(text) : null;
}
