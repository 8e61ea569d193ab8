import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { NatsPlace } from '../../../core/plan.js';
import { connectNats } from '../../../workers/nats/connect.js';

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
