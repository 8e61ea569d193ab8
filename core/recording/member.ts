/** One record as one gzip member (RFC 1952; WARC/1.1, annex D), so that a reader can begin at each. */
import { crc32, gzipSync } from 'node:zlib';

const level = 1;
const headerBytes = 10;
const storedBytesMax = 0xffff;
const blockHeaderBytes = 5;
const trailerBytes = 8;
/** No name, no time, unknown system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

export function compressed(record: Uint8Array): Buffer {
  return gzipSync(record, { level });
}

/** The bytes as they are, in stored blocks (RFC 1951, section 3.2.4). */
export function stored(record: Uint8Array): Buffer {
  const blocks = Math.max(1, Math.ceil(record.byteLength / storedBytesMax));
  const member = Buffer.allocUnsafe(
    headerBytes + blocks * blockHeaderBytes + record.byteLength + trailerBytes,
  );
  member.set(header);
  let at = headerBytes;
  for (let block = 0; block < blocks; block++) {
    const from = block * storedBytesMax;
    const bytes = Math.min(storedBytesMax, record.byteLength - from);
    member[at] = block === blocks - 1 ? 1 : 0;
    member.writeUInt16LE(bytes, at + 1);
    member.writeUInt16LE(bytes ^ 0xffff, at + 3);
    member.set(blocks === 1 ? record : record.subarray(from, from + bytes), at + blockHeaderBytes);
    at += blockHeaderBytes + bytes;
  }
  member.writeUInt32LE(crc32(record), at);
  member.writeUInt32LE(record.byteLength >>> 0, at + 4);
  return member;
}
