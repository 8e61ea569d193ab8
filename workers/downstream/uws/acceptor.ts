import { rmSync } from 'node:fs';
import net from 'node:net';
import type { Address, ListenerPlan } from '../../../core/plan.js';
import { addressName, causeOf, prepareSocketPath } from '../listen-address.js';
import { newApp } from './app.js';
import type { Uws, UwsApp, UwsDescriptor, UwsListenSocket } from './binding.js';

const NO_CHILD = 'No thread serves at the moment.\n';
/**
 * Accepts on one address, on the main thread, and hands connections out to the child apps of proxy threads in strict
 * round robin. With no child it answers 503 itself. All methods are for the main thread.
 */
export class UwsAcceptor {
  /** The real one, also where 0 was asked for; 0 for a unix socket. */
  readonly port: number;
  readonly #uws: Uws;
  readonly #app: UwsApp;
  readonly #address: Address;
  #socket: UwsListenSocket | null;

  private constructor(uws: Uws, app: UwsApp, address: Address, socket: UwsListenSocket) {
    this.#uws = uws;
    this.#app = app;
    this.#address = address;
    this.#socket = socket;
    this.port = address.kind === 'tcp' ? uws.us_socket_local_port(socket) : 0;
  }

  /** Rejects with an Error of one line that names the address and the cause. */
  static async listen(uws: Uws, listener: ListenerPlan): Promise<UwsAcceptor> {
    const { address } = listener;
    if (address.kind === 'unix') await prepareSocketPath(address.path);
    const app = makeApp(uws, listener);
    const socket = await bind(uws, app, address);
    if (socket !== null) return new UwsAcceptor(uws, app, address, socket);
    app.close();
    throw new Error(`cannot listen on ${addressName(address)}: ${await whyNot(address)}`);
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
    if (this.#address.kind === 'unix') rmSync(this.#address.path, { force: true });
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
    // Without the exclusive flag, a second process would share the port silently.
    else app.listen(address.host, address.port, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, listening);
  });
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
