/** The gzip members of a file one by one (RFC 1952), so that a damaged one costs itself alone. */
import { crc32, inflateRawSync } from 'node:zlib';
import { limits } from '../limits.js';
import type { SkippedRecord } from './recorded.js';
import type { Window } from './window.js';

export const gzipMark = Buffer.from([0x1f, 0x8b, 8]);
const headerBytes = 10;
const trailerBytes = 8;
const lastStoredBlock = 1;
const storedHeaderBytes = 5;
const FLAG = { HEADER_CRC: 2, EXTRA: 4, NAME: 8, COMMENT: 16 } as const;

interface Member {
  readonly offset: number;
  /** Its content; valid until the next one is read. */
  readonly content: Buffer;
}

interface InflatedBytes {
  readonly buffer: Buffer;
  readonly compressedBytes: number;
}

/** Stands at the beginning of a member with `window`. */
export function* readMembers(window: Window): Generator<Member | SkippedRecord> {
  while (window.has(1)) {
    const { offset } = window;
    const member = readMember(window);
    yield typeof member === 'string' ? { offset, reason: member } : { offset, content: member };
    if (typeof member === 'string' && !window.seek(gzipMark)) return;
  }
}

/** Returns the content and moves the window behind the member, or returns why there is none. */
function readMember(window: Window): Buffer | string {
  if (!window.has(headerBytes) || !window.bytes.subarray(0, gzipMark.byteLength).equals(gzipMark))
    return window.has(headerBytes) ? 'not a gzip member' : 'cut off';
  for (;;) {
    const content = inflateAt(window);
    if (content !== null) return content;
    if (!window.more()) return window.bytes.byteLength >= limits.recordBytes ? 'too large' : 'cut off';
  }
}

/** Null: it needs more bytes than are at hand. */
function inflateAt(window: Window): Buffer | string | null {
  const { bytes } = window;
  const start = contentStart(bytes);
  if (start < 0) return null;
  const plain = storedContent(bytes, start);
  const inflated = plain ?? inflate(bytes.subarray(start));
  if (inflated === null || typeof inflated === 'string') return inflated;
  const end = start + inflated.compressedBytes;
  if (bytes.byteLength < end + trailerBytes) return null;
  const { buffer } = inflated;
  if (bytes.readUInt32LE(end) !== crc32(buffer) || bytes.readUInt32LE(end + 4) !== buffer.byteLength >>> 0)
    return 'damaged: its checksum is wrong';
  window.skip(end + trailerBytes);
  return buffer;
}

/** Null: cut off; a text: why not. */
function inflate(bytes: Buffer): InflatedBytes | string | null {
  try {
    const options = { info: true, maxOutputLength: limits.recordBytes };
    const { buffer, engine } = inflateRawSync(bytes, options) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { buffer, compressedBytes: engine.bytesWritten };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') return null;
    return code === 'ERR_BUFFER_TOO_LARGE'
      ? `larger than ${limits.recordBytes} bytes`
      : 'damaged: it does not decompress';
  }
}

/**
 * One stored block (RFC 1951, section 3.2.4), as umbra writes without compression, costs no call of zlib.
 * Null: it is not that.
 */
function storedContent(bytes: Buffer, start: number): InflatedBytes | null {
  if (bytes.byteLength < start + storedHeaderBytes || bytes[start] !== lastStoredBlock) return null;
  const length = bytes.readUInt16LE(start + 1);
  if ((length ^ 0xffff) !== bytes.readUInt16LE(start + 3)) return null;
  const end = start + storedHeaderBytes + length;
  if (bytes.byteLength < end) return null;
  return {
    buffer: bytes.subarray(start + storedHeaderBytes, end),
    compressedBytes: storedHeaderBytes + length,
  };
}

/** -1: not at hand. */
function contentStart(bytes: Buffer): number {
  const flags = bytes[3]!;
  let at = headerBytes;
  if ((flags & FLAG.EXTRA) !== 0) {
    if (bytes.byteLength < at + 2) return -1;
    at += 2 + bytes.readUInt16LE(at);
  }
  for (const flag of [FLAG.NAME, FLAG.COMMENT]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return -1;
    at = end + 1;
  }
  if ((flags & FLAG.HEADER_CRC) !== 0) at += 2;
  return at < bytes.byteLength ? at : -1;
}
