import { keepPiece } from '../http/kept-pieces.js';

/** The received part of the body of a request that waits for its turn on a shadow thread. */
export class HeldBody {
  trailers = '';
  /** Copies of the bytes, not views of the ring. */
  readonly pieces: Buffer[] = [];
  /** The body is complete. */
  complete = false;
  /** Bytes of memory that the request holds. */
  bytes = 0;

  begin(headBytes: number, complete: boolean): void {
    this.trailers = '';
    this.complete = complete;
    this.bytes = headBytes;
  }

  /** `add` copies `piece`, which is a view of the ring. */
  add(piece: Uint8Array, last: boolean): void {
    if (last) this.complete = true;
    if (piece.byteLength === 0) return;
    keepPiece(this.pieces, piece);
    this.bytes += piece.byteLength;
  }

  clear(): void {
    this.trailers = '';
    this.pieces.length = 0;
    this.bytes = 0;
  }
}
