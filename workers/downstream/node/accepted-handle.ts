/**
 * Sockets on the handles of accepted connections (docs/decisions/112). Node offers no buffer of ours for
 * accepted connections, only for sockets that are made, and what it uses for that is not in the public types.
 */
import { type Server, Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';

/** The handle of an accepted connection. */
export type AcceptedHandle = object;

export interface OnRead {
  readonly buffer: Buffer;
  readonly callback: (bytes: number) => boolean;
}

/** The handle of a listening socket: it calls `onconnection` on itself. */
interface ListeningHandle {
  onconnection?: (this: ListeningHandle, error: number, handle?: AcceptedHandle) => void;
}
interface WithHandle<H> {
  _handle: H | null;
}

const AdoptingSocket = Socket as unknown as new (options: ReturnType<typeof optionsFor>) => Socket;

/** Returns a socket that reads from `handle` into the buffer of `onread`. */
export function socketOn(handle: AcceptedHandle, onread: OnRead): Socket {
  return new AdoptingSocket(optionsFor(handle, onread));
}

/** Returns the socket of a TLS connection of a client, which reads in the same way. */
export function secureSocketOn(handle: AcceptedHandle, options: TLSSocketOptions, onread: OnRead): TLSSocket {
  const socket = new AdoptingTlsSocket({ ...options, handle, onread, allowHalfOpen: true });
  // Without a socket given, it takes itself for one that is being opened.
  (socket as { connecting: boolean }).connecting = false;
  return socket;
}

/** Returns the handle of a socket that was accepted paused, and is not used any more; null if it is gone. */
export function handleOf(accepted: Socket): AcceptedHandle | null {
  const owner = accepted as unknown as WithHandle<AcceptedHandle>;
  const handle = owner._handle;
  owner._handle = null;
  if (handle === null) accepted.destroy();
  return handle;
}

/**
 * Calls `onHandle` for each connection that `server`, which listens, accepts from now on, in place of its
 * event `connection`: no socket of Node's is made only to be dropped. Where this is not possible, the event
 * still comes.
 */
export function acceptHandles(server: Server, onHandle: (handle: AcceptedHandle) => void): void {
  const listening = (server as unknown as WithHandle<ListeningHandle>)._handle;
  const ofNode = listening?.onconnection;
  if (listening === null || typeof ofNode !== 'function') return;
  listening.onconnection = function (error, handle) {
    if (error !== 0 || handle === undefined) ofNode.call(this, error, handle);
    else onHandle(handle);
  };
}

interface TlsInternals {
  readonly _tlsOptions: { readonly handle: AcceptedHandle };
}
type WrapHandle = (wrap: unknown, handle: unknown, isWriting: boolean) => object;
const wrapHandle = (TLSSocket.prototype as unknown as { _wrapHandle: WrapHandle })._wrapHandle;

/**
 * `TLSSocket` reads into a buffer of ours only where it opens the connection itself. So it is made without a
 * socket, and finds the accepted handle in the place of the one that it would make.
 */
class AdoptingTlsSocket extends (TLSSocket as unknown as new (_: unknown, options: object) => TLSSocket) {
  constructor(options: object) {
    super(undefined, options);
  }

  protected _wrapHandle(wrap: unknown, _handle: unknown, isWriting: boolean): object {
    const { handle } = (this as unknown as TlsInternals)._tlsOptions;
    return wrapHandle.call(this, wrap, handle, isWriting);
  }
}

/**
 * All options that `Socket` and the streams below it ask for, also those that are not used. Asked for a
 * property that an object lacks, V8 searches all of its prototypes, each time: a socket with three options
 * took 8 us to make, and with all of them it takes 1.7 (docs/decisions/112).
 */
function optionsFor(handle: AcceptedHandle, onread: OnRead) {
  return {
    handle,
    onread,
    allowHalfOpen: true,
    fd: undefined,
    readable: true,
    writable: true,
    pauseOnCreate: false,
    manualStart: false,
    noDelay: false,
    keepAlive: false,
    keepAliveInitialDelay: undefined,
    signal: undefined,
    emitClose: false,
    autoDestroy: true,
    objectMode: false,
    readableObjectMode: false,
    writableObjectMode: false,
    highWaterMark: undefined,
    readableHighWaterMark: undefined,
    writableHighWaterMark: undefined,
    decodeStrings: false,
    defaultEncoding: undefined,
    encoding: undefined,
    read: undefined,
    write: undefined,
    writev: undefined,
    destroy: undefined,
    final: undefined,
    construct: undefined,
  };
}
