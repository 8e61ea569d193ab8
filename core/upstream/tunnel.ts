import type { Socket } from 'node:net';

/** The client's end of a tunnel, as an engine implements it. Called on the thread of the connection. */
export interface TunnelSink {
  /** Bytes from the upstream; they die with the call. */
  onTunnelData(bytes: Uint8Array): void;
  /** After `write` returned false: the upstream has taken all of it. */
  onTunnelDrain(): void;
  /**
   * The upstream will send no more. It may still read; what is written goes to it until `end` or `destroy`.
   */
  onTunnelEnd(): void;
  /** The connection is gone; nothing comes after this. Not called after `destroy`. */
  onTunnelClosed(): void;
}

/** What a tunnel needs of its connection. */
export interface TunnelOwner {
  pause(): void;
  resume(): void;
  /** The tunnel is over: the socket goes, and with it the connection's place in the figures. */
  closeTunnel(): void;
}

/**
 * A connection that left HTTP (RFC 9110, section 7.8): bytes both ways, as they come, until one end closes.
 * It no longer belongs to its pool, so that tunnels, which may live for days, take no place from requests;
 * how many there are is bounded by the clients that hold them. Not the hot path: what is written is copied.
 */
export class UpstreamTunnel {
  readonly #owner: TunnelOwner;
  readonly #socket: Socket;
  #sink: TunnelSink | null = null;
  #drainOwed = false;
  #ended = false;
  #over = false;

  constructor(owner: TunnelOwner, socket: Socket) {
    this.#owner = owner;
    this.#socket = socket;
  }

  /** Who takes the bytes from now on. */
  attach(sink: TunnelSink): void {
    this.#sink = sink;
  }

  get attached(): boolean {
    return this.#sink !== null;
  }

  /**
   * Bytes that the kernel has not taken yet. The engine bounds them: where it can't stop its client, it must
   * close.
   */
  get heldBytes(): number {
    return this.#socket.writableLength;
  }

  /** Copies `bytes`. False: hold back until `onTunnelDrain`. Ignored when the tunnel is over. */
  write(bytes: Uint8Array): boolean {
    if (this.#over || this.#ended || bytes.length === 0) return true;
    this.#socket.write(Buffer.from(bytes));
    if (this.#socket.writableLength === 0) return true;
    if (!this.#drainOwed) {
      this.#drainOwed = true;
      this.#socket.once('drain', () => this.#reportDrained());
      // Node reports a drain only above its own mark; below it the callback of an empty write comes as late.
      if (!this.#socket.writableNeedDrain) this.#socket.write('', () => this.#reportDrained());
    }
    return false;
  }

  /** No more will be written; what was goes out first. */
  end(): void {
    if (this.#over || this.#ended) return;
    this.#ended = true;
    this.#socket.end();
  }

  pause(): void {
    if (!this.#over) this.#owner.pause();
  }

  resume(): void {
    if (!this.#over) this.#owner.resume();
  }

  /** Closes at once; the sink hears nothing more. */
  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink = null;
    this.#owner.closeTunnel();
  }

  // From the connection.

  onData(bytes: Uint8Array): void {
    this.#sink?.onTunnelData(bytes);
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
