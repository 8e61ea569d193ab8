/** What has come of the body of a request that waits for its turn on a shadow thread. */
export class HeldBody {
  trailers = '';
  /** Its own bytes, not the ring's. */
  readonly pieces: Buffer[] = [];
  /** The body is complete. */
  complete = false;
  /** Bytes of memory that the request takes. */
  bytes = 0;

  begin(headBytes: number, complete: boolean): void {
    this.trailers = '';
    this.complete = complete;
    this.bytes = headBytes;
  }

  /** `piece` is a view of the ring, and copied. */
  add(piece: Uint8Array, last: boolean): void {
    if (last) this.complete = true;
    if (piece.byteLength === 0) return;
    const copy = Buffer.allocUnsafe(piece.byteLength);
    copy.set(piece);
    this.pieces.push(copy);
    this.bytes += piece.byteLength;
  }

  clear(): void {
    this.trailers = '';
    this.pieces.length = 0;
    this.bytes = 0;
  }
}
