/**
 * Counts in HdrHistogram's V2 encoding, compressed and in Base64, as its logs and many tools carry them:
 *
 *   int32 cookie   int32 bytes   zlib( int32 cookie  int32 bytes  int32 offset  int32 digits
 *                                      int64 lowest  int64 highest  double ratio  count count … )
 *
 * A count is a ZigZag LEB128 number of at most nine bytes; a negative one is a number of empty slots. Source:
 * the V2 encoding of org.HdrHistogram.AbstractHistogram and ZigZagEncoding. This is our own implementation,
 * because hdr-histogram-js first copies the counts into an object of 17,000 slots, and inflates without a
 * bound (docs/decisions/034).
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { limits } from '../limits.js';
import { HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS, SLOTS } from '../record/hdr-layout.js';
import type { Histogram } from '../record/histogram.js';
import type { HdrShape } from './shape.js';

/** Counts of a payload: slots that are not empty, ascending. */
export interface LoggedCounts {
  readonly shape: HdrShape;
  readonly slots: readonly number[];
  readonly counts: readonly number[];
}

const COOKIE = 0x1c849303;
const COMPRESSED_COOKIE = 0x1c849304;
/** The word size in a cookie's second nibble has no meaning in V2; writers store 1. */
const WORD_SIZE = 0x10;
const WORD_SIZE_MASK = 0xf0;
const OUTER_HEAD = 8;
const HEAD = 40;
/** A count of nine bytes holds 64 bits. */
const COUNT_BYTES_MAX = 9;
const DIGITS_MAX = 5;
/** More slots than any shape has: 64 buckets of five digits. */
const SLOT_MAX = 65 * 2 ** 17;

/**
 * `encodePayload` returns Base64 of `histogram`. It takes some tenths of a millisecond for thousands of
 * slots, so it must not run on the data plane.
 */
export function encodePayload(histogram: Histogram): string {
  const body = Buffer.allocUnsafe(HEAD + (SLOTS + 1) * COUNT_BYTES_MAX);
  let at = HEAD;
  let next = 0;
  histogram.forEachSlot((_, count, slot) => {
    if (slot > next) at = putNumber(body, at, slot - next === 1 ? 0 : next - slot);
    at = putNumber(body, at, count);
    next = slot + 1;
  });
  body.writeInt32BE(COOKIE | WORD_SIZE, 0);
  body.writeInt32BE(at - HEAD, 4);
  body.writeInt32BE(0, 8);
  body.writeInt32BE(SIGNIFICANT_DIGITS, 12);
  body.writeBigInt64BE(BigInt(LOWEST_US), 16);
  body.writeBigInt64BE(BigInt(HIGHEST_US), 24);
  body.writeDoubleBE(1, 32);
  const compressed = deflateSync(body.subarray(0, at));
  const head = Buffer.allocUnsafe(OUTER_HEAD);
  head.writeInt32BE(COMPRESSED_COOKIE | WORD_SIZE, 0);
  head.writeInt32BE(compressed.length, 4);
  return Buffer.concat([head, compressed]).toString('base64');
}

/**
 * `decodePayload` throws an Error with a short message when the text is not such a payload or is truncated.
 * The size of the result is bounded.
 */
export function decodePayload(base64: string): LoggedCounts {
  const outer = Buffer.from(base64, 'base64');
  if (outer.length < OUTER_HEAD) throw new Error('the histogram is cut short');
  checkCookie(outer.readInt32BE(0), COMPRESSED_COOKIE);
  const end = OUTER_HEAD + outer.readInt32BE(4);
  if (end > outer.length || end < OUTER_HEAD) throw new Error('the histogram is cut short');
  const body = inflate(outer.subarray(OUTER_HEAD, end));
  if (body.length < HEAD) throw new Error('the histogram has no head');
  checkCookie(body.readInt32BE(0), COOKIE);
  const bytes = body.readInt32BE(4);
  const digits = body.readInt32BE(12);
  const lowest = Number(body.readBigInt64BE(16));
  if (digits < 0 || digits > DIGITS_MAX || lowest < 1) throw new Error('the histogram has an unknown shape');
  if (bytes < 0 || HEAD + bytes > body.length) throw new Error('the histogram is cut short');
  return { shape: { lowest, digits }, ...readCounts(body.subarray(HEAD, HEAD + bytes)) };
}

function readCounts(bytes: Buffer): Pick<LoggedCounts, 'slots' | 'counts'> {
  const slots: number[] = [];
  const counts: number[] = [];
  let slot = 0;
  let at = 0;
  while (at < bytes.length) {
    let zigZag = 0;
    let scale = 1;
    for (let length = 1; ; length++) {
      if (at === bytes.length) throw new Error('the histogram ends within a count');
      const byte = bytes[at++];
      const last = length === COUNT_BYTES_MAX;
      zigZag += (last ? byte : byte & 0x7f) * scale;
      if (last || byte < 0x80) break;
      scale *= 0x80;
    }
    if (zigZag > Number.MAX_SAFE_INTEGER) throw new Error('the histogram has a count that is too large');
    if (zigZag % 2 === 1) {
      slot += (zigZag + 1) / 2;
    } else {
      if (zigZag > 0) {
        slots.push(slot);
        counts.push(zigZag / 2);
      }
      slot++;
    }
    if (slot > SLOT_MAX) throw new Error('the histogram has more slots than there can be');
  }
  return { slots, counts };
}

function putNumber(into: Buffer, start: number, value: number): number {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  let at = start;
  // Numbers are below 2^53, so the ninth byte, which would hold eight bits, is never reached.
  while (rest >= 0x80) {
    into[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  into[at++] = rest;
  return at;
}

function inflate(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: limits.loggedHistogramBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Error(`the histogram is larger than ${limits.loggedHistogramBytes} bytes`);
    }
    throw new Error('the histogram is damaged or cut short');
  }
}

function checkCookie(cookie: number, expected: number): void {
  const base = cookie & ~WORD_SIZE_MASK;
  if (base === expected) return;
  // V0 and V1 differ only in the lowest bits.
  if ((base & ~0xf) === (expected & ~0xf)) throw new Error('the histogram is not in the V2 encoding');
  throw new Error('this is not an HdrHistogram');
}
