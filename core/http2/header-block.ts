import { limits } from '../limits.js';
import { Flag, PRIORITY_BYTES, readUint31 } from './frame.js';

/** The result of adding a frame to a header block. */
export const Block = {
  /** The block is complete. */
  WHOLE: 0,
  /** Only CONTINUATION may follow. */
  PARTIAL: 1,
  /** The frame is too short for its padding or priority. */
  MALFORMED: 2,
  /** Too many frames or bytes. */
  FLOOD: 3,
} as const;
export type Block = (typeof Block)[keyof typeof Block];

/**
 * The header block that a connection is receiving (RFC 9113, section 4.3). A block in one frame is used in
 * place. A block in several frames is collected, within bounds on frames and bytes.
 */
export class HeaderBlock {
  stream = 0;
  /** The stream ends with this block. */
  ends = false;
  /** The priority names the stream itself, which is an error (RFC 7540, section 5.3.1). */
  dependsOnItself = false;
  /** CONTINUATION must follow. */
  isPartial = false;
  /** The block is `bytes[start, end)`, valid during the call that completes it. */
  bytes: Buffer = none;
  start = 0;
  end = 0;
  readonly #bytesMax: number;
  #frames = 0;

  /** `listBytesMax`: the limit of the header list in a block. */
  constructor(listBytesMax: number) {
    this.#bytesMax = Math.max(limits.http2BlockBytes, 2 * listBytesMax);
  }

  /** Begins a block with a HEADERS frame. */
  begin(flags: number, stream: number, bytes: Buffer, start: number, end: number): Block {
    let from = start;
    let to = end;
    this.stream = stream;
    this.ends = (flags & Flag.END_STREAM) !== 0;
    this.dependsOnItself = false;
    if ((flags & Flag.PADDED) !== 0) {
      to -= bytes[from] ?? 0;
      from++;
    }
    if ((flags & Flag.PRIORITY) !== 0) {
      if (to - from >= PRIORITY_BYTES) this.dependsOnItself = readUint31(bytes, from) === stream;
      from += PRIORITY_BYTES;
    }
    if (from > to) return Block.MALFORMED;
    if ((flags & Flag.END_HEADERS) !== 0) {
      this.bytes = bytes;
      this.start = from;
      this.end = to;
      return Block.WHOLE;
    }
    this.isPartial = true;
    this.bytes = none;
    this.start = 0;
    this.end = 0;
    this.#frames = 0;
    return this.#append(bytes, from, to) ? Block.PARTIAL : Block.FLOOD;
  }

  /** Adds a CONTINUATION frame. */
  continue(flags: number, bytes: Buffer, start: number, end: number): Block {
    if (!this.#append(bytes, start, end)) return Block.FLOOD;
    if ((flags & Flag.END_HEADERS) === 0) return Block.PARTIAL;
    this.isPartial = false;
    return Block.WHOLE;
  }

  /** Releases the memory of a block that was read. */
  clear(): void {
    this.bytes = none;
  }

  #append(bytes: Buffer, start: number, end: number): boolean {
    const length = this.end + end - start;
    if (++this.#frames > limits.http2BlockFrames || length > this.#bytesMax) return false;
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, length * 2));
      this.bytes.copy(larger, 0, 0, this.end);
      this.bytes = larger;
    }
    bytes.copy(this.bytes, this.end, start, end);
    this.end = length;
    return true;
  }
}

const none = Buffer.alloc(0);
