// Runs over one engine: asks for the node engine.
/** Upgrades through the node engine: bytes both ways, whatever the protocol. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { ask, RawClient } from '../support/client.js';
import { Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { type ConfigWords, reviews, UmbraProcess } from '../support/umbra.js';
import { bodyOf } from './mixed.js';

function nodeConfig(v1: number): ConfigWords {
  return reviews(v1, null, {
    umbra: { listen: [{ address: '127.0.0.1:0', engine: 'node' }] },
    route: { upgrades: ['websocket', 'custom/1'] },
  });
}

const asks = 'GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: custom/1\r\n\r\n';
const switches =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: custom/1\r\nX: y\r\n\r\n';

t.test('a WebSocket echo, with its subprotocol, fragments, pings and close code', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'two' });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  const umbra = await UmbraProcess.start(nodeConfig((server.address() as AddressInfo).port));
  const socket = new WebSocket(`ws://127.0.0.1:${umbra.port}/echo`, ['one', 'two']);
  await once(socket, 'open');
  t.equal(socket.protocol, 'two');
  const large = bodyOf(3, 3_000_000);
  for (const message of ['text', large]) {
    socket.send(message);
    const [back] = (await once(socket, 'message')) as [Buffer];
    t.ok(back.equals(Buffer.from(message)));
  }
  socket.ping('p');
  t.equal(String((await once(socket, 'pong'))[0]), 'p');
  socket.close(4001, 'enough');
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  t.strictSame([code, String(reason)], [4001, 'enough']);
  await umbra.stop();
  server.close();
});

t.test(
  'what is sent ahead, and what follows the 101 at once, is not lost; each side closes by itself',
  async (t) => {
    const v1 = await RawServer.listen(async (peer) => {
      t.match(await peer.head(), /\r\nConnection: Upgrade\r\nUpgrade: custom\/1\r\n/i);
      await peer.sent(`${switches}early`);
      t.equal(await peer.take('end'), 'ahead, later, end');
      peer.fin('the last word');
    });
    const umbra = await UmbraProcess.start(nodeConfig(v1.port));
    const client = await RawClient.connect(umbra.port);
    client.send(`${asks}ahead, `);
    await client.until('early');
    t.match(
      client.received,
      /^HTTP\/1\.1 101 Switching Protocols\r\nX: y\r\nConnection: Upgrade\r\nUpgrade: custom\/1\r\n\r\nearly$/,
    );
    client.send('later, end');
    t.match(await client.end(), /earlythe last word$/);
    t.equal(client.failed, false);
    t.strictSame(v1.errors, []);
    await umbra.stop();
    await v1.close();
  },
);

t.test('bytes flow both ways at once, past readers that are slow', async (t) => {
  const sent = bodyOf(5, 12_000_000);
  const sha = createHash('sha256').update(sent).digest('hex');
  const v1 = await RawServer.listen(async (peer) => {
    await peer.head();
    await peer.sent(switches);
    // An echo that stops reading while its own bytes are not taken.
    peer.socket.removeAllListeners('data');
    peer.socket.pipe(peer.socket);
  });
  const umbra = await UmbraProcess.start(nodeConfig(v1.port));
  const client = await RawClient.connect(umbra.port);
  client.send(asks);
  await client.until('\r\n\r\n');
  client.socket.removeAllListeners('data');
  client.socket.pause();
  client.socket.end(sent);
  const hash = createHash('sha256');
  for await (const piece of client.socket) hash.update(piece as Buffer);
  t.equal(hash.digest('hex'), sha);
  await umbra.stop();
  await v1.close();
});

t.test(
  'an upgrade that the primary does not take is an ordinary answer, and the connection continues',
  async (t) => {
    const v1 = await Origin.listen();
    const umbra = await UmbraProcess.start(nodeConfig(v1.port));
    const client = await RawClient.connect(umbra.port);
    client.send(asks);
    await client.until('ok\n');
    client.send('GET /next HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/ok\n[\s\S]*ok\n/);
    t.equal((await ask(umbra.port)).status, 200);
    client.close();
    await umbra.stop();
    await v1.close();
  },
);

t.test('a tunnel whose upstream is reset is reset', async (t) => {
  const v1 = await RawServer.listen(async (peer) => {
    await peer.head();
    await peer.sent(`${switches}x`);
    await peer.take('now');
    peer.reset();
  });
  const umbra = await UmbraProcess.start(nodeConfig(v1.port));
  const client = await RawClient.connect(umbra.port);
  client.send(asks);
  await client.until('\r\n\r\nx');
  client.send('now');
  await client.end();
  t.equal(client.failed, true);
  await umbra.stop();
  await v1.close();
});
