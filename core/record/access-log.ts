/**
 * Access-log records on their way from a data-plane thread to the control thread, through a ring of their
 * own. The data plane writes numbers and one wire string; the control thread formats the line and waits for
 * the disk. A record that finds the ring full is dropped and counted.
 *
 *   payload   0  f64  wall clock at the end, ms     8  f64  duration, us
 *            16  f64  upstream time, us, -1 none
 *            24  f64  request body bytes           32  f64  response body bytes
 *            40  u32  status   44  u32  bit 0: a shadow; bit 1: HTTP/2; from bit 8 on: gRPC status + 1
 *            48  u32  method bytes   52 target   56 host   60 fields   64 upstream   68 flag
 *            72  u32  version bytes  76 route   80 details
 *            84  the nine strings as one wire string
 */
import { wallClockMs } from '../clock.js';
import type { GrpcStatus } from '../grpc/grpc-status.js';
import { latin1Slice, latin1Write } from '../http/wire.js';
import { type CopySource, Numbers } from '../mirror/codec.js';
import { FrameType } from '../ring/frame.js';
import type { RingWriter } from '../ring/writer.js';
import { type ThreadCounters, ThreadField } from './thread-counters.js';

const stringsOffset = 84;
const Bit = { SHADOW: 1, HTTP2: 2 } as const;
const grpcShift = 8;
const millionths = 1_000_000;

export interface AccessRecord {
  role: 'primary' | 'shadow';
  route: string;
  version: string;
  source: CopySource;
  status: number;
  /** `NONE` for anything but a gRPC call. */
  grpcStatus: GrpcStatus;
  /** Envoy's response flag, empty for none. */
  flag: string;
  /** Who answered and why (core/record/response-details). */
  details: string;
  durationUs: number;
  upstreamUs: number;
  requestBytes: number;
  responseBytes: number;
  /** The address of the endpoint, as Envoy's `%UPSTREAM_HOST%`; empty when none was reached. */
  upstream: string;
}

/** The data-plane thread's end of the access log. */
export class AccessLogPort {
  readonly #writer: RingWriter;
  readonly #numbers: Numbers;
  readonly #counters: ThreadCounters;
  readonly #random: () => number;
  readonly #requestFlush: () => void;
  #shareMillionths = 0;

  /**
   * `random` returns unsigned 32-bit numbers. `requestFlush` asks for a call of `flush` at the end of this
   * turn of the event loop.
   */
  constructor(writer: RingWriter, counters: ThreadCounters, random: () => number, requestFlush: () => void) {
    this.#writer = writer;
    this.#numbers = new Numbers(writer.bytes);
    this.#counters = counters;
    this.#random = random;
    this.#requestFlush = requestFlush;
  }

  /** `setShare` sets the share of exchanges that are logged, in millionths; 0 turns the log off. */
  setShare(shareMillionths: number): void {
    this.#shareMillionths = shareMillionths;
  }

  /** `chosen` decides at random whether an exchange is logged. The others cost nothing more. */
  chosen(): boolean {
    const share = this.#shareMillionths;
    return share > 0 && (share >= millionths || this.#random() % millionths < share);
  }

  write(record: AccessRecord): void {
    const source = record.source;
    const strings =
      source.wire + record.upstream + record.flag + record.version + record.route + record.details;
    const offset = this.#writer.claim(FrameType.RECORD, 0, 0, 0, 0, stringsOffset + strings.length);
    if (offset < 0) {
      this.#counters.add(ThreadField.accessLogDropped);
      return;
    }
    const f64 = this.#numbers.f64;
    const f = offset >>> 3;
    f64[f] = wallClockMs();
    f64[f + 1] = record.durationUs;
    f64[f + 2] = record.upstreamUs;
    f64[f + 3] = record.requestBytes;
    f64[f + 4] = record.responseBytes;
    const u32 = this.#numbers.u32;
    const u = (offset >>> 2) + 10;
    u32[u] = record.status;
    u32[u + 1] =
      (record.role === 'shadow' ? Bit.SHADOW : 0) |
      (source.http2 ? Bit.HTTP2 : 0) |
      ((record.grpcStatus + 1) << grpcShift);
    u32[u + 2] = source.methodBytes;
    u32[u + 3] = source.targetBytes;
    u32[u + 4] = source.hostBytes;
    u32[u + 5] = source.fieldsBytes;
    u32[u + 6] = record.upstream.length;
    u32[u + 7] = record.flag.length;
    u32[u + 8] = record.version.length;
    u32[u + 9] = record.route.length;
    u32[u + 10] = record.details.length;
    latin1Write(this.#writer.bytes, strings, offset + stringsOffset);
    this.#requestFlush();
  }

  flush(): void {
    this.#writer.publish();
  }
}

/** One record, as the control thread reads it. */
export interface AccessEntry {
  endMs: number;
  durationUs: number;
  upstreamUs: number;
  requestBytes: number;
  responseBytes: number;
  status: number;
  grpcStatus: GrpcStatus;
  role: 'primary' | 'shadow';
  /** The request came by HTTP/2. */
  http2: boolean;
  method: string;
  target: string;
  host: string;
  fields: string;
  upstream: string;
  flag: string;
  version: string;
  route: string;
  details: string;
}

/**
 * `readAccessEntry` reads the record whose payload begins at `offset`. Its strings are copies and may be
 * kept.
 */
export function readAccessEntry(bytes: Buffer, offset: number): AccessEntry {
  const f64 = new Float64Array(bytes.buffer, bytes.byteOffset + offset, 5);
  const u32 = new Uint32Array(bytes.buffer, bytes.byteOffset + offset + 40, 11);
  let at = offset + stringsOffset;
  const next = (length: number): string => {
    const from = at;
    at += length;
    return latin1Slice(bytes, from, at);
  };
  return {
    endMs: f64[0],
    durationUs: f64[1],
    upstreamUs: f64[2],
    requestBytes: f64[3],
    responseBytes: f64[4],
    status: u32[0],
    grpcStatus: ((u32[1] >>> grpcShift) - 1) as GrpcStatus,
    role: (u32[1] & Bit.SHADOW) === 0 ? 'primary' : 'shadow',
    http2: (u32[1] & Bit.HTTP2) !== 0,
    method: next(u32[2]),
    target: next(u32[3]),
    host: next(u32[4]),
    fields: next(u32[5]),
    upstream: next(u32[6]),
    flag: next(u32[7]),
    version: next(u32[8]),
    route: next(u32[9]),
    details: next(u32[10]),
  };
}
