/**
 * One attack on a running umbra, in a process of its own so that it takes no time from the clients that are
 * measured:
 *
 *   node attacker.js NAME PORT
 *
 * It says `attacking` when all of its connections are open, opens each again that is closed, and ends with
 * its parent.
 */
import { connect, type Socket } from 'node:net';

interface Attack {
  readonly connections: number;
  readonly on: 'tls' | 'listener' | 'admin';
  /** What each connection sends when it is open. */
  readonly bytes: string;
  /** What it sends then, again and again; '': nothing. */
  readonly drip: string;
  readonly dripMs: number;
  /** It reads what comes. */
  readonly reads: boolean;
}

const chunk = '1\r\nx\r\n';
const uploadHead = 'POST /reviews HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
/** A head of 16 KiB has room for a field of this length. */
const longBytes = 15_000;
const uploads: Attack = {
  connections: 1300,
  on: 'listener',
  bytes: uploadHead + chunk,
  drip: chunk,
  dripMs: 5000,
  reads: true,
};

/** Requests of a few clients, each with one field that is long. */
function longField(name: string, value: string): Attack {
  const request = `GET /reviews HTTP/1.1\r\nHost: a\r\n${name}: ${value}\r\n\r\n`;
  return { connections: 20, on: 'listener', bytes: '', drip: request, dripMs: 1000, reads: true };
}

/** By name. Each is one that umbra once could not stand (docs/security.md). */
export const attacks: Readonly<Record<string, Attack>> = {
  blanks: longField('Connection', `x${' '.repeat(longBytes)}y`),
  tokens: longField('User-Agent', 'eyJ-'.repeat(longBytes / 4)),
  handshakes: { connections: 3000, on: 'tls', bytes: '\x16', drip: '', dripMs: 0, reads: true },
  admin: { connections: 200, on: 'admin', bytes: '', drip: '', dripMs: 0, reads: true },
  uploads,
  // More than a version has connections, and more than may wait for one.
  'many-uploads': { ...uploads, connections: 5500 },
  websockets: {
    connections: 40,
    on: 'listener',
    bytes:
      'GET /reviews HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    drip: '',
    dripMs: 0,
    reads: false,
  },
};

function attack({ connections, bytes, drip, dripMs, reads }: Attack, port: number): void {
  let opened = 0;
  const open = (): void => {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('connect', () => {
      if (bytes !== '') socket.write(bytes, 'latin1');
      if (++opened === connections) process.send!('attacking');
    });
    const timer = drip === '' ? undefined : setInterval(() => socket.write(drip, 'latin1'), dripMs);
    if (reads) socket.resume();
    socket.on('close', () => {
      clearInterval(timer);
      // Not at once: the attack is on what umbra holds, not on how fast it accepts.
      setTimeout(open, 1000);
    });
  };
  for (let i = 0; i < connections; i++) setTimeout(open, i);
}

const [name, port] = process.argv.slice(2);
if (name !== undefined && process.send !== undefined) {
  process.on('disconnect', () => process.exit(0));
  attack(attacks[name]!, Number(port));
}
