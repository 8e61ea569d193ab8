/** What admin clients can make the server hold together. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Hono } from 'hono';
import { limits } from '../../../core/limits.js';
import { boundConnections } from '../../../workers/admin/connections.js';
import { serveAdmin } from '../../../workers/admin/server.js';
import t, { type Test } from '../../support/tap.js';
import { until } from '../../support/umbra.js';
import { JSON_BODY, LOOPBACK, startAdmin } from './admin.js';

const MiB = 1024 * 1024;

async function open(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything that has come by the time that it ends or answers. */
async function answered(socket: Socket): Promise<string> {
  return String((await once(socket.setEncoding('latin1'), 'data'))[0]);
}

t.test('all bodies together have a bound: past it the one that began first is refused', async (t) => {
  const admin = await startAdmin(t);
  const bytes = limits.documentBytes - MiB;
  const count = Math.floor(limits.adminBodiesBytes / bytes) + 1;
  const head =
    'POST /api/apply HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/yaml\r\n' +
    `Content-Length: ${bytes + 1}\r\n\r\n`;
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await open(t, admin.port);
    socket.write(head);
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(bytes, '#'), () => resolve()));
    sockets.push(socket);
  }
  t.match(await answered(sockets[0]!), /^HTTP\/1\.1 503 /);
  t.equal(admin.figures.refused.bodies, 1);
  const change = { headers: JSON_BODY, body: '{"enabled":false}' };
  t.equal((await admin.send('PATCH', '/api/mirrors', change)).status, 200, 'a change that is whole is made');
  sockets[1]!.write('#');
  t.match(await answered(sockets[1]!), /^HTTP\/1\.1 200 /, 'and so is the next one that becomes whole');
  for (const socket of sockets) socket.destroy();
  const more = await open(t, admin.port);
  more.write(head);
  more.write(Buffer.alloc(bytes + 1, '#'));
  t.match(await answered(more), /^HTTP\/1\.1 200 /, 'what is answered or gone is not held');
  t.equal(admin.figures.refused.bodies, 1);
});

t.test('all unread answers together have a bound: past it the biggest is closed', async (t) => {
  const app = new Hono();
  const large = 'x'.repeat(20 * MiB);
  app.get('/large', (c) => c.text(large));
  app.get('/small', (c) => c.text('small'));
  const closed: string[] = [];
  const server = await serveAdmin(
    () => app,
    LOOPBACK,
    (why) => closed.push(why),
  );
  t.teardown(() => server.close());
  const ask = 'GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n';
  for (let i = 0; i < 5; i++) (await open(t, server.port)).write(ask);
  await until(async () => {
    const socket = await open(t, server.port);
    socket.write('GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n');
    t.match(await answered(socket), /^HTTP\/1\.1 200 /);
    socket.destroy();
    return closed.length > 0;
  }, 'one has given way');
  t.ok(closed.length <= 2);
  t.ok(closed.every((why) => why === 'answers'));
});

t.test('a probe is answered while every connection has an answer that it does not read', async (t) => {
  const large = Buffer.alloc(16 * MiB);
  const server = createServer((request, response) => response.end(request.url === '/large' ? large : 'ok\n'));
  const closed: string[] = [];
  const bounds = { connectionsMax: 3, answersBytesMax: Number.POSITIVE_INFINITY };
  boundConnections(server, bounds, (why) => closed.push(why));
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < bounds.connectionsMax; i++) {
    const socket = await open(t, port);
    socket.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    // Its head says that the answer is on its way; nothing more is read.
    await once(socket, 'readable');
  }
  const probe = await open(t, port);
  probe.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.match(await answered(probe), /^HTTP\/1\.1 200 /);
  t.strictSame(closed, ['connections']);
});
