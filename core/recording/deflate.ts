/**
 * DEFLATE (RFC 1951) for many small records that are alike and must be streams of their own. zlib spends most
 * of such a stream on beginning it: it clears its tables and makes codes for a thousand bytes. Here tables
 * are never cleared, and codes are made from time to time from the records before, so what is left is the
 * work on the bytes: a fourth of the CPU for a tenth more bytes (`npm run bench -- core/recording`).
 */
import {
  BlockCodes,
  distanceBase,
  distanceExtra,
  distanceStep,
  endOfBlock,
  lengthStep,
  matchBytesMax,
} from './block-codes.js';
import { lengthBits, lengthMask } from './huffman.js';

const tableBits = 12;
const hashFactor = 0x9e3779b1;
/** Bytes that one look-up in the table compares: the shortest match. */
const lookedUp = 4;
/** Positions count on from one record to the next, as far as they fit. */
const positionMax = 2 ** 30;
/** One of so many records is counted, and codes are renewed after so many that were. */
const countedEvery = 16;
const renewedEvery = 32;
/** Upper bounds of the output: a code with its extra bits for each byte, and the header of the block. */
const bytesPerByte = 2;
const headerBytesMax = 512;
/** A typical record, for which the first codes are made. */
const sample =
  'WARC/1.1\r\nWARC-Type: request\r\nWARC-Record-ID: <urn:uuid:0a1b2c3d-4e5f-8678-9abc-def012345678>\r\nWARC-Date: 2026-01-31T12:34:56.789012Z\r\nWARC-Target-URI: http://www.example.com/path?page=3\r\nUmbra-Route: route\r\nContent-Type: application/http;msgtype=request\r\nContent-Length: 1234\r\n\r\nPOST /path?page=3 HTTP/1.1\r\nHost: www.example.com\r\naccept-language: en-US,en;q=0.9\r\naccept-encoding: gzip, deflate, br\r\n\r\n{"id":1,"name":"some words of an ordinary text","list":[5,4,3]}\r\n';

/** Upper bound of what `deflate` writes for so many bytes. */
export function deflatedBytesMax(bytes: number): number {
  return bytesPerByte * bytes + headerBytesMax;
}

export class Deflater {
  readonly #codes = new BlockCodes();
  /**
   * The last position of four bytes, by their hash. Positions below `#base` belong to earlier records.
   */
  readonly #table = new Int32Array(1 << tableBits);
  #base = 1;
  #records = 0;
  #counted = 0;

  constructor() {
    const bytes = Buffer.from(sample, 'latin1');
    const into = Buffer.alloc(deflatedBytesMax(bytes.byteLength));
    this.#codes.renew();
    this.#encode(bytes, bytes.byteLength, into, 0, true);
    this.#codes.renew();
  }

  /**
   * Writes `from`, which is no longer than the window (32 KiB), as one stream at `at` of `into`, which has
   * the room; where it ends.
   */
  deflate(from: Uint8Array, into: Uint8Array, at: number): number {
    const counts = this.#records++ % countedEvery === 0;
    const end = this.#encode(from, from.byteLength, into, at, counts);
    if (counts && ++this.#counted % renewedEvery === 0) this.#codes.renew();
    return end;
  }

  #encode(from: Uint8Array, bytes: number, into: Uint8Array, start: number, counts: boolean): number {
    const { header, literal, length: lengths, lengthBits: lengthSizes, distance: distances } = this.#codes;
    const { literalCounts, distanceCounts } = this.#codes;
    const table = this.#table;
    const base = this.#baseFor(bytes);
    into.set(header, start);
    let out = start + header.byteLength;
    /** Bits that are not written yet: fewer than 16 at the head of the loop, and never more than 31. */
    let held = this.#codes.headerRest;
    let heldBits = this.#codes.headerRestBits;
    let at = 0;
    const last = bytes - lookedUp;
    let word = last < 0 ? 0 : (from[0] << 8) | (from[1] << 16) | (from[2] << 24);
    while (at <= last) {
      word = (word >>> 8) | (from[at + 3] << 24);
      const hash = Math.imul(word, hashFactor) >>> (32 - tableBits);
      const before = table[hash] - base;
      table[hash] = base + at;
      if (
        before >= 0 &&
        from[before] === (word & 0xff) &&
        from[before + 1] === ((word >>> 8) & 0xff) &&
        from[before + 2] === ((word >>> 16) & 0xff) &&
        from[before + 3] === word >>> 24
      ) {
        let match = lookedUp;
        const most = Math.min(bytes - at, matchBytesMax);
        while (match < most && from[before + match] === from[at + match]) match++;
        for (; heldBits >= 8; heldBits -= 8) {
          into[out++] = held;
          held >>>= 8;
        }
        held |= lengths[match] << heldBits;
        heldBits += lengthSizes[match];
        for (; heldBits >= 8; heldBits -= 8) {
          into[out++] = held;
          held >>>= 8;
        }
        const step = distanceStep[at - before];
        const code = distances[step];
        held |= (code >>> lengthBits) << heldBits;
        heldBits += code & lengthMask;
        for (; heldBits >= 8; heldBits -= 8) {
          into[out++] = held;
          held >>>= 8;
        }
        held |= (at - before - distanceBase[step]) << heldBits;
        heldBits += distanceExtra[step];
        if (heldBits >= 16) {
          into[out++] = held;
          held >>>= 8;
          heldBits -= 8;
        }
        if (counts) {
          literalCounts[endOfBlock + 1 + lengthStep[match]]++;
          distanceCounts[step]++;
        }
        at += match;
        if (at <= last) word = (from[at] << 8) | (from[at + 1] << 16) | (from[at + 2] << 24);
        continue;
      }
      const byte = from[at++];
      const code = literal[byte];
      held |= (code >>> lengthBits) << heldBits;
      heldBits += code & lengthMask;
      if (counts) literalCounts[byte]++;
      if (heldBits >= 16) {
        into[out] = held;
        into[out + 1] = held >>> 8;
        out += 2;
        held >>>= 16;
        heldBits -= 16;
      }
    }
    // The last bytes, and the end of the block.
    for (; at <= bytes; at++) {
      const symbol = at < bytes ? from[at] : endOfBlock;
      const code = literal[symbol];
      held |= (code >>> lengthBits) << heldBits;
      heldBits += code & lengthMask;
      if (counts) literalCounts[symbol]++;
      for (; heldBits >= 8; heldBits -= 8) {
        into[out++] = held;
        held >>>= 8;
      }
    }
    if (heldBits > 0) into[out++] = held;
    return out;
  }

  #baseFor(bytes: number): number {
    if (this.#base + bytes > positionMax) {
      this.#table.fill(0);
      this.#base = 1;
    }
    const base = this.#base;
    this.#base += bytes;
    return base;
  }
}
