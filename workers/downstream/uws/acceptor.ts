import net from 'node:net';
import type { Address, ListenerPlan } from '../../../core/plan.js';
import { addressName, causeOf, findPort, prepareSocketPath } from '../listen-address.js';
import { SocketFile } from '../socket-file.js';
import { newApp } from './app.js';
import type { Uws, UwsApp, UwsDescriptor, UwsListenSocket } from './binding.js';

const NO_CHILD = 'No thread serves at the moment.\n';
/**
 * Accepts on one address, on the main thread, and hands connections out to the child apps of proxy threads in
 * strict round robin. With no child it answers 503 itself. All methods are for the main thread.
 */
export class UwsAcceptor {
  /** The real one, also where 0 was asked for; 0 for a unix socket. */
  readonly port: number;
  readonly #uws: Uws;
  readonly #app: UwsApp;
  /** The file of a unix socket. */
  readonly #file: SocketFile | null;
  #socket: UwsListenSocket | null;

  private constructor(uws: Uws, app: UwsApp, socket: UwsListenSocket, file: SocketFile | null) {
    this.#uws = uws;
    this.#app = app;
    this.#file = file;
    this.#socket = socket;
    this.port = file === null ? uws.us_socket_local_port(socket) : 0;
  }

  /**
   * With `takeover` the address may be another process's, which is to stop when this one serves; else it must
   * be free. Rejects with an Error of one line that names the address and the cause.
   */
  static async listen(uws: Uws, listener: ListenerPlan, takeover = false): Promise<UwsAcceptor> {
    const { address, socketMode } = listener;
    const file = address.kind === 'unix' ? new SocketFile(address.path, socketMode) : null;
    let port = 0;
    if (file !== null) await prepareSocketPath(file, takeover);
    else if (address.kind === 'tcp') {
      port = takeover ? address.port : await findPort(address.host, address.port);
    }
    const app = makeApp(uws, listener);
    const toBind: Address =
      file === null ? ({ ...address, port } as Address) : { kind: 'unix', path: file.bindPath };
    const socket = await bind(uws, app, toBind);
    if (socket === null) {
      app.close();
      throw new Error(`cannot listen on ${addressName(address)}: ${await whyNot(toBind)}`);
    }
    try {
      file?.place();
    } catch (error) {
      uws.us_listen_socket_close(socket);
      app.close();
      throw new Error(`cannot listen on ${addressName(address)}: ${(error as Error).message}`);
    }
    return new UwsAcceptor(uws, app, socket, file);
  }

  addChild(descriptor: UwsDescriptor): void {
    this.#app.addChildAppDescriptor(descriptor);
  }

  /** Must come before the child's thread closes its app. */
  removeChild(descriptor: UwsDescriptor): void {
    this.#app.removeChildAppDescriptor(descriptor);
  }

  /** New connections are refused from now on; a unix socket's file goes. */
  stopListening(): void {
    if (this.#socket === null) return;
    this.#uws.us_listen_socket_close(this.#socket);
    this.#socket = null;
    this.#file?.remove();
  }

  close(): void {
    this.stopListening();
    this.#app.close();
  }
}

function makeApp(uws: Uws, { tls, address }: ListenerPlan): UwsApp {
  try {
    return newApp(uws, tls).any('/*', (res) => {
      res.writeStatus(Buffer.from('503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8'));
      res.end(NO_CHILD, true);
    });
  } catch (cause) {
    throw new Error(`cannot listen on ${addressName(address)}: ${(cause as Error).message}`, { cause });
  }
}

function bind(uws: Uws, app: UwsApp, address: Address): Promise<UwsListenSocket | null> {
  return new Promise((resolve) => {
    const listening = (socket: UwsListenSocket | false): void => resolve(socket === false ? null : socket);
    if (address.kind === 'unix') app.listen_unix(listening, address.path);
    else app.listen(address.host, address.port, sharing(uws), listening);
  });
}

/**
 * Returns the options of a listening socket: SO_REUSEPORT on Linux, so that another process may take the port
 * over; whether it was free is known by then.
 */
function sharing(uws: Uws): number {
  return process.platform === 'linux' ? 0 : uws.LIBUS_LISTEN_EXCLUSIVE_PORT;
}

/** uWS only says that it failed: Node's own listener is asked for the reason. */
function whyNot(address: Address): Promise<string> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(causeOf(error)));
    server.listen(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
      () => server.close(() => resolve('uWebSockets.js gave no reason')),
    );
  });
}
