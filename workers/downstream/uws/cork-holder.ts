import { connect, type Socket } from 'node:net';
import type { Uws, UwsApp, UwsWebSocket } from './binding.js';

const host = '127.0.0.1';
/** The key of RFC 6455, section 1.3: any will do. */
const handshake =
  'GET / HTTP/1.1\r\nHost: umbra\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const messageBytesMax = 1024;

/**
 * A WebSocket of this thread with itself, on which nothing is ever sent. uWS has one cork in a thread: while
 * this one has it, no other socket has, and one that becomes a WebSocket meanwhile does so without
 * (docs/decisions/015). For as long as it takes to open, some milliseconds at the start of the thread, a port
 * of the loopback is listened to.
 */
export class CorkHolder {
  static #ofThread: CorkHolder | null = null;
  readonly #app: UwsApp;
  #webSocket: UwsWebSocket | null = null;
  #client: Socket | null = null;
  #users = 0;

  /**
   * The one of this thread, for one more engine: it opens for the first, and closes when the last one has let
   * it go.
   */
  static ofThread(uws: Uws): CorkHolder {
    CorkHolder.#ofThread ??= new CorkHolder(uws);
    CorkHolder.#ofThread.#users++;
    return CorkHolder.#ofThread;
  }

  private constructor(uws: Uws) {
    this.#app = uws.App();
    let stopListening = (): void => {};
    this.#app.ws('/*', {
      compression: 0,
      maxPayloadLength: messageBytesMax,
      idleTimeout: 0,
      sendPingsAutomatically: false,
      maxBackpressure: messageBytesMax,
      closeOnBackpressureLimit: true,
      open: (webSocket) => {
        this.#webSocket = webSocket;
        stopListening();
      },
      message: () => {},
      drain: () => {},
      close: () => {
        this.#webSocket = null;
      },
    });
    this.#app.listen(host, 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (socket === false) return;
      stopListening = () => {
        uws.us_listen_socket_close(socket);
        stopListening = () => {};
      };
      this.#client = connect(uws.us_socket_local_port(socket), host, () => this.#client!.write(handshake));
      this.#client.on('error', () => stopListening()).resume();
      this.#client.unref();
    });
  }

  /** Runs `run` with the cork on this one's socket; at once and without, where there is none. */
  run(run: () => void): void {
    if (this.#webSocket === null) run();
    else this.#webSocket.cork(run);
  }

  /** `letGo` is called once for each engine that took the holder. */
  letGo(): void {
    this.#users--;
    if (this.#users > 0) return;
    CorkHolder.#ofThread = null;
    this.#client?.destroy();
    this.#app.close();
  }
}
