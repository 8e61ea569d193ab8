import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { Framing } from '../../../core/http/message.js';
import type { VersionTlsPlan } from '../../../core/plan.js';
import { authorityPem, clientKey, clientPem, serverKey, serverPem } from '../../support/authority.js';
import t from '../../support/tap.js';
import { Exchange, TestPool, upstreamDefaults } from './exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const file = (pem: string) => ({ path: 'x.pem', pem });
const trusting: VersionTlsPlan = {
  ca: file(authorityPem),
  cert: null,
  key: null,
  serverName: null,
  verify: true,
};

type Teardown = (fn: () => Promise<void>) => void;

async function listening(teardown: Teardown, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** Answers each request head with `ok`; says what each connection was. */
class Answering {
  readonly seen: { name: string | false | null; alpn: unknown; resumed: boolean }[] = [];
  body = '';
  port = 0;
  static async listen(teardown: Teardown, options: TlsOptions = {}): Promise<Answering> {
    const answering = new Answering();
    const server = createServer(
      { cert: serverPem, key: serverKey, ALPNProtocols: ['http/1.1'], ...options },
      (socket: TLSSocket & { servername?: string | false | null }) => {
        answering.seen.push({
          name: socket.servername ?? false,
          alpn: socket.alpnProtocol,
          resumed: socket.isSessionReused(),
        });
        socket.on('error', () => {});
        socket.on('data', (data) => {
          const text = data.toString('latin1');
          answering.body += text;
          if (text.startsWith('GET') || answering.body.endsWith('end')) socket.write(OK);
        });
      },
    );
    server.on('tlsClientError', () => {});
    answering.port = await listening(teardown, server);
    return answering;
  }
}

function poolOf(teardown: Teardown, port: number, tls: VersionTlsPlan | null, host = '127.0.0.1'): TestPool {
  const pool = new TestPool([], {
    endpoints: [{ address: { kind: 'tcp', host, port }, authority: 'x', secure: true, weight: 1 }],
    tls,
    connectTimeoutMs: 500,
    ...upstreamDefaults,
  });
  teardown(async () => pool.close());
  return pool;
}

t.test('requests and responses pass over TLS, and the connection is used again', async (t) => {
  const server = await Answering.listen(t.teardown);
  const pool = poolOf(t.teardown, server.port, trusting);
  t.equal((await new Exchange().get(pool).end()).body, 'ok');
  t.equal((await new Exchange().get(pool).end()).body, 'ok');
  t.strictSame(server.seen, [{ name: false, alpn: 'http/1.1', resumed: false }]);
  t.equal(pool.counted.handshakes, 1);
});

t.test('a handshake gets its time, though the thread stood still before it could begin', async (t) => {
  const server = await Answering.listen(t.teardown);
  const pool = poolOf(t.teardown, server.port, trusting);
  const exchange = new Exchange().get(pool);
  // The kernel connects meanwhile, and the rest needs this thread. It is longer than `connectTimeoutMs`.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  t.match(await exchange.end(), { body: 'ok', failure: '' });
});

t.test('a large body goes out whole and in order', async (t) => {
  const server = await Answering.listen(t.teardown);
  const pool = poolOf(t.teardown, server.port, trusting);
  const pieces = Array.from({ length: 40 }, (_, i) => String.fromCharCode(65 + (i % 26)).repeat(100_000));
  const length = 40 * 100_000 + 3;
  const e = await new Exchange().post(pool, Framing.LENGTH, length, [...pieces, 'end']).end();
  t.equal(e.body, 'ok');
  t.ok(server.body.endsWith(`\r\n\r\n${pieces.join('')}end`), 'every byte in its place');
});

t.test('a later connection resumes the session of an earlier one', async (t) => {
  const server = await Answering.listen(t.teardown);
  const pool = poolOf(t.teardown, server.port, trusting);
  await new Exchange().get(pool).end();
  const two = [new Exchange().get(pool), new Exchange().get(pool)];
  for (const e of two) await e.end();
  t.strictSame(
    server.seen.map(({ resumed }) => resumed),
    [false, true],
  );
  t.equal(pool.counted.resumed, 1);
});

t.test('a name is asked for and checked, the endpoint’s own or another', async (t) => {
  const server = await Answering.listen(t.teardown);
  const named = poolOf(t.teardown, server.port, { ...trusting, serverName: 'reviews.test' });
  t.equal((await new Exchange().get(named).end()).body, 'ok');
  t.equal(server.seen[0]!.name, 'reviews.test');
  const other = poolOf(t.teardown, server.port, { ...trusting, serverName: 'other.test' });
  t.equal((await new Exchange().get(other).end()).failure, 'tls');
  const host = poolOf(t.teardown, server.port, trusting, 'localhost');
  t.equal((await new Exchange().get(host).end()).failure, 'tls', 'the certificate does not name localhost');
});

t.test('at whatever address a name stands, the certificate must be of the name', async (t) => {
  const server = await Answering.listen(t.teardown);
  for (const [name, failure] of [
    ['reviews.test', ''],
    ['other.test', 'tls'],
  ] as const) {
    const pool = poolOf(t.teardown, server.port, trusting, name);
    const [endpoint] = pool.plan.endpoints;
    const address = { kind: 'tcp', host: '127.0.0.1', port: server.port } as const;
    pool.follow([{ endpoint: endpoint!, address, health: null }]);
    t.equal((await new Exchange().get(pool).end()).failure, failure);
  }
  t.equal(server.seen[0]!.name, 'reviews.test');
});

t.test('a certificate that nobody vouches for is refused, unless any will do', async (t) => {
  const server = await Answering.listen(t.teardown);
  t.equal((await new Exchange().get(poolOf(t.teardown, server.port, null)).end()).failure, 'tls');
  const careless = poolOf(t.teardown, server.port, { ...trusting, ca: null, verify: false });
  t.equal((await new Exchange().get(careless).end()).body, 'ok');
});

t.test('a server that asks for a certificate gets ours, and refuses us without', async (t) => {
  const server = await Answering.listen(t.teardown, {
    ca: authorityPem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const known = poolOf(t.teardown, server.port, { ...trusting, cert: file(clientPem), key: file(clientKey) });
  t.equal((await new Exchange().get(known).end()).body, 'ok');
  const unknown = poolOf(t.teardown, server.port, trusting);
  t.not((await new Exchange().get(unknown).end()).failure, '', 'with TLS 1.3 it refuses after the handshake');
});

t.test('a server that resets, stalls or speaks no TLS fails the handshake', async (t) => {
  for (const [name, act] of [
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['closes', (socket: Socket) => socket.end()],
    ['stalls', () => {}],
    ['speaks HTTP', (socket: Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ] as const) {
    const port = await listening(
      t.teardown,
      createTcpServer((socket) => socket.once('data', () => act(socket))),
    );
    const e = await new Exchange().get(poolOf(t.teardown, port, trusting)).end();
    t.equal(e.failure, 'tls', name);
  }
});
