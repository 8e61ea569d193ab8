import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { limits } from '../../../core/limits.js';
import type { NatsPlace } from '../../../core/plan.js';
import { connectNats } from '../../../workers/nats/connect.js';
import { lookUpOnce } from '../../../workers/nats/name-lookup.js';
import { authorityPem, serverKey, serverPem } from '../../support/authority.js';
import { NatsServer, noNats } from '../../support/nats.js';
import t, { type Test } from '../../support/tap.js';

/** The place of something that accepts connections and is no NATS. */
async function placeOf(t: Test, onSocket: (socket: Socket) => void): Promise<NatsPlace> {
  const server = createServer(onSocket);
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { servers: [`127.0.0.1:${port}`], secure: false, user: 'me', password: 'hidden' };
}

t.test('a server that closes each connection is reported without credentials', async (t) => {
  const place = await placeOf(t, (socket) => socket.end());
  await t.rejects(connectNats(place, {}), {
    message: `cannot reach NATS at ${place.servers[0]}: the connection was closed`,
  });
});

t.test('one that says nothing is given up, and nothing is left of it', async (t) => {
  const sockets: Socket[] = [];
  const place = await placeOf(t, (socket) => {
    socket.resume();
    sockets.push(socket);
  });
  await t.rejects(connectNats(place, {}), { message: `cannot reach NATS at ${place.servers[0]}: timeout` });
  t.equal(sockets.length, 1, 'it was asked once');
  if (!sockets[0]!.closed) await once(sockets[0]!, 'close');
});

t.test('a server that wants a TLS handshake first is reached by tls://', { skip: noNats }, async (t) => {
  const server = await NatsServer.start();
  const directory = mkdtempSync(join(tmpdir(), 'umbra-nats-tls-'));
  const ca = join(directory, 'ca.pem');
  writeFileSync(ca, authorityPem);
  // What a server with `handshake_first` does: silence, the handshake, and then a first line that says so.
  const asSecure = (line: Buffer): string => line.toString().replace('INFO {', 'INFO {"tls_required":true,');
  const front = createTlsServer({ cert: serverPem, key: serverKey }, (socket) => {
    const behind = connect(server.port, server.host);
    socket.on('error', () => behind.destroy()).pipe(behind);
    behind.once('data', (line) => behind.pipe(socket).write(asSecure(line)));
    behind.on('error', () => socket.destroy());
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.teardown(async () => {
    front.close();
    await server.stop();
    rmSync(directory, { recursive: true });
  });
  const { port } = front.address() as AddressInfo;
  const place = { servers: [`127.0.0.1:${port}`], secure: true, user: null, password: null };
  const words = { certificateOf: 'reviews.test' };
  const connection = await connectNats(place, { NATS_CA: ca }, words);
  await connection.flush();
  t.equal(connection.info?.port, server.port);
  await connection.close();
  await t.rejects(connectNats(place, {}, words), {
    message: /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT/,
  });
  await t.rejects(connectNats({ ...place, secure: false }, {}), {
    message: `cannot reach NATS at ${place.servers[0]}: timeout`,
  });
});

t.test('a name whose lookup hangs is asked for once, however often it is tried', async (t) => {
  const { lookup } = dns;
  const asked: ((error: Error | null, address: string, family: number) => void)[] = [];
  t.teardown(() => {
    dns.lookup = lookup;
  });
  dns.lookup = ((_name: string, _options: object, callback: never) => asked.push(callback)) as never;
  const place = { servers: ['nats.test:1'], secure: false, user: null, password: null };
  await Promise.all(
    [1, 2, 3].map(() =>
      t.rejects(connectNats(place, {}), { message: 'cannot reach NATS at nats.test:1: timeout' }),
    ),
  );
  t.equal(asked.length, 1);
  const found: unknown[] = [];
  const options = { family: 4 } as const;
  for (let i = 0; i < limits.natsLookupWaiters + 2; i++)
    lookUpOnce('other.test', options, (error, address) => found.push(error?.code ?? address));
  t.equal(asked.length, 2);
  await new Promise(setImmediate);
  t.strictSame(found, ['EAI_AGAIN', 'EAI_AGAIN'], 'nor do those that wait grow without end');
  asked[1]!(null, '127.0.0.1', 4);
  t.equal(found.length, limits.natsLookupWaiters + 2);
  lookUpOnce('other.test', options, () => {});
  t.equal(asked.length, 3, 'what was found is not kept');
});
