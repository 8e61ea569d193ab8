import type { Socket } from 'node:net';
import type { Clock } from '../../../core/clock.js';
import { writeNow, writePartsNow } from '../../../core/write-now.js';
import type { WriteTarget } from '../../../core/write-queue.js';

/**
 * A client's socket as its session writes to it. Plain ones take bytes without a request of Node's. TLS
 * encrypts later, so a block is the socket's until it is written.
 */
export class Http2Output implements WriteTarget {
  /** When the socket last took bytes that it had held, or began to hold some. */
  takenUs = 0;
  readonly #socket: Socket;
  readonly #secure: boolean;
  readonly #clock: Clock;
  // Bound once, so that a write makes no closure.
  readonly #onWritten: () => void;

  /** `onTaken`: the socket holds nothing any more. */
  constructor(socket: Socket, secure: boolean, clock: Clock, onTaken: () => void) {
    this.#socket = socket;
    this.#secure = secure;
    this.#clock = clock;
    this.#onWritten = () => {
      this.takenUs = clock();
      if (!this.writing) onTaken();
    };
  }

  get writing(): boolean {
    return this.#socket.writableLength > 0;
  }

  get isDirect(): boolean {
    return !this.#secure && this.#socket.writable;
  }

  /** What comes after our side was closed is thrown away. */
  write(block: Buffer, start: number, end: number): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    const from = this.#secure ? start : start + writeNow(socket, block, start, end);
    if (from === end) return true;
    socket.write(block.subarray(from, end), this.#onWritten);
    this.takenUs = this.#clock();
    return !this.writing;
  }

  writeParts(parts: readonly Uint8Array[]): number {
    return this.isDirect ? writePartsNow(this.#socket, parts) : 0;
  }
}
