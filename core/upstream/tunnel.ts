import type { Socket } from 'node:net';
import { limits } from '../limits.js';

/** The client's end of a tunnel, implemented by an engine. It is called on the thread of the connection. */
export interface TunnelSink {
  /** Bytes from the upstream, valid during the call only. */
  onTunnelData(bytes: Uint8Array): void;
  /** The upstream has taken everything after `write` returned false. */
  onTunnelDrain(): void;
  /** The upstream will send no more, but may still read: writes reach it until `end` or `destroy`. */
  onTunnelEnd(): void;
  /** The connection is gone, and no further event follows. Not called after `destroy`. */
  onTunnelClosed(): void;
}

/** The services of the connection that a tunnel needs. */
export interface TunnelOwner {
  pause(): void;
  resume(): void;
  /** The tunnel has ended: closes the socket and removes the connection from the counters. */
  closeTunnel(): void;
}

/**
 * A connection that left HTTP (RFC 9110, section 7.8): it passes bytes both ways until one end closes. It no
 * longer belongs to its pool, so tunnels, which may live for days, use no places of requests. Their number is
 * bounded by the clients that hold them. This is not the hot path: written bytes are copied.
 */
export class UpstreamTunnel {
  readonly #owner: TunnelOwner;
  readonly #socket: Socket;
  #sink: TunnelSink | null = null;
  #drainOwed = false;
  #ended = false;
  #over = false;
  /** The sink does not want bytes now. */
  #paused = false;
  /** Bytes since the tunnel last yielded to other sockets. It is yielding while `#yields` is true. */
  #turnBytes = 0;
  #yields = false;
  readonly #readOn: () => void;

  constructor(owner: TunnelOwner, socket: Socket) {
    this.#owner = owner;
    this.#socket = socket;
    this.#readOn = () => {
      this.#yields = false;
      this.#turnBytes = 0;
      if (!this.#over && !this.#paused) owner.resume();
    };
  }

  /** `attach` sets the receiver of the bytes. */
  attach(sink: TunnelSink): void {
    this.#sink = sink;
  }

  get attached(): boolean {
    return this.#sink !== null;
  }

  /**
   * Bytes that the kernel has not taken yet. The engine bounds them, and must close the tunnel when it can't
   * pause its client.
   */
  get heldBytes(): number {
    return this.#socket.writableLength;
  }

  /** `write` copies `bytes`. False: wait for `onTunnelDrain`. Ignored after the tunnel has ended. */
  write(bytes: Uint8Array): boolean {
    if (this.#over || this.#ended || bytes.length === 0) return true;
    this.#socket.write(Buffer.from(bytes));
    if (this.#socket.writableLength === 0) return true;
    if (!this.#drainOwed) {
      this.#drainOwed = true;
      this.#socket.once('drain', () => this.#reportDrained());
      // Node reports a drain only above its own mark. Below it, the callback of an empty write comes at the
      // same time.
      if (!this.#socket.writableNeedDrain) this.#socket.write('', () => this.#reportDrained());
    }
    return false;
  }

  /** `end` is called when no more will be written. Written bytes are sent first. */
  end(): void {
    if (this.#over || this.#ended) return;
    this.#ended = true;
    this.#socket.end();
  }

  pause(): void {
    this.#paused = true;
    if (!this.#over) this.#owner.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#over && !this.#yields) this.#owner.resume();
  }

  /** `destroy` closes at once. The sink gets no further event. */
  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink = null;
    this.#owner.closeTunnel();
  }

  // From the connection.

  /**
   * `onData` passes bytes on. libuv reads a socket up to 32 times before it turns to another, so the tunnel
   * yields earlier.
   */
  onData(bytes: Uint8Array): void {
    this.#sink?.onTunnelData(bytes);
    this.#turnBytes += bytes.length;
    if (this.#turnBytes < limits.tunnelTurnBytes || this.#yields || this.#over) return;
    this.#yields = true;
    this.#owner.pause();
    setImmediate(this.#readOn);
  }

  onEnd(): void {
    this.#sink?.onTunnelEnd();
  }

  onClosed(): void {
    if (this.#over) return;
    this.#over = true;
    const sink = this.#sink;
    this.#sink = null;
    sink?.onTunnelClosed();
  }

  #reportDrained(): void {
    if (!this.#drainOwed || this.#over || this.#socket.writableLength > 0) return;
    this.#drainOwed = false;
    this.#sink?.onTunnelDrain();
  }
}
