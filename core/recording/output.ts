/**
 * The bytes of a recording that are not on disk yet: gathered in one block while another is being written,
 * and the two change places. A write is one call however many records it has, and no record costs a buffer of
 * its own.
 */
const firstBytes = 256 * 1024;
/** Larger blocks, which a burst or a large body needed, are released after their write. */
const keptBytes = 4 * 1024 * 1024;

export class Output {
  #block: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  #spare: Buffer | null = null;
  /** Bytes that are gathered. */
  bytes = 0;

  /** The block, with room for so many bytes behind `bytes`; who writes there adds to `bytes`. */
  room(bytes: number): Buffer {
    if (this.bytes + bytes > this.#block.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#block.byteLength, this.bytes + bytes));
      this.#block.copy(larger, 0, 0, this.bytes);
      this.#block = larger;
    }
    return this.#block;
  }

  /** Returns all that is gathered. After the write it goes to `giveBack`. */
  take(): Buffer {
    const taken = this.#block.subarray(0, this.bytes);
    this.#block = this.#spare ?? Buffer.allocUnsafeSlow(firstBytes);
    this.#spare = null;
    this.bytes = 0;
    return taken;
  }

  giveBack(taken: Buffer): void {
    if (taken.buffer.byteLength <= keptBytes) this.#spare = Buffer.from(taken.buffer);
  }

  /** Discards what is gathered. */
  clear(): void {
    this.bytes = 0;
  }
}
