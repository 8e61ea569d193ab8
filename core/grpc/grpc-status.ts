/**
 * The outcome of a gRPC call (grpc.io, "Status codes and their use in gRPC"). The server sends it as the
 * field `grpc-status`: in the trailers, or in the head of an answer without messages ("Trailers-Only").
 */
import type { ResponseHead } from '../http/response-head.js';

/** By number. */
export const grpcStatusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;
export type GrpcStatusName = (typeof grpcStatusNames)[number];

export const GrpcStatus = {
  /** Sentinel: the response is not gRPC, or its status has not arrived. */
  NONE: -1,
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
/** A number from -1 to 16. */
export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

/** The HTTP status of each gRPC status, by number (google/rpc/code.proto). */
const httpStatuses: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/**
 * The gRPC status of umbra's own answers, by HTTP status. It follows "HTTP to gRPC Status Code Mapping" of
 * gRPC and Envoy, except where umbra knows more than a client that sees an HTTP status: a timeout is
 * DEADLINE_EXCEEDED, and a message that exceeds a limit is RESOURCE_EXHAUSTED.
 */
const grpcStatuses: ReadonlyMap<number, GrpcStatus> = new Map<number, GrpcStatus>([
  [400, GrpcStatus.INTERNAL],
  [401, GrpcStatus.UNAUTHENTICATED],
  [403, GrpcStatus.PERMISSION_DENIED],
  [404, GrpcStatus.UNIMPLEMENTED],
  [408, GrpcStatus.DEADLINE_EXCEEDED],
  [413, GrpcStatus.RESOURCE_EXHAUSTED],
  [429, GrpcStatus.UNAVAILABLE],
  [431, GrpcStatus.RESOURCE_EXHAUSTED],
  [499, GrpcStatus.CANCELLED],
  [502, GrpcStatus.UNAVAILABLE],
  [503, GrpcStatus.UNAVAILABLE],
  [504, GrpcStatus.DEADLINE_EXCEEDED],
]);

/**
 * Statuses that a server, or a gateway before it, may give to any path: without the method, without
 * credentials, under load, and in place of a call that ended early.
 */
const withoutMethod: ReadonlySet<GrpcStatus> = new Set([
  GrpcStatus.NONE,
  GrpcStatus.CANCELLED,
  GrpcStatus.DEADLINE_EXCEEDED,
  GrpcStatus.PERMISSION_DENIED,
  GrpcStatus.RESOURCE_EXHAUSTED,
  GrpcStatus.UNIMPLEMENTED,
  GrpcStatus.UNAVAILABLE,
  GrpcStatus.UNAUTHENTICATED,
]);

const FIELD = 'grpc-status';
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
const OK_STATUS = 200;

/** The gRPC status of an answer of umbra's own that would have `httpStatus` over HTTP. */
export function grpcStatusOfHttp(httpStatus: number): GrpcStatus {
  return grpcStatuses.get(httpStatus) ?? GrpcStatus.UNKNOWN;
}

/**
 * The HTTP status that stands for a gRPC status where responses are judged: by breakers, ejection, retries,
 * guards and verdicts (docs/decisions/088). 499 for CANCELLED is not an error of the version.
 */
export function httpStatusOfGrpc(status: GrpcStatus): number {
  return httpStatuses[status] ?? OK_STATUS;
}

/** `OK`, `NOT_FOUND`; empty for `NONE`. */
export function grpcStatusName(status: GrpcStatus): string {
  return grpcStatusNames[status as number] ?? '';
}

/** The status called `name`, as in `NOT_FOUND`. */
export function grpcStatusOfName(name: GrpcStatusName): GrpcStatus {
  return grpcStatusNames.indexOf(name) as GrpcStatus;
}

/** The status in a response head, or `NONE`. Any thread; allocates nothing without such a field. */
export function grpcStatusOfHead(head: ResponseHead): GrpcStatus {
  const value = head.fieldValue(FIELD);
  return value === null ? GrpcStatus.NONE : parseGrpcStatus(value);
}

/** The status in the lines of a trailer section, a wire string, or `NONE`. */
export function grpcStatusOfTrailers(lines: string): GrpcStatus {
  let at = 0;
  while (at < lines.length) {
    const lf = lines.indexOf('\n', at);
    const end = lf < 0 ? lines.length : lf;
    if (lines.charCodeAt(at + FIELD.length) === COLON && isField(lines, at)) {
      return parseGrpcStatus(lines.slice(at + FIELD.length + 1, end).trim());
    }
    at = end + 1;
  }
  return GrpcStatus.NONE;
}

/** A value of `grpc-status`. A value that is not a status is UNKNOWN, as clients treat it. */
export function parseGrpcStatus(value: string): GrpcStatus {
  const { length } = value;
  if (length === 0 || length > 2) return GrpcStatus.UNKNOWN;
  let number = 0;
  for (let at = 0; at < length; at++) {
    const code = value.charCodeAt(at);
    if (code < ZERO || code > NINE) return GrpcStatus.UNKNOWN;
    number = number * 10 + code - ZERO;
  }
  return number < grpcStatusNames.length ? (number as GrpcStatus) : GrpcStatus.UNKNOWN;
}

/** True for a `grpc-status` that only a server gives that has the method. `NONE`: there was no such field. */
export function isStatusOfMethod(status: GrpcStatus): boolean {
  return !withoutMethod.has(status);
}

/**
 * The outcome of a response that is complete: its `grpc-status`, or what gRPC clients make of one that has
 * none. `contentIsGrpc`: the response's Content-Type is gRPC's.
 */
export function grpcOutcome(status: GrpcStatus, httpStatus: number, contentIsGrpc: boolean): GrpcStatus {
  if (status !== GrpcStatus.NONE) return status;
  if (httpStatus === OK_STATUS || contentIsGrpc) return GrpcStatus.UNKNOWN;
  return statusOfForeignAnswer(httpStatus);
}

/** What gRPC clients make of an HTTP status without `grpc-status` ("HTTP to gRPC Status Code Mapping"). */
function statusOfForeignAnswer(httpStatus: number): GrpcStatus {
  switch (httpStatus) {
    case 408:
    case 413:
    case 499:
      return GrpcStatus.UNKNOWN;
    case 431:
      return GrpcStatus.INTERNAL;
    case 504:
      return GrpcStatus.UNAVAILABLE;
    default:
      return grpcStatusOfHttp(httpStatus);
  }
}

function isField(lines: string, at: number): boolean {
  return lines.startsWith(FIELD, at) || lines.slice(at, at + FIELD.length).toLowerCase() === FIELD;
}
