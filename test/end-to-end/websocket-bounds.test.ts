// Runs over both engines.
/** WebSocket clients that read nothing: what is held for all of them is bounded, and others are served. */
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { limits } from '../../core/limits.js';
import { served } from '../support/engines.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const MiB = 1024 * 1024;
const large = Buffer.alloc(15 * MiB);

/** A server that says back what it hears, and sends a large message on `large`. */
async function rig(t: Test): Promise<UmbraProcess> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary) => {
      const text = isBinary ? '' : data.toString();
      if (text.startsWith('large')) socket.send(large);
      else socket.send(data, { binary: isBinary });
      if (text === 'large, then close') socket.close(4001, 'enough');
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const umbra = await UmbraProcess.start(
    reviews(port, null, { umbra: { threads: { proxy: 1, shadow: 1 } } }),
  );
  t.teardown(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    await umbra.stop();
  });
  return umbra;
}

async function open(t: Test, umbra: UmbraProcess): Promise<WebSocket> {
  const socket = new WebSocket(umbra.url.replace('http', 'ws'));
  socket.on('error', () => {});
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

async function figure(umbra: UmbraProcess, metric: string): Promise<number> {
  const lines = (await umbra.metrics()).matchAll(new RegExp(`^${metric}\\{[^}]*\\} (\\d+)$`, 'gm'));
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

const held = 'umbra_downstream_websocket_held_bytes';
const closed = 'umbra_downstream_websockets_closed_total';

t.test(
  'what is held for clients that read nothing is bounded in all, and past it the biggest is closed',
  async (t) => {
    const umbra = await rig(t);
    const count = Math.ceil(limits.webSocketTotalBytes / large.length) + 3;
    const deaf: WebSocket[] = [];
    for (let i = 0; i < count; i++) {
      const socket = await open(t, umbra);
      socket.pause();
      socket.send('large');
      deaf.push(socket);
    }
    const honest = await open(t, umbra);
    honest.send('hello');
    t.equal(String((await once(honest, 'message'))[0]), 'hello');
    if (served === 'node') {
      t.equal(await figure(umbra, closed), 0, 'the node engine passes bytes, and holds none of them');
      return;
    }
    await until(async () => (await figure(umbra, closed)) >= 2, 'some have given way');
    t.ok((await figure(umbra, held)) <= limits.webSocketTotalBytes);
    t.ok((await figure(umbra, closed)) < count, 'no more than need be');
    for (const socket of deaf) socket.terminate();
    await until(async () => (await figure(umbra, held)) === 0, 'nothing is held for those that are gone');
    honest.send('still there');
    t.equal(String((await once(honest, 'message'))[0]), 'still there');
  },
);

t.test('a client that reads late gets all that came before the close, and its code', async (t) => {
  const umbra = await rig(t);
  const socket = await open(t, umbra);
  socket.pause();
  socket.send('large, then close');
  if (served === 'uws') await until(async () => (await figure(umbra, held)) > 0, 'the message is held');
  const message = once(socket, 'message');
  const end = once(socket, 'close');
  socket.resume();
  t.equal(((await message)[0] as Buffer).length, large.length);
  const [code, reason] = await end;
  t.strictSame([code, String(reason)], [4001, 'enough']);
});
