/** A WINDOW_UPDATE is sent when this share of the window has been used. */
const SHARE_RETURNED = 1 / 2;

/** Our window for one stream or for the whole connection (RFC 9113, section 5.2). */
export class ReceiveWindow {
  readonly #size: number;
  /** Bytes that the peer may still send. */
  #left: number;
  /** Bytes that were received and not returned to the peer. */
  #unreturned = 0;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /** Takes received bytes from the window. False: the peer exceeded it. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    this.#unreturned += bytes;
    return this.#left >= 0;
  }

  /** Returns the increment for a WINDOW_UPDATE, which the caller sends; 0: not yet worth a frame. */
  return(): number {
    const bytes = this.#unreturned;
    if (bytes < this.#size * SHARE_RETURNED) return 0;
    this.#left += bytes;
    this.#unreturned = 0;
    return bytes;
  }
}
