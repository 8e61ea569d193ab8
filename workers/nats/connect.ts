/**
 * The one place that loads the NATS client, and only when a NATS address is used. Control and sink thread,
 * and commands; never a proxy or shadow thread. Credentials come from the address, else from the variables
 * that the `nats` command line knows.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import type { NatsPlace } from '../../core/plan.js';
import { lookUpOnce } from './name-lookup.js';

const connectMs = 3000;
/** A server that has sent nothing for so long may be one that waits for a TLS handshake first. */
const quietMs = 500;
/** A connection that says nothing for two of these is dead. */
const pingMs = 5000;
const reconnectMs = 1000;

export interface ConnectionWords {
  /** Once connected, for ever; false: whoever asks does that by itself. */
  readonly reconnects?: boolean;
  /** The name in the certificates of the servers, where they are not called by it. */
  readonly certificateOf?: string | null;
}

/** Rejects with an Error of one line without credentials. */
export async function connectNats(
  place: NatsPlace,
  env: NodeJS.ProcessEnv,
  { reconnects = true, certificateOf = null }: ConnectionWords = {},
): Promise<NatsConnection> {
  const nats = await import('@nats-io/transport-node');
  const options: NodeConnectionOptions = {
    servers: [...place.servers],
    name: 'umbra',
    timeout: connectMs,
    pingInterval: pingMs,
    maxPingOut: 2,
    reconnect: reconnects,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectMs,
    ignoreAuthErrorAbort: true,
  };
  try {
    if (place.user !== null && place.password === null) options.token = place.user;
    else if (place.user !== null) Object.assign(options, { user: place.user, pass: place.password });
    else if (env.NATS_CREDS) options.authenticator = nats.credsAuthenticator(readFileSync(env.NATS_CREDS));
    else if (env.NATS_NKEY)
      options.authenticator = nats.nkeyAuthenticator(Buffer.from(readFileSync(env.NATS_NKEY, 'utf8').trim()));
    else if (env.NATS_USER) Object.assign(options, { user: env.NATS_USER, pass: env.NATS_PASSWORD });
    else if (env.NATS_TOKEN) options.token = env.NATS_TOKEN;
    if (place.secure || env.NATS_CA || env.NATS_CERT || certificateOf !== null) {
      options.tls = {
        // Of Node's TLS, to which the client passes it.
        ...(certificateOf === null ? {} : { servername: certificateOf }),
        ...(env.NATS_CA ? { caFile: env.NATS_CA } : {}),
        ...(env.NATS_CERT ? { certFile: env.NATS_CERT, keyFile: env.NATS_KEY ?? '' } : {}),
      };
    }
    const handshakeFirst = await someServerSpeaks(place);
    if (handshakeFirst) options.tls = { ...options.tls, handshakeFirst };
    return await nats.connect(options);
  } catch (error) {
    throw new Error(`cannot reach NATS at ${place.servers.join(',')}: ${natsReason(error)}`);
  }
}

/**
 * Resolves when one of them sends its first bytes, which servers do unasked, but for those that want a TLS
 * handshake first (`handshake_first`): then with true, and only where TLS is asked for. For
 * minutes the client leaves a socket behind for each attempt that a network did not answer; here we close
 * them.
 */
async function someServerSpeaks({ servers, secure }: NatsPlace): Promise<boolean> {
  const asked = servers.map((server) => speaks(server, secure));
  try {
    return await Promise.any(asked.map(({ spoke }) => spoke));
  } catch (error) {
    throw (error as AggregateError).errors[0];
  } finally {
    for (const { socket } of asked) socket.destroy();
  }
}

function speaks(
  server: string,
  secure: boolean,
): { readonly socket: Socket; readonly spoke: Promise<boolean> } {
  const { port } = new URL(`tcp://${server}`);
  const socket = connect({ port: Number(port), host: hostOf(server), lookup: lookUpOnce });
  const spoke = new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timeout')), connectMs);
    const quiet = setTimeout(() => {
      if (secure && !socket.connecting) handshake();
    }, quietMs);
    const handshake = (): void => {
      // It is closed before anything is sent over it; the client verifies its own connection.
      const tls = connectTls({ socket, rejectUnauthorized: false });
      tls.once('secureConnect', () => resolve(true));
      // What comes late and is no TLS is the first line of an ordinary server.
      tls.once('error', ({ code }: NodeJS.ErrnoException) =>
        code?.startsWith('ERR_SSL') ? resolve(false) : reject(new Error(code)),
      );
    };
    socket.once('data', () => resolve(false));
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      clearTimeout(quiet);
      reject(new Error('the connection was closed'));
    });
  });
  return { socket, spoke };
}

/** `hostOf` returns the host of `host:port`, an IPv6 address without its brackets. */
export function hostOf(server: string): string {
  return new URL(`tcp://${server}`).hostname.replace(/^\[|\]$/g, '');
}

/** In a few words; what the client reports never holds credentials. */
export function natsReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  return error.message.split('\n')[0] || error.name;
}
