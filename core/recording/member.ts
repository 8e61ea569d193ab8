/** One record as one gzip member (RFC 1952; WARC/1.1, annex D), so that a reader can begin at each. */
import { crc32, gzipSync } from 'node:zlib';
import { limits } from '../limits.js';
import { Deflater, deflatedBytesMax } from './deflate.js';

/** The level of zlib, which compresses large records: for those, its start-up cost does not matter. */
const level = 1;
const headerBytes = 10;
const storedBytesMax = 0xffff;
const blockHeaderBytes = 5;
const trailerBytes = 8;
/** Upper bound of what zlib adds to bytes that it can't compress. */
const zlibSlack = 1024;
/** A gzip header without name and time, of an unknown system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** The room that the member of a record of so many bytes may take while it is written. */
export function memberBytesMax(recordBytes: number): number {
  const deflated =
    recordBytes <= limits.smallRecordBytes
      ? deflatedBytesMax(recordBytes)
      : storedBytes(recordBytes) + zlibSlack;
  return headerBytes + deflated + trailerBytes;
}

/** Writes `record` at `at` of `into`, which has `memberBytesMax` left, and returns where it ends. */
export type WriteMember = (record: Uint8Array, into: Buffer, at: number) => number;

/** Each recording needs one of its own, because the codes are learned from its records. */
export function compressor(): WriteMember {
  const deflater = new Deflater();
  return (record, into, at) => {
    if (record.byteLength > limits.smallRecordBytes) {
      const member = gzipSync(record, { level });
      into.set(member, at);
      return at + member.byteLength;
    }
    const end = deflater.deflate(record, into, at + headerBytes);
    // Bytes that do not compress, an image for instance, would have grown.
    if (end - at - headerBytes >= storedBytes(record.byteLength)) return stored(record, into, at);
    into.set(header, at);
    return writeTrailer(record, into, end);
  };
}

/** The bytes as they are, in stored blocks (RFC 1951, section 3.2.4). */
export const stored: WriteMember = (record, into, start) => {
  const blocks = blocksOf(record.byteLength);
  into.set(header, start);
  let at = start + headerBytes;
  for (let block = 0; block < blocks; block++) {
    const from = block * storedBytesMax;
    const bytes = Math.min(storedBytesMax, record.byteLength - from);
    into[at] = block === blocks - 1 ? 1 : 0;
    into.writeUInt16LE(bytes, at + 1);
    into.writeUInt16LE(bytes ^ 0xffff, at + 3);
    into.set(blocks === 1 ? record : record.subarray(from, from + bytes), at + blockHeaderBytes);
    at += blockHeaderBytes + bytes;
  }
  return writeTrailer(record, into, at);
};

function writeTrailer(record: Uint8Array, into: Buffer, at: number): number {
  into.writeUInt32LE(crc32(record), at);
  into.writeUInt32LE(record.byteLength >>> 0, at + 4);
  return at + trailerBytes;
}

function storedBytes(recordBytes: number): number {
  return recordBytes + blocksOf(recordBytes) * blockHeaderBytes;
}

function blocksOf(recordBytes: number): number {
  return Math.max(1, Math.ceil(recordBytes / storedBytesMax));
}
