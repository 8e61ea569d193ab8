/** The messages of a recording, in the form that all formats are read into. */

import { digestBody } from '../compare/digest.js';
import type { Failure } from '../errors.js';
import { GRPC_METHOD, isGrpcType } from '../grpc/grpc-method.js';
import { GrpcStatus, grpcOutcome, grpcStatusOfTrailers, httpStatusOfGrpc } from '../grpc/grpc-status.js';
import { ChunkedDecoder } from '../http/chunked.js';
import { withoutFields } from '../http/field-edits.js';
import { fieldValue } from '../http/fields.js';
import { hopByHopFields, listMembers } from '../http/hop-by-hop.js';
import { keepPiece } from '../http/kept-pieces.js';
import { Framing, type RequestParts } from '../http/message.js';
import { RequestFault, requestFaultAnswers } from '../http/request-fault.js';
import { RequestHeadScanner } from '../http/request-head-scanner.js';
import { ResponseFault } from '../http/response-fault.js';
import { Scan } from '../http/scan.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';

export interface RecordedRequest extends RequestParts {
  readonly body: Buffer;
  readonly trailers: string;
  /** The request is a gRPC call, which only goes over HTTP/2. */
  readonly grpc: boolean;
  /** When the messages of a gRPC call came (core/grpc/message-times); empty: that was not recorded. */
  readonly messageTimes: string;
}

export interface RecordedResponse {
  /** The status that the response is judged by: for gRPC that of its `grpcStatus`. */
  readonly status: number;
  /** The status of a gRPC call; `NONE`: it is none, or its status is not known. */
  readonly grpcStatus: GrpcStatus;
  /** Bytes of the body, without framing. */
  readonly bytes: number;
  /** Null: it is not known. */
  readonly digest: number | null;
  /** The body is not all that was sent. */
  readonly truncated: boolean;
  /** -1: not recorded. */
  readonly latencyUs: number;
  /** What is compared with another response; null where the recording has figures only. */
  readonly content: ResponseContent | null;
}

export interface ResponseContent {
  /**
   * `200 OK CRLF name: value CRLF …` without fields of the connection, and with trailers as fields, a wire
   * string.
   */
  readonly head: string;
  /** A view without framing, which the next message of the recording may overwrite. */
  readonly body: Buffer;
  /** The body is longer than what is here. */
  readonly truncated: boolean;
}

/** A message with what the recording says about it. */
export interface RecordedMessage {
  readonly offset: number;
  /** Its name within its recording; a request and its response may share it. */
  readonly id: string;
  /** Names of the other records of its exchange; empty where only the others name it. */
  readonly concurrentTo: readonly string[];
  /** The time on the wall clock; -1 where the recording does not say. */
  readonly timeUs: number;
  readonly route: string;
  /** The key of the mirror's `order`, in hexadecimal; empty: none was recorded. */
  readonly order: string;
  readonly request: RecordedRequest | null;
  readonly response: RecordedResponse | null;
}

/** A request with the response that a recording or a stream has for it. */
export interface RecordedExchange {
  /** When the request came, on the wall clock. */
  readonly timeUs: number;
  readonly route: string;
  /** The key of the mirror's `order`, in hexadecimal; empty: none was recorded. */
  readonly order: string;
  readonly request: RecordedRequest;
  /** Null: it is not in the recording. */
  readonly response: RecordedResponse | null;
  /** Why the primary gave no whole response, where that is known; else -1. */
  readonly primaryFailure: Failure | -1;
}

/** A record that can't be used, with the reason. */
export interface SkippedRecord {
  readonly offset: number;
  readonly reason: string;
}

/** The method by which the request is named: `GRPC` for a gRPC call, all of which are POST. */
export function methodOf({ method, grpc }: RecordedRequest): string {
  return grpc ? GRPC_METHOD : method;
}

const scanner = new RequestHeadScanner();

/**
 * A request as it stands in a recording, strictly: what is skipped could be read in two ways or is not whole.
 */
export function readRequest(block: Buffer): RecordedRequest | string {
  if (scanner.scan(block, 0, block.byteLength, limits.requestHeadBytesMax) !== Scan.DONE) {
    const why =
      scanner.fault === RequestFault.NONE ? 'its head is cut off' : requestFaultAnswers[scanner.fault].code;
    return `not a request that can be sent: ${why}`;
  }
  const { head, length } = scanner;
  // Offers of other protocols are ordinary requests.
  if (listMembers(head.upgrade).has('websocket')) return 'asks for a WebSocket';
  if (head.method === 'CONNECT') return 'asks for a tunnel';
  const rest = block.subarray(length);
  if (head.framing === Framing.NONE && rest.byteLength > 0) return 'has a body without a length';
  if (head.framing === Framing.LENGTH && rest.byteLength !== head.contentLength)
    return `has ${rest.byteLength} bytes of a body of ${head.contentLength}`;
  const decoded =
    head.framing === Framing.CHUNKED ? unchunked(rest) : { body: Buffer.from(rest), trailers: '' };
  if (decoded === null) return 'its chunked body is damaged or cut off';
  const { method, target, host, fields, framing, lengthZero } = head;
  const grpc = method === 'POST' && isGrpcType(fieldValue(fields, 'content-type') ?? '');
  return { method, target, host, fields, framing, lengthZero, grpc, messageTimes: '', ...decoded };
}

/** The status and the body of a response; null: it is none. */
export function readResponse(block: Buffer, truncated: boolean, latencyUs: number): RecordedResponse | null {
  const headEnd = block.indexOf('\r\n\r\n');
  const head = latin1Slice(block, 0, Math.max(0, Math.min(headEnd, limits.responseHeadBytes)));
  const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |\r|$)/.exec(head);
  if (status === null) return null;
  const rest = block.subarray(headEnd + 4);
  const fields = `${head.slice(head.indexOf('\n') + 1)}\r\n`;
  const chunked = fieldValue(fields, 'transfer-encoding')?.toLowerCase() === 'chunked';
  const decoded = chunked ? unchunked(rest) : { body: rest, trailers: '' };
  const body = decoded?.body ?? null;
  const kept = withoutFields(latin1Slice(block, 'HTTP/1.1 '.length, headEnd + 2), hopByHopFields);
  const trailers = decoded?.trailers ?? '';
  const grpcStatus = grpcStatusOf(Number(status[1]), fields, trailers);
  return {
    status: grpcStatus === GrpcStatus.NONE ? Number(status[1]) : httpStatusOfGrpc(grpcStatus),
    grpcStatus,
    bytes: body?.byteLength ?? 0,
    digest: body === null ? 0 : digestBody(body, 0),
    truncated: truncated || body === null,
    latencyUs,
    content: body === null ? null : { head: kept + trailers, body, truncated },
  };
}

/**
 * `response` as one to `request`: a gRPC call that was answered with anything else has a status all the same.
 */
export function asAnswerTo(
  { grpc }: RecordedRequest,
  response: RecordedResponse | null,
): RecordedResponse | null {
  if (!grpc || response === null || response.content === null) return response;
  if (response.grpcStatus !== GrpcStatus.NONE) return response;
  const grpcStatus = grpcOutcome(GrpcStatus.NONE, response.status, false);
  return { ...response, grpcStatus, status: httpStatusOfGrpc(grpcStatus) };
}

/** The status of a response to a gRPC call, from its head or its trailers; `NONE` for any other response. */
function grpcStatusOf(status: number, fields: string, trailers: string): GrpcStatus {
  if (!isGrpcType(fieldValue(fields, 'content-type') ?? '')) return GrpcStatus.NONE;
  const ofTrailers = grpcStatusOfTrailers(trailers);
  const known = ofTrailers === GrpcStatus.NONE ? grpcStatusOfTrailers(fields) : ofTrailers;
  return grpcOutcome(known, status, true);
}

function unchunked(bytes: Buffer): { body: Buffer; trailers: string } | null {
  const decoder = new ChunkedDecoder();
  const pieces: Buffer[] = [];
  const end = decoder.feed(bytes, 0, bytes.byteLength, {
    onBody: (piece) => keepPiece(pieces, piece),
  });
  if (!decoder.done || decoder.fault !== ResponseFault.NONE || end !== bytes.byteLength) return null;
  return { body: Buffer.concat(pieces), trailers: decoder.trailers };
}
