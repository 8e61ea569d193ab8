import { limits } from '../../../core/limits.js';
import type { TunnelSink, UpstreamTunnel } from '../../../core/upstream/tunnel.js';
import { SendStatus, type UwsWebSocket, type UwsWebSocketUser } from './binding.js';
import { type FrameSender, type FrameSocket, Receiver, Sender } from './frames.js';
import { MessageTurns } from './message-turns.js';
import type { BytesHolder } from './websocket-bytes.js';

/** What a bridge needs of its engine. */
export interface BridgeOwner {
  onBridgeOpened(bridge: WebSocketBridge): void;
  onBridgeClosed(bridge: WebSocketBridge): void;
  /** Runs `run`, while the cork is on another socket. */
  corkElsewhere(run: () => void): void;
  /** The bridge holds so many bytes more, or fewer; its connection may be closed before this returns. */
  onHeldChanged(bytes: number): void;
  /** A side of the bridge took too little, and it closes. */
  onGaveWay(): void;
}

/**
 * Codes that stand for "none was sent" and "the connection broke": they may not go over the wire (RFC 6455,
 * section 7.4.1).
 */
const NO_CODE = 1005;
const ABNORMAL = 1006;
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;

const PROTOCOL_ERROR = 1002;
const NOT_UTF8 = 1007;
const TOO_LONG = 1009;

/** Codes for the reasons with which uWS closes a client that breaks the rules. */
const codesOfReasons: Readonly<Record<string, number>> = {
  'Received invalid UTF-8': NOT_UTF8,
  'Received too big message': TOO_LONG,
};
/** Codes for the errors of `ws`, beside the protocol error. */
const codesOfErrors: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: NOT_UTF8,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: TOO_LONG,
};

const nothing = Buffer.alloc(0);

/** Shared by all bridges of this thread. */
const threadTurns = new MessageTurns();

/**
 * One WebSocket: uWS speaks to the client in messages, `ws` makes frames of them for the primary's tunnel and
 * messages of the primary's frames. Pings are answered on each side by whoever got them. A slow client pauses
 * the tunnel; uWS can't be made to read less of a client, so one that the primary is too slow for is closed
 * with 1013.
 */
export class WebSocketBridge implements TunnelSink, UwsWebSocketUser, BytesHolder {
  readonly #owner: BridgeOwner;
  readonly #tunnel: UpstreamTunnel;
  readonly #sender: FrameSender;
  readonly #turns: MessageTurns;
  readonly #receiver = new Receiver({ isServer: false, maxPayload: limits.webSocketMessageBytes });
  #client: UwsWebSocket | null = null;
  /** Bytes of the upstream that wait for a turn. */
  #waitingPieces: Buffer[] = [];
  /** One side closed, and the other was notified. */
  #closing = false;
  /** Bytes of messages that the client has not taken, and the upstream. */
  #clientBytes = 0;
  #upstreamBytes = 0;
  /** Bytes from the upstream since its last whole message: of one that is not whole yet. */
  #partBytes = 0;
  /** The upstream has closed, and the client has not taken all that came before. */
  #endsWith: { readonly code: number; readonly reason: Buffer } | null = null;
  /** What the owner was notified of. */
  heldBytes = 0;

  constructor(owner: BridgeOwner, tunnel: UpstreamTunnel, turns: MessageTurns = threadTurns) {
    this.#turns = turns;
    this.#owner = owner;
    this.#tunnel = tunnel;
    this.#sender = new Sender(new FrameWriter(tunnel));
    this.#receiver.on('message', (message: Buffer, isBinary: boolean) => this.#toClient(message, isBinary));
    this.#receiver.on('ping', (data: Buffer) => this.#sender.pong(data, true));
    this.#receiver.on('conclude', (code: number, reason: Buffer) => this.#onUpstreamClose(code, reason));
    this.#receiver.on('error', ({ code }) => {
      this.#onUpstreamClose(codesOfErrors[code] ?? PROTOCOL_ERROR, nothing);
    });
    tunnel.attach(this);
  }

  // From uWS.

  onOpen(client: UwsWebSocket): void {
    this.#client = client;
    this.#owner.onBridgeOpened(this);
  }

  /** `message` dies with the call. */
  onMessage(message: ArrayBuffer, isBinary: boolean): void {
    if (this.#closing) return;
    if (message.byteLength > limits.webSocketMessageBytes) {
      this.#closeUpstream(TOO_LONG, nothing);
      this.#client?.end(TOO_LONG);
      return;
    }
    this.#sender.send(Buffer.from(message), { binary: isBinary, fin: true, compress: false, mask: true });
    this.#upstreamBytes = this.#tunnel.heldBytes;
    if (this.#upstreamBytes <= limits.webSocketHeldBytes) {
      this.#count();
      return;
    }
    this.#owner.onGaveWay();
    this.#closeUpstream(ABNORMAL, nothing);
    this.#client?.end(TRY_AGAIN_LATER, 'the upstream is too slow');
  }

  /** Some of what was sent to the client is on its way. */
  onDrain(): void {
    if (this.#client === null) return;
    this.#clientBytes = this.#client.getBufferedAmount();
    this.#count();
    if (this.#clientBytes > 0) return;
    if (this.#endsWith === null) this.#resume();
    else this.#endClient(this.#endsWith.code, this.#endsWith.reason);
  }

  /** The client's side is over; uWS has released it. */
  onClose(code: number, reason: ArrayBuffer): void {
    this.#client = null;
    const text = Buffer.from(reason);
    const ownCode = code === ABNORMAL ? codesOfReasons[text.toString()] : undefined;
    if (ownCode === undefined) this.#closeUpstream(code, text);
    else this.#closeUpstream(ownCode, nothing);
    this.#forget();
    this.#owner.onBridgeClosed(this);
  }

  giveWay(): void {
    // Not with a close frame: it would wait behind what the client does not take.
    if (this.#closing) this.#client?.close();
    else this.#cut();
    this.#forget();
  }

  /** umbra stops: both sides learn that this end goes away. */
  goAway(): void {
    this.#closeUpstream(GOING_AWAY, nothing);
    this.#client?.end(GOING_AWAY, '');
  }

  // From the tunnel.

  onTunnelData(bytes: Uint8Array): void {
    // It works off what it gets before it returns, so its own backpressure says nothing; the bytes die with
    // the call.
    this.#partBytes += bytes.length;
    const piece = Buffer.from(bytes);
    if (!this.#isWaiting && !this.#turns.isOver) this.#receiver.write(piece);
    else this.#wait(piece);
    this.#count();
  }

  onTunnelDrain(): void {
    this.#upstreamBytes = 0;
    this.#count();
  }

  /** An end without a close frame before it is a break, and the client must be able to see that. */
  onTunnelEnd(): void {
    this.#passOn();
    this.#cut();
  }

  onTunnelClosed(): void {
    this.#passOn();
    this.#cut();
  }

  get #isWaiting(): boolean {
    return this.#waitingPieces.length > 0;
  }

  /** The upstream is paused meanwhile, so there is little more than one read. */
  #wait(piece: Buffer): void {
    if (!this.#isWaiting) {
      this.#tunnel.pause();
      this.#turns.later(() => {
        this.#passOn();
        this.#resume();
        this.#count();
      });
    }
    this.#waitingPieces.push(piece);
  }

  #passOn(): void {
    for (const piece of this.#waitingPieces.splice(0)) this.#receiver.write(piece);
  }

  /** `#resume` reads the upstream on if neither the client nor a turn holds it up. */
  #resume(): void {
    if (this.#clientBytes === 0 && !this.#isWaiting) this.#tunnel.resume();
  }

  #toClient(message: Buffer, isBinary: boolean): void {
    this.#partBytes = 0;
    this.#turns.passed(message.length);
    if (this.#closing || this.#client === null) return;
    switch (this.#client.send(message, isBinary, false)) {
      case SendStatus.BACKPRESSURE:
        this.#clientBytes = this.#client.getBufferedAmount();
        this.#tunnel.pause();
        return;
      case SendStatus.DROPPED:
        this.#cut();
        return;
    }
  }

  #onUpstreamClose(code: number, reason: Buffer): void {
    if (this.#closing) return;
    this.#closeUpstream(code, reason);
    // What uWS holds after `end` can't be seen any more: the close frame comes behind it, and then closes.
    if (this.#clientBytes === 0) this.#endClient(code, reason);
    else this.#endsWith = { code, reason };
  }

  #endClient(code: number, reason: Buffer): void {
    // Calls `onClose` before it returns.
    if (code === NO_CODE) this.#client?.end();
    else this.#client?.end(code, reason);
  }

  /**
   * Notifies the upstream, once: a close frame where there is a code for it, and the end of the connection.
   */
  #closeUpstream(code: number, reason: Buffer): void {
    if (this.#closing) return;
    this.#closing = true;
    const tunnel = this.#tunnel;
    if (code === ABNORMAL) {
      tunnel.destroy();
      return;
    }
    this.#sender.close(code === NO_CODE || code === 0 ? undefined : code, reason, true);
    tunnel.resume();
    tunnel.end();
    // It ends its own side in answer; one that does not is not waited for.
    setTimeout(() => tunnel.destroy(), limits.webSocketCloseMs).unref();
  }

  #count(): void {
    const held = this.#client === null ? 0 : this.#clientBytes + this.#upstreamBytes + this.#partBytes;
    const change = held - this.heldBytes;
    if (change === 0) return;
    this.heldBytes = held;
    this.#owner.onHeldChanged(change);
  }

  #forget(): void {
    this.#clientBytes = 0;
    this.#upstreamBytes = 0;
    this.#partBytes = 0;
    this.#count();
  }

  /** A side broke, or spoke nonsense: the other breaks too. */
  #cut(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#tunnel.destroy();
    this.#client?.close();
  }
}

/** What a Sender needs of a socket, over a tunnel: the parts of one frame go out together. */
class FrameWriter implements FrameSocket {
  readonly #tunnel: UpstreamTunnel;
  #parts: Buffer[] = [];
  #corked = false;

  constructor(tunnel: UpstreamTunnel) {
    this.#tunnel = tunnel;
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): void {
    this.#corked = false;
    this.#tunnel.write(this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts));
    this.#parts = [];
  }

  write(part: Buffer, written?: () => void): void {
    if (this.#corked) this.#parts.push(part);
    else this.#tunnel.write(part);
    written?.();
  }
}

/** How uWS treats the client's side of every bridge. */
export const webSocketBehavior = {
  compression: 0,
  // uWS closes without a close frame. So what is too long by less than as much again is left to the bridge.
  maxPayloadLength: 2 * limits.webSocketMessageBytes,
  idleTimeout: limits.webSocketIdleSeconds,
  sendPingsAutomatically: true,
  maxBackpressure: limits.webSocketHeldBytes,
  closeOnBackpressureLimit: false,
} as const;
