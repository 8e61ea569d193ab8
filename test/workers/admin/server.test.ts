import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { limits } from '../../../core/limits.js';
import { serveAdmin } from '../../../workers/admin/server.js';
import t, { type Test } from '../../support/tap.js';
import { LOOPBACK, startAdmin } from './admin.js';

/** Not in tap's own directory: the path of a unix socket has hardly more than a hundred bytes. */
function socketPath(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return join(directory, 'admin.sock');
}

/** Settles when the connection is gone, in peace or by a reset. */
function gone(socket: Socket): Promise<void> {
  socket.on('error', () => {}).resume();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Everything that a server says to raw bytes before it closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  socket.end(bytes, 'latin1');
  let said = '';
  for await (const piece of socket) said += piece;
  return said;
}

t.test('it serves on a unix socket, whatever the Host field says', async (t) => {
  const path = socketPath(t);
  const admin = await startAdmin(t, { address: { kind: 'unix', path } });
  t.equal((await admin.send('GET', '/api/stats', { headers: { host: 'umbra' } })).status, 200);
  t.equal(admin.port, 0);
});

t.test('its socket file is for its owner and group, whatever the umask', async (t) => {
  const path = socketPath(t);
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  await startAdmin(t, { address: { kind: 'unix', path } });
  t.equal(statSync(path).mode & 0o777, 0o660);
});

t.test('it removes its socket file when it closes', async (t) => {
  const path = socketPath(t);
  const server = await serveAdmin(() => new Hono(), { kind: 'unix', path });
  t.ok(existsSync(path));
  await server.close();
  t.notOk(existsSync(path));
});

t.test('a path that is too long for a socket is an error, not another path', async (t) => {
  const path = `/tmp/${'a'.repeat(120)}`;
  await t.rejects(
    serveAdmin(() => new Hono(), { kind: 'unix', path }),
    /the path of a unix socket may have 10\d bytes/,
  );
});

t.test('it takes over the socket file of a process that was killed', async (t) => {
  const path = socketPath(t);
  const left = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', left]);
  t.ok(existsSync(path));
  const admin = await startAdmin(t, { address: { kind: 'unix', path } });
  t.equal((await admin.send('GET', '/healthz')).status, 200);
});

t.test('it leaves a socket alone on which somebody listens', async (t) => {
  const path = socketPath(t);
  const other = createServer().listen(path);
  await once(other, 'listening');
  t.teardown(() => other.close());
  await t.rejects(
    serveAdmin(() => new Hono(), { kind: 'unix', path }),
    { code: 'EADDRINUSE' },
  );
  t.ok(existsSync(path));
});

t.test('a port that is taken is the error of the system', async (t) => {
  const admin = await startAdmin(t);
  await t.rejects(
    serveAdmin(() => new Hono(), { kind: 'tcp', host: '127.0.0.1', port: admin.port }),
    {
      code: 'EADDRINUSE',
    },
  );
});

t.test('a request without a Host field is refused on loopback', async (t) => {
  const admin = await startAdmin(t);
  t.match(await raw(admin.port, 'GET /api/stats HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /);
  t.match(await raw(admin.port, 'GET /api/stats HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
  t.match(await raw(admin.port, 'GET /api/stats HTTP/1.1\r\nHost: \r\n\r\n'), /^HTTP\/1\.1 421 /);
});

t.test('the name in an absolute target does not stand in for the Host field', async (t) => {
  const admin = await startAdmin(t);
  const target = 'GET http://localhost/api/stats HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n';
  t.match(await raw(admin.port, target), /^HTTP\/1\.1 421 /);
});

t.test('a head beyond the bound is refused', async (t) => {
  const admin = await startAdmin(t);
  const head = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(limits.requestHeadBytes)}\r\n\r\n`;
  t.match(await raw(admin.port, head), /^HTTP\/1\.1 431 /);
});

const probe = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

for (const [what, bytes] of [
  ['send nothing', ''],
  ['never end their head', 'GET /api/stats HTTP/1.1\r\nHost: localhost\r\n'],
  [
    'never end their body',
    'PUT /api/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/yaml\r\nContent-Length: 9\r\n\r\n',
  ],
]) {
  t.test(`a probe is answered among 200 connections that ${what}`, async (t) => {
    const admin = await startAdmin(t);
    const held = Array.from({ length: 200 }, () => connect(admin.port, '127.0.0.1'));
    for (const socket of held) {
      socket.on('error', () => {});
      socket.write(bytes!);
    }
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    t.match(await raw(admin.port, probe), /^HTTP\/1\.1 200 /);
    for (const socket of held) socket.destroy();
  });
}

t.test('at the bound, a connection that is being answered stays', async (t) => {
  const app = new Hono();
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => {
    app.get('/later', () => {
      resolve();
      return new Promise<Response>((done) => {
        answer = () => done(new Response('at last'));
      });
    });
  });
  let closed = 0;
  const server = await serveAdmin(
    () => app,
    LOOPBACK,
    () => closed++,
  );
  const waiting = connect(server.port, '127.0.0.1');
  waiting.write('GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await asked;
  const others = Array.from({ length: limits.adminConnections }, () => connect(server.port, '127.0.0.1'));
  await gone(others[0]!);
  answer();
  t.match(String((await once(waiting, 'data'))[0]), /^HTTP\/1\.1 200 /);
  t.equal(closed, 1);
  for (const socket of [...others, waiting]) socket.destroy();
  await server.close();
});

t.test('closing ends idle connections and answers that do not come', async (t) => {
  const app = new Hono();
  app.get('/now', (c) => c.text('now'));
  const asked = new Promise<void>((resolve) => {
    app.get('/never', () => {
      resolve();
      return new Promise<Response>(() => {});
    });
  });
  const server = await serveAdmin(() => app, LOOPBACK);
  const idle = connect(server.port, '127.0.0.1');
  idle.write('GET /now HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(idle, 'data');
  const waiting = connect(server.port, '127.0.0.1');
  waiting.write('GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await asked;
  const bothGone = Promise.all([gone(idle), gone(waiting)]);
  await server.close();
  await bothGone;
  t.pass('both are gone');
  await server.close();
});
