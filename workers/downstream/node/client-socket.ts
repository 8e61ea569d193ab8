import type { Socket } from 'node:net';
import { limits } from '../../../core/limits.js';
import { writeNow } from '../../../core/write-now.js';

/** Events of the bytes that a socket holds back because its client does not take them. */
export interface BacklogEvents {
  /** It holds bytes: nothing more should be written until `onTaken`. */
  onBacklog(): void;
  /** It has written some of them, but not all. */
  onProgress(): void;
  /** The kernel has all of them. */
  onTaken(): void;
}

const IPV4_MAPPED = '::ffff:';

/** The client's address without port; IPv4 that is mapped into IPv6 as IPv4. Empty for a unix socket. */
export function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith(IPV4_MAPPED) ? address.slice(IPV4_MAPPED.length) : address;
}

/** One client's socket on its way out: writes, and knows whether the client keeps up. */
export class ClientSocket {
  /** Bytes wait that the client does not take. */
  blocked = false;
  readonly socket: Socket;
  /** Over TLS. */
  readonly #secure: boolean;
  readonly #canReset: boolean;
  readonly #events: BacklogEvents;
  // Bound once, so that a write makes no closure.
  readonly #onWritten: () => void;

  /** `canReset`: a plain TCP connection. */
  constructor(socket: Socket, secure: boolean, canReset: boolean, events: BacklogEvents) {
    this.socket = socket;
    this.#secure = secure;
    this.#canReset = canReset;
    this.#events = events;
    this.#onWritten = () => this.#written();
  }

  /** Sends `bytes[0, count)`. True: the memory is still being read from, and must be left to the socket. */
  transmit(bytes: Buffer, count: number): boolean {
    const { socket } = this;
    if (!socket.writable) return false;
    // TLS encrypts later, and a socket with a backlog writes later: both need bytes of their own.
    const later = this.#secure || socket.writableLength > 0;
    const taken = later ? 0 : writeNow(socket, bytes, 0, count);
    if (taken === count) return false;
    const view = bytes.subarray(taken, count);
    socket.write(later ? Buffer.from(view) : view, this.#onWritten);
    // Right after the call the socket knows whether the kernel took everything (uv_try_write came first).
    const left = socket.writableLength;
    if (!this.blocked && left > (this.#secure ? limits.downstreamBufferBytes : 0)) {
      this.blocked = true;
      this.#events.onBacklog();
    }
    return !later && left > 0;
  }

  /** Closes at once, with a reset where that is asked for and possible. */
  destroy(reset: boolean): void {
    if (reset && this.#canReset) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  #written(): void {
    if (!this.blocked) return;
    if (this.socket.writableLength > 0) {
      this.#events.onProgress();
      return;
    }
    this.blocked = false;
    this.#events.onTaken();
  }
}
