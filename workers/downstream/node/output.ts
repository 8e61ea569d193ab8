import { latin1Write } from '../../../core/http/wire.js';
import { limits } from '../../../core/limits.js';

/** A connection, as the output sees it. */
export interface OutputOwner {
  /** Sends `bytes[0, count)`. True: the memory is still being read from, and must be left to the socket. */
  transmit(bytes: Buffer, count: number): boolean;
}

/** Room for a head, for one piece of a body, and for what frames both. */
const OUTPUT_BYTES = limits.responseHeadBytes + limits.readBufferBytes + 4096;

/**
 * Where the responses of one thread are put together: what a turn of the proxy says to one client leaves in
 * one write. One buffer serves all connections, for the kernel usually takes what it is given before the call
 * returns; memory that a slow client's socket holds on to is replaced.
 */
export class Output {
  #bytes = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  #used = 0;
  /** Bytes that were sent before those at hand. */
  #sent = 0;
  #owner: OutputOwner | null = null;

  /** What is written from now on is for `owner`. Bytes of another one leave first. */
  claim(owner: OutputOwner): void {
    if (this.#owner === owner) return;
    this.flush();
    this.#owner = owner;
  }

  /** A wire string. */
  text(text: string): void {
    this.reserve(text.length);
    latin1Write(this.#bytes, text, this.#used);
    this.#used += text.length;
  }

  bytes(piece: Uint8Array): void {
    let from = 0;
    while (piece.length - from > this.#bytes.length - this.#used) {
      const count = this.#bytes.length - this.#used;
      this.#bytes.set(piece.subarray(from, from + count), this.#used);
      this.#used += count;
      from += count;
      this.#makeRoom();
    }
    this.#bytes.set(from === 0 ? piece : piece.subarray(from), this.#used);
    this.#used += piece.length - from;
  }

  /** Makes room for `bytes` bytes at `end` of `memory`; then say with `wrote` how many they were. */
  reserve(bytes: number): void {
    if (bytes > this.#bytes.length - this.#used) this.#makeRoom();
  }

  get memory(): Buffer {
    return this.#bytes;
  }

  get end(): number {
    return this.#used;
  }

  wrote(bytes: number): void {
    this.#used += bytes;
  }

  /** Sends what there is. */
  flush(): void {
    const count = this.#used;
    if (count === 0) return;
    // Reset first: a socket that fails may make its owner write again.
    this.#used = 0;
    this.#sent += count;
    if (this.#owner!.transmit(this.#bytes, count)) this.#bytes = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  }

  /** Where the next byte goes, for `rewind`. */
  get position(): number {
    return this.#sent + this.#used;
  }

  /** Drops what was put in since `position`. False: some of it was sent, or it is not `owner`'s. */
  rewind(owner: OutputOwner, position: number): boolean {
    if (this.#owner !== owner || position < this.#sent) return false;
    this.#used = position - this.#sent;
    return true;
  }

  /** `flush`, if the bytes are `owner`'s; then `owner` may go. */
  release(owner: OutputOwner): void {
    if (this.#owner !== owner) return;
    this.flush();
    this.#owner = null;
  }

  #makeRoom(): void {
    this.flush();
    this.#used = 0;
  }
}
