/** The bytes of request bodies that one thread keeps outside of its blocks. */
export class HeldBytes {
  #left: number;

  constructor(max: number) {
    this.#left = max;
  }

  /** False: there is no room. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * The body of one request as it came, without framing: until its call has a stream, and afterwards as long as
 * the request may be sent a second time.
 */
export class KeptBody {
  bytes = 0;
  readonly pieces: Buffer[] = [];
  #held: HeldBytes | null = null;

  begin(held: HeldBytes): void {
    this.#held = held;
  }

  /** Adds a copy of a piece. False: it would be more than `bytesMax`, or the thread's bound is reached. */
  add(piece: Uint8Array, bytesMax: number): boolean {
    if (piece.length === 0) return true;
    if (this.bytes + piece.length > bytesMax || !this.#held!.take(piece.length)) return false;
    this.bytes += piece.length;
    this.pieces.push(Buffer.from(piece));
    return true;
  }

  clear(): void {
    if (this.bytes === 0) return;
    this.#held!.giveBack(this.bytes);
    this.bytes = 0;
    this.pieces.length = 0;
  }
}
