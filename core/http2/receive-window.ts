/** The window is opened again when this part of it has been used. */
const SHARE_RETURNED = 1 / 2;

/** What a peer may send us on one stream, or on the whole connection (RFC 9113, section 5.2). */
export class ReceiveWindow {
  readonly #size: number;
  /** Bytes that the peer may still send. */
  #left: number;
  /** Bytes that came and were not given back. */
  #unreturned = 0;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /** Bytes came. False: more than the window had. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    this.#unreturned += bytes;
    return this.#left >= 0;
  }

  /** How much a WINDOW_UPDATE gives back now, which the caller sends; 0: it is not worth a frame. */
  return(): number {
    const bytes = this.#unreturned;
    if (bytes < this.#size * SHARE_RETURNED) return 0;
    this.#left += bytes;
    this.#unreturned = 0;
    return bytes;
  }
}
