import type { TunnelSink, UpstreamTunnel } from '../../../core/upstream/tunnel.js';

/** The client's connection, as its end of a tunnel needs it. */
export interface TunnelClient {
  /** False: send no more until `onRoom`. */
  sendTunnelled(bytes: Uint8Array): boolean;
  /** The upstream sends no more: closes our side when everything is written. */
  endTunnel(): void;
  /** The tunnel is gone: closes the connection when everything is written. */
  leaveTunnel(): void;
  destroy(reset: boolean): void;
  pauseReading(): void;
  resumeReading(): void;
}

/**
 * The client's end of a connection that left HTTP: bytes both ways as they come, with backpressure, each
 * direction closed by itself. Whatever the protocol, WebSocket included.
 */
export class TunnelEnd implements TunnelSink {
  readonly #client: TunnelClient;
  readonly #tunnel: UpstreamTunnel;
  #upstreamEnded = false;

  constructor(client: TunnelClient, tunnel: UpstreamTunnel) {
    this.#client = client;
    this.#tunnel = tunnel;
    tunnel.attach(this);
  }

  // From the client.

  fromClient(bytes: Uint8Array): void {
    if (!this.#tunnel.write(bytes)) this.#client.pauseReading();
  }

  onRoom(): void {
    this.#tunnel.resume();
  }

  onClientFin(): void {
    this.#tunnel.end();
  }

  onClientGone(): void {
    this.#tunnel.destroy();
  }

  // From the upstream.

  onTunnelData(bytes: Uint8Array): void {
    if (!this.#client.sendTunnelled(bytes)) this.#tunnel.pause();
  }

  onTunnelDrain(): void {
    this.#client.resumeReading();
  }

  onTunnelEnd(): void {
    this.#upstreamEnded = true;
    this.#client.endTunnel();
  }

  onTunnelClosed(): void {
    // What was cut must look cut to the client too; what ended in order may still be on its way.
    if (this.#upstreamEnded) this.#client.leaveTunnel();
    else this.#client.destroy(true);
  }
}
