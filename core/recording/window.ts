/** A sliding window over a file of any size. It grows as far as one record may be long. */
import { limits } from '../limits.js';

/** Fills `into` from `position` on, and returns the number of bytes, 0 at the end. */
export type ReadAt = (into: Buffer, position: number) => number;

const firstBytes = 256 * 1024;
const nothingMore: ReadAt = () => 0;

export class Window {
  readonly #readAt: ReadAt;
  #buffer: Buffer;
  /** The offset in the file at which the buffer begins. */
  #base = 0;
  #from = 0;
  #to = 0;
  #ended = false;
  /** The bytes at hand; null: they have changed since they were asked for. */
  #view: Buffer | null = null;

  constructor(readAt: ReadAt, buffer: Buffer = Buffer.allocUnsafeSlow(firstBytes)) {
    this.#readAt = readAt;
    this.#buffer = buffer;
  }

  /** Opens a window over `bytes` alone. */
  static over(bytes: Buffer): Window {
    const window = new Window(nothingMore, bytes);
    window.#to = bytes.byteLength;
    window.#ended = true;
    return window;
  }

  /** The offset of the next byte in the file. */
  get offset(): number {
    return this.#base + this.#from;
  }

  /** The bytes at hand from the next one on; a view that the next `has` or `more` may overwrite. */
  get bytes(): Buffer {
    this.#view ??= this.#buffer.subarray(this.#from, this.#to);
    return this.#view;
  }

  /** Continues at `offset`, without a read where the bytes are at hand. */
  moveTo(offset: number): void {
    this.#view = null;
    this.#ended = false;
    const from = offset - this.#base;
    if (from >= 0 && from <= this.#to) {
      this.#from = from;
      return;
    }
    this.#base = offset;
    this.#from = 0;
    this.#to = 0;
  }

  /** Reads until so many bytes are at hand; false: the file or the bound for a record ends before. */
  has(bytes: number): boolean {
    while (this.#to - this.#from < bytes) if (!this.more()) return false;
    return true;
  }

  /** Reads more; false: the file has ended, or no more may be held. */
  more(): boolean {
    if (this.#ended) return false;
    this.#view = null;
    if (this.#from > 0) {
      this.#buffer.copy(this.#buffer, 0, this.#from, this.#to);
      this.#base += this.#from;
      this.#to -= this.#from;
      this.#from = 0;
    }
    if (this.#to === this.#buffer.byteLength) {
      if (this.#to >= limits.recordBytes) return false;
      const larger = Buffer.allocUnsafeSlow(Math.min(2 * this.#to, limits.recordBytes));
      this.#buffer.copy(larger, 0, 0, this.#to);
      this.#buffer = larger;
    }
    const read = this.#readAt(this.#buffer.subarray(this.#to), this.#base + this.#to);
    this.#to += read;
    this.#ended = read === 0;
    return !this.#ended;
  }

  skip(bytes: number): void {
    this.#view = null;
    this.#from = Math.min(this.#to, this.#from + bytes);
  }

  /**
   * Moves to the next `mark` behind at least one byte; false: there is none, and the window is at the end of
   * the file.
   */
  seek(mark: Buffer): boolean {
    this.skip(1);
    for (;;) {
      const at = this.bytes.indexOf(mark);
      if (at >= 0) {
        this.skip(at);
        return true;
      }
      this.skip(this.#to - this.#from - mark.byteLength + 1);
      if (!this.more()) {
        this.skip(this.#to - this.#from);
        return false;
      }
    }
  }
}
