/**
 * One attack on a running umbra, in a process of its own so that it takes no time from the clients that are
 * measured:
 *
 *   node attacker.js NAME URL ADMIN
 *
 * It says `attacking` when all of its connections are open, opens each again that is closed, and ends with
 * its parent.
 */
import { connect, type Socket } from 'node:net';

interface Attack {
  readonly connections: number;
  readonly on: 'tls' | 'listener' | 'admin';
  /** What each connection sends, and then never more. */
  readonly bytes: string;
  /** Sent again so often, in milliseconds; 0: never. */
  readonly dripMs: number;
}

const chunk = '1\r\nx\r\n';

/** By name. Each is one that umbra once could not stand (docs/security.md). */
export const attacks: Readonly<Record<string, Attack>> = {
  handshakes: { connections: 3000, on: 'tls', bytes: '\x16', dripMs: 0 },
  admin: { connections: 200, on: 'admin', bytes: '', dripMs: 0 },
  uploads: {
    connections: 1300,
    on: 'listener',
    bytes: `POST /reviews HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
    dripMs: 5000,
  },
};

function attack({ connections, bytes, dripMs }: Attack, port: number): void {
  let opened = 0;
  const open = (): void => {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('connect', () => {
      if (bytes !== '') socket.write(bytes, 'latin1');
      if (++opened === connections) process.send!('attacking');
    });
    const drip = dripMs === 0 ? undefined : setInterval(() => socket.write(chunk, 'latin1'), dripMs);
    socket.resume().on('close', () => {
      clearInterval(drip);
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
