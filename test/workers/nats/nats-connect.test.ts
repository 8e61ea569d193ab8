import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import t, { type Test } from 'tap';
import type { NatsPlace } from '../../../core/plan.js';
import { connectNats } from '../../../workers/nats/connect.js';
import { authorityPem, serverKey, serverPem } from '../../support/authority.js';
import { NatsServer, noNats } from '../../support/nats.js';

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
