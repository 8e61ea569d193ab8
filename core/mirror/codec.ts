/**
 * Encodes a mirrored request as frames, and decodes it. HEAD carries the request as it was before any change
 * for the primary, so that all work for the copy (host, header edits) is done on the shadow thread.
 *
 *   HEAD payload      0  f64  offered at, us (core/clock)
 *                     8  f64  content length
 *                    16  u32  framing; bit 8: `Content-Length: 0` was sent; bit 9: a gRPC call; from bit
 *                             16: bytes of names
 *                    20  u32  method bytes   24  u32  target bytes
 *                    28  u32  host bytes     32  u32  fields bytes
 *                    36  u32  order key, 0 for none
 *                    40  method, target, host, fields, names of never-indexed fields: one wire string
 *   OUTCOME payload   0  f64  latency, us    8  f64  first byte, us  16  f64  response bytes
 *                    24  u32  status         28  u32  failure + 1, 0 for none
 *                    32  u32  body digest    36  u32  fields digest     40  u32  `Seen` bits
 *                    44  u32  gRPC status + 1, 0 for none
 *   BODY payload         the bytes of one piece; END and ABORT have none
 *   RESPONSE_HEAD, RESPONSE_BODY, RESPONSE_TRAILERS
 *                        the primary's response, as far as it is captured: head, pieces, field lines
 *
 * Payloads begin on 8 bytes and both ends are in one process, so numbers go through typed arrays in native
 * byte order. A `DataView` or `Buffer.write…` would check bounds on each access.
 */
import { GrpcStatus } from '../grpc/grpc-status.js';
import type { Framing, RequestHead } from '../http/message.js';
import { latin1Slice, latin1Write } from '../http/wire.js';
import type { RequestTrace } from './tracer.js';

const headWireOffset = 40;
const lengthZeroBit = 1 << 8;
const grpcBit = 1 << 9;
const http2Bit = 1 << 10;
const framingMask = lengthZeroBit - 1;
const namesShift = 16;
const outcomeBytes = 48;

/** Frame flags. */
export const FrameFlag = {
  /** HEAD or BODY: the request is complete with this frame. */
  LAST: 1,
  /** HEAD: the exchange is logged in the access log, and so is its copy. */
  LOGGED: 2,
  /** HEAD: no OUTCOME will come for this exchange. */
  UNPAIRED: 4,
  /** HEAD: the pair is compared field by field, so both responses are captured. */
  CAPTURE: 8,
  /** HEAD: the exchange is traced, and so is its copy. */
  TRACED: 16,
} as const;

/** What the proxy thread recorded of the primary's response, as bits. */
export const Seen = {
  BODY_DIGEST: 1,
  FIELDS_DIGEST: 2,
  /** The response was captured: its head, and its body up to the mirror's bound. */
  CAPTURED: 4,
  /** The body is longer than its captured part. */
  TRUNCATED: 8,
  /** The response is one that only a server that has the called gRPC method gives. */
  GRPC_METHOD: 16,
} as const;

/**
 * An ABORT with this exchange id ends all open exchanges of the ring: the proxy thread behind it was
 * replaced.
 */
export const allExchanges = 0xffff_ffff;

/** Typed views of a ring's data area, made once per end of a ring. */
export class Numbers {
  readonly f64: Float64Array;
  readonly u32: Uint32Array;

  constructor(bytes: Buffer) {
    this.f64 = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 3);
    this.u32 = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  }
}

/** The request of one exchange as it is offered to mirrors. Strings are wire strings. */
export class CopySource {
  wire = '';
  methodBytes = 0;
  targetBytes = 0;
  hostBytes = 0;
  fieldsBytes = 0;
  framing: Framing = 0;
  contentLength = 0;
  lengthZero = false;
  /** Names of fields, as in `RequestHead`; a shadow of HTTP/2 gets these fields as they came. */
  neverIndexed = '';
  /** The client uses HTTP/2. */
  http2 = false;
  /** The request is a gRPC call. */
  grpc = false;
  /** When the request is offered, in microseconds of core/clock. */
  offeredUs = 0;
  /** The exchange is logged in the access log, and so are its copies. */
  logged = false;
  /** The trace of the exchange; null: it is not traced. */
  trace: RequestTrace | null = null;
  /** The order key of the copy that is offered next (core/mirror/order-key). */
  orderKey = 0;

  take(head: RequestHead): void {
    this.takeParts(head.method, head.target, head.host, head.fields);
    this.framing = head.framing;
    this.contentLength = head.contentLength;
    this.lengthZero = head.lengthZero;
    this.neverIndexed = head.neverIndexed;
    this.http2 = head.http2;
    this.grpc = head.grpc;
  }

  /** `takeParts` sets the head alone, which is enough for access logs. */
  takeParts(method: string, target: string, host: string, fields: string): void {
    this.wire = method + target + host + fields;
    this.methodBytes = method.length;
    this.targetBytes = target.length;
    this.hostBytes = host.length;
    this.fieldsBytes = fields.length;
  }
}

export function headPayloadBytes(source: CopySource): number {
  return headWireOffset + source.wire.length + source.neverIndexed.length;
}

/** `writeHead` writes a HEAD payload at `offset` (a multiple of 8) of the ring that the views belong to. */
export function writeHead(bytes: Buffer, numbers: Numbers, offset: number, source: CopySource): void {
  const f = offset >>> 3;
  const u = offset >>> 2;
  numbers.f64[f] = source.offeredUs;
  numbers.f64[f + 1] = source.contentLength;
  const { neverIndexed } = source;
  const bits =
    (source.lengthZero ? lengthZeroBit : 0) | (source.grpc ? grpcBit : 0) | (source.http2 ? http2Bit : 0);
  numbers.u32[u + 4] = source.framing | bits | (neverIndexed.length << namesShift);
  numbers.u32[u + 5] = source.methodBytes;
  numbers.u32[u + 6] = source.targetBytes;
  numbers.u32[u + 7] = source.hostBytes;
  numbers.u32[u + 8] = source.fieldsBytes;
  numbers.u32[u + 9] = source.orderKey;
  latin1Write(bytes, source.wire, offset + headWireOffset);
  if (neverIndexed !== '') latin1Write(bytes, neverIndexed, offset + headWireOffset + source.wire.length);
}

/** `offeredUs` returns when the request of a HEAD payload was offered. */
export function offeredUs(numbers: Numbers, offset: number): number {
  return numbers.f64[offset >>> 3];
}

/** A decoded HEAD payload. Each reader has one object and refills it with each `read`. */
export class MirroredHead {
  offeredUs = 0;
  contentLength = 0;
  framing: Framing = 0;
  lengthZero = false;
  /** The request is a gRPC call. */
  grpc = false;
  /** The client uses HTTP/2. */
  http2 = false;
  neverIndexed = '';
  orderKey = 0;
  method = '';
  target = '';
  host = '';
  fields = '';

  read(bytes: Buffer, numbers: Numbers, offset: number): void {
    const u = offset >>> 2;
    this.offeredUs = numbers.f64[offset >>> 3];
    this.contentLength = numbers.f64[(offset >>> 3) + 1];
    const framing = numbers.u32[u + 4];
    this.framing = (framing & framingMask) as Framing;
    this.lengthZero = (framing & lengthZeroBit) !== 0;
    this.grpc = (framing & grpcBit) !== 0;
    this.http2 = (framing & http2Bit) !== 0;
    const methodEnd = numbers.u32[u + 5];
    const targetEnd = methodEnd + numbers.u32[u + 6];
    const hostEnd = targetEnd + numbers.u32[u + 7];
    const fieldsEnd = hostEnd + numbers.u32[u + 8];
    this.orderKey = numbers.u32[u + 9];
    const namesEnd = fieldsEnd + (framing >>> namesShift);
    const wire = latin1Slice(bytes, offset + headWireOffset, offset + headWireOffset + namesEnd);
    this.method = wire.substring(0, methodEnd);
    this.target = wire.substring(methodEnd, targetEnd);
    this.host = wire.substring(targetEnd, hostEnd);
    this.fields = wire.substring(hostEnd, fieldsEnd);
    this.neverIndexed = namesEnd === fieldsEnd ? '' : wire.substring(fieldsEnd, namesEnd);
  }
}

/** The outcome of the primary's exchange. A `failure` of -1 is none. */
export class Outcome {
  /** The status that the response is judged by: for gRPC that of its `grpcStatus`. */
  status = 0;
  grpcStatus: GrpcStatus = GrpcStatus.NONE;
  /** Written as `Seen.GRPC_METHOD`. */
  hasGrpcMethod = false;
  latencyUs = 0;
  firstByteUs = 0;
  responseBytes = 0;
  failure = -1;
  bodyDigest = 0;
  fieldsDigest = 0;
  /** `Seen` bits. */
  seen = 0;

  static readonly bytes = outcomeBytes;

  take(other: Outcome): void {
    this.status = other.status;
    this.grpcStatus = other.grpcStatus;
    this.latencyUs = other.latencyUs;
    this.firstByteUs = other.firstByteUs;
    this.responseBytes = other.responseBytes;
    this.failure = other.failure;
    this.bodyDigest = other.bodyDigest;
    this.fieldsDigest = other.fieldsDigest;
    this.seen = other.seen;
  }

  write(numbers: Numbers, offset: number): void {
    const f = offset >>> 3;
    const u = offset >>> 2;
    numbers.f64[f] = this.latencyUs;
    numbers.f64[f + 1] = this.firstByteUs;
    numbers.f64[f + 2] = this.responseBytes;
    numbers.u32[u + 6] = this.status;
    numbers.u32[u + 7] = this.failure + 1;
    numbers.u32[u + 8] = this.bodyDigest;
    numbers.u32[u + 9] = this.fieldsDigest;
    numbers.u32[u + 10] = this.seen;
    numbers.u32[u + 11] = this.grpcStatus + 1;
  }

  read(numbers: Numbers, offset: number): void {
    const f = offset >>> 3;
    const u = offset >>> 2;
    this.latencyUs = numbers.f64[f];
    this.firstByteUs = numbers.f64[f + 1];
    this.responseBytes = numbers.f64[f + 2];
    this.status = numbers.u32[u + 6];
    this.failure = numbers.u32[u + 7] - 1;
    this.bodyDigest = numbers.u32[u + 8];
    this.fieldsDigest = numbers.u32[u + 9];
    this.seen = numbers.u32[u + 10];
    this.grpcStatus = (numbers.u32[u + 11] - 1) as GrpcStatus;
  }
}
