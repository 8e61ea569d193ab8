/**
 * What umbra uses of the uWebSockets.js addon. Written by hand, because the package's own types leave out
 * child apps and timeouts, and allow far more than the engine may do (see docs/decisions/010-uws-engine.md).
 */

export interface Uws {
  App(): UwsApp;
  SSLApp(options: { readonly key_file_name: string; readonly cert_file_name: string }): UwsApp;
  us_listen_socket_close(socket: UwsListenSocket): void;
  /** -1 when it has none. */
  us_socket_local_port(socket: UwsListenSocket): number;
  /** Undocumented switches; the only one used here is `HIDE_SERVER_HEADER`. Per thread. */
  _cfg(code: string): void;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}

/** Makes `_cfg` leave out the `uWebSockets: 20` response field. */
export const HIDE_SERVER_HEADER = '999999990007';

declare const listenSocket: unique symbol;
declare const descriptor: unique symbol;
export type UwsListenSocket = { readonly [listenSocket]: true };
/**
 * A child app, as its acceptor needs it: the app's address in the process, disguised as a number. It survives
 * `postMessage` between threads of one process and means nothing anywhere else.
 */
export type UwsDescriptor = number & { readonly [descriptor]: true };

export interface UwsApp {
  any(pattern: string, handler: (res: UwsResponse, req: UwsRequest) => void): UwsApp;
  /** Takes GET requests with a `Sec-WebSocket-Key`, before `any` does. */
  ws(pattern: string, behavior: UwsWebSocketBehavior): UwsApp;
  /**
   * `change` is 1 for a connection that opened, -1 for one that closed (called before `onAborted`, and not
   * for one that became a WebSocket).
   */
  filter(handler: (res: UwsResponse, change: number) => void): UwsApp;
  listen(
    host: string,
    port: number,
    options: number,
    listening: (socket: UwsListenSocket | false) => void,
  ): UwsApp;
  listen_unix(listening: (socket: UwsListenSocket | false) => void, path: string): UwsApp;
  getDescriptor(): UwsDescriptor;
  addChildAppDescriptor(child: UwsDescriptor): UwsApp;
  removeChildAppDescriptor(child: UwsDescriptor): UwsApp;
  setIdleTimeout(seconds: number): void;
  setResponseTimeout(seconds: number): void;
  /**
   * Closes every socket of this app, listening ones included. Every pending response sees `onAborted` first.
   */
  close(): UwsApp;
}

declare const upgradeContext: unique symbol;
export type UwsUpgradeContext = { readonly [upgradeContext]: true };

/** `send`'s answers. */
export const SendStatus = { BACKPRESSURE: 0, SUCCESS: 1, DROPPED: 2 } as const;

/** Who takes the events of one WebSocket. */
export interface UwsWebSocketUser {
  onOpen(client: UwsWebSocket): void;
  /** `message` dies with the call. */
  onMessage(message: ArrayBuffer, isBinary: boolean): void;
  onDrain(): void;
  onClose(code: number, reason: ArrayBuffer): void;
}

/** Throws on any use after its `close` handler. */
export interface UwsWebSocket {
  getUserData(): { readonly bridge: UwsWebSocketUser };
  send(message: Uint8Array, isBinary: boolean, compress: boolean): number;
  cork(run: () => void): void;
  getBufferedAmount(): number;
  /** Sends a close frame, without a code if there is none, then closes. Calls `close` before it returns. */
  end(code?: number, reason?: string | Uint8Array): void;
  /** Closes without a word. Calls `close` before it returns. */
  close(): void;
}

export interface UwsWebSocketBehavior {
  readonly compression: number;
  readonly maxPayloadLength: number;
  /** Seconds. */
  readonly idleTimeout: number;
  readonly sendPingsAutomatically: boolean;
  readonly maxBackpressure: number;
  readonly closeOnBackpressureLimit: boolean;
  /** Decides about a handshake; without it every one is taken. */
  upgrade?(res: UwsResponse, req: UwsRequest, context: UwsUpgradeContext): void;
  open(ws: UwsWebSocket): void;
  /** The buffer is detached when the handler returns. */
  message(ws: UwsWebSocket, message: ArrayBuffer, isBinary: boolean): void;
  drain(ws: UwsWebSocket): void;
  /** 1005: no code came; 1006: no close frame came. */
  close(ws: UwsWebSocket, code: number, reason: ArrayBuffer): void;
}

/** Dies when the handler returns. All strings are decoded from UTF-8, bytes that are none become U+FFFD. */
export interface UwsRequest {
  getCaseSensitiveMethod(): string;
  /** The target up to its first `?`. */
  getUrl(): string;
  /** What follows the first `?`; undefined when there is none. */
  getQuery(): string | undefined;
  /** Names come in lower case; order and repeats are kept. */
  /** The first field with this name, which is in lower case; empty when there is none. */
  getHeader(lowerName: string): string;
  forEach(field: (name: string, value: string) => void): void;
}

/** Throws on any use after its end: a completed response, `close`, or `onAborted`. */
export interface UwsResponse {
  /** Writes `HTTP/1.1 `, the bytes and CRLF, unchecked. Only the first call writes. */
  writeStatus(bytes: Uint8Array): UwsResponse;
  /** Writes name, `: `, value and CRLF, unchecked. */
  writeHeader(name: Uint8Array | string, value: Uint8Array | string): UwsResponse;
  /** One chunk. False: the rest was buffered, without a bound. */
  write(chunk: Uint8Array): boolean;
  /** The next bytes of a body of `totalBytes`. An empty chunk would end the response. */
  tryEnd(chunk: Uint8Array, totalBytes: number): [ok: boolean, complete: boolean];
  end(body?: string | Uint8Array, closeConnection?: boolean): UwsResponse;
  endWithoutBody(reportedContentLength?: number, closeConnection?: boolean): UwsResponse;
  close(): UwsResponse;
  cork(run: () => void): UwsResponse;
  /** Bytes of the body that `tryEnd` took so far. */
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): UwsResponse;
  onAborted(handler: () => void): UwsResponse;
  /** The buffer is detached when the handler returns. */
  onData(handler: (piece: ArrayBuffer, last: boolean) => void): UwsResponse;
  pause(): void;
  resume(): void;
  /**
   * Answers 101 with what `writeStatus` wrote before and the fields of the handshake. The properties of
   * `data` are copied. Ends `this`.
   */
  upgrade<T>(data: T, key: string, protocol: string, extensions: string, context: UwsUpgradeContext): void;
  /** 4 or 16 bytes, or none on a unix socket. */
  getRemoteAddress(): ArrayBuffer;
}
