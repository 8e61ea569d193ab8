import { lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Address, ListenerPlan } from '../../../core/plan.js';
import { newApp } from './app.js';
import type { Uws, UwsApp, UwsDescriptor, UwsListenSocket } from './binding.js';

const NO_CHILD = 'No thread serves at the moment.\n';
const IN_USE = 'the address is in use';

/** `sun_path` less its final NUL on Linux, the larger one. uWS writes past the end of a longer one: the process dies. */
const UNIX_PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107;

/** In words, what the system calls by a code. */
const causes = new Map([
  ['EADDRINUSE', IN_USE],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EADDRNOTAVAIL', 'no interface of this machine has that address'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'the host name could not be resolved'],
  ['ENOENT', 'no such directory'],
  ['EINVAL', 'the address is not valid'],
]);

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

/**
 * Makes sure that uWS may bind to `path`, and removes what a process left behind that did not end in order: a socket
 * on which nothing answers. uWS itself removes whatever is there, a file or another process's live socket.
 */
async function prepareSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    throw new Error(`cannot listen on unix:${path}: the path is longer than ${UNIX_PATH_BYTES_MAX} bytes`);
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`cannot listen on unix:${path}: a file that is no socket is there`);
  const answers = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
  if (answers) throw new Error(`cannot listen on unix:${path}: ${IN_USE}`);
  rmSync(path, { force: true });
}

/** uWS only says that it failed: Node's own listener is asked for the reason. */
function whyNot(address: Address): Promise<string> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(causes.get(error.code ?? '') ?? error.message),
    );
    server.listen(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
      () => server.close(() => resolve('uWebSockets.js gave no reason')),
    );
  });
}

function addressName(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
