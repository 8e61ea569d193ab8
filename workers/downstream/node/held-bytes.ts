import { Char } from '../../../core/http/chars.js';

/** A buffer begins at this size and doubles as needed. */
const FIRST_BYTES = 4 * 1024;
/** Up to here an unfinished line is scanned again with every read: it costs no more than the read. */
const RESCANNED_BYTES = 1024;

/** Bytes that a client has sent and that could not be read on yet: a head in pieces, or the next requests. */
export class HeldBytes {
  bytes: Buffer = none;
  start = 0;
  end = 0;

  get count(): number {
    return this.end - this.start;
  }

  /** Keeps `bytes[start, end)` alone: a copy of it, unless it lies here already. */
  keep(bytes: Buffer, start: number, end: number): void {
    if (bytes === this.bytes) {
      this.start = start;
      return;
    }
    this.start = 0;
    this.end = 0;
    this.append(bytes, start, end);
  }

  append(bytes: Buffer, start: number, end: number): void {
    const needed = this.count + (end - start);
    if (this.end + (end - start) > this.bytes.length) {
      let size = FIRST_BYTES;
      while (size < needed) size *= 2;
      const larger = Buffer.allocUnsafeSlow(size);
      this.bytes.copy(larger, 0, this.start, this.end);
      this.bytes = larger;
      this.end -= this.start;
      this.start = 0;
    }
    bytes.copy(this.bytes, this.end, start, end);
    this.end += end - start;
  }

  /** Scanning again is worth while only when `bytes[0, end)`, which is about to be appended, ends a line. */
  needsLine(bytes: Buffer, end: number): boolean {
    return this.count > RESCANNED_BYTES && bytes.subarray(0, end).indexOf(Char.LF) < 0;
  }

  clear(): void {
    this.bytes = none;
    this.start = 0;
    this.end = 0;
  }
}

const none = Buffer.alloc(0);
