// Runs over one engine: asks for the node engine.
/**
 * What the node engine does and the uws engine can't: over real connections, against an umbra whose listener
 * asks for it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { ask, RawClient } from '../support/client.js';
import { Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { type ConfigWords, reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';
import { certificatePem, keyPem } from '../workers/downstream/uws/certificate.js';

const host = 'Host: h\r\n';

/** A version that keeps each request's bytes, head and body, and answers with its target. */
class ByteOrigin {
  readonly requests: string[] = [];
  readonly server: RawServer;

  private constructor(server: RawServer) {
    this.server = server;
  }

  static async listen(answer = okWithTarget): Promise<ByteOrigin> {
    const requests: string[] = [];
    const server = await RawServer.listen(async (peer) => {
      for (;;) {
        let request = await peer.head().catch(() => '');
        if (request === '') return;
        const length = /^content-length: (\d+)\r$/im.exec(request)?.[1];
        if (length !== undefined) request += await peer.bytes(Number(length));
        if (/^transfer-encoding: chunked\r$/im.test(request)) request += await peer.head();
        requests.push(request);
        peer.send(answer(request.split(' ')[1]));
      }
    });
    const origin = new ByteOrigin(server);
    (origin as { requests: string[] }).requests = requests;
    return origin;
  }
}

function okWithTarget(target: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Case: Kept\r\n\r\n${target}`;
}

/** A listener that adds no field: these tests are about bytes. */
const bare = { engine: 'node', forwarded: 'off', requestId: 'off' };

function nodeConfig(v1: number, changes: object = {}): ConfigWords {
  return reviews(v1, null, { umbra: { listen: [{ ...bare, address: '127.0.0.1:0' }], ...changes } });
}

/** Answers in chunks what asks for that, and its target to all others. */
const origin = await ByteOrigin.listen((target) =>
  target === '/chunked'
    ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
    : okWithTarget(target),
);
let leave = (): void => {};
const left = new Promise<void>((resolve) => {
  leave = resolve;
});
/** Writes for ever, once it has been left. */
const endless = await RawServer.listen(async (peer) => {
  await peer.head();
  await peer.sent('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
  await left;
  while (!peer.socket.destroyed) {
    await peer.sent('1\r\nx\r\n');
    await new Promise(setImmediate);
  }
});
let goOn = (): void => {};
const seen = new Promise<void>((resolve) => {
  goOn = resolve;
});
const cut = await RawServer.listen(async (peer) => {
  await peer.head();
  await peer.sent('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  // A client that finds data and a reset at once may take it for data and an end.
  await seen;
  peer.fin();
});
const servers = { v1: origin.server, endless, cut };
const umbra = await UmbraProcess.start({
  ...nodeConfig(origin.server.port),
  versions: Object.fromEntries(
    Object.entries(servers).map(([name, { port }]) => [name, `http://127.0.0.1:${port}`]),
  ),
  routes: [
    { name: 'endless', match: { path: { prefix: '/endless' } }, primary: 'endless' },
    { name: 'cut', match: { path: { prefix: '/cut' } }, primary: 'cut' },
    { name: 'reviews', primary: 'v1' },
  ],
});
t.teardown(async () => {
  await umbra.stop();
  await Promise.all(Object.values(servers).map((server) => server.close()));
});
t.beforeEach(() => {
  origin.requests.length = 0;
});

t.test('heads go both ways byte for byte: case, order, spacing, Date, and bytes above ASCII', async (t) => {
  const client = await RawClient.connect(umbra.port);
  client.send(
    `GET /\xe9 HTTP/1.1\r\nX-One:1\r\n${host}x-TWO:  \xa0caf\xe9\xa0 \r\nCookie: a\r\ncookie: b\r\n\r\n`,
  );
  await client.until('\r\n\r\n/\xe9');
  t.strictSame(origin.requests, [
    `GET /\xe9 HTTP/1.1\r\n${host}X-One:1\r\nx-TWO:  \xa0caf\xe9\xa0 \r\nCookie: a\r\ncookie: b\r\n\r\n`,
  ]);
  t.match(client.received, 'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Case: Kept\r\n');
  client.close();
  t.equal((await umbra.stats()).engine, 'node');
});

t.test('pipelined requests are answered in order, however they are cut', async (t) => {
  const client = await RawClient.connect(umbra.port);
  const count = 50;
  let text = '';
  for (let i = 0; i < count; i++) {
    text += `\r\nPOST /${i} HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n`;
  }
  for (let from = 0; from < text.length; from += 1009) client.send(text.slice(from, from + 1009));
  await client.until(`/${count - 1}`);
  const targets = client.received.match(/(?<=\r\n\r\n)\/\d+/g);
  t.strictSame(
    targets,
    Array.from({ length: count }, (_, i) => `/${i}`),
  );
  t.equal(origin.requests.length, count);
  t.equal(
    origin.requests[0],
    `POST /0 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n`,
  );
  client.close();
});

t.test('HTTP/1.0 is answered, with and without keep-alive, and without chunks', async (t) => {
  const once = await RawClient.connect(umbra.port);
  once.send('GET /once HTTP/1.0\r\n\r\n');
  t.match(await once.end(), /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n\r\n\/once$/);
  const kept = await RawClient.connect(umbra.port);
  kept.send(`GET /a HTTP/1.0\r\n${host}Connection: keep-alive\r\n\r\n`);
  await kept.until('\r\nConnection: keep-alive\r\n\r\n/a');
  kept.send(`GET /chunked HTTP/1.0\r\n${host}Connection: keep-alive\r\n\r\n`);
  t.match(await kept.end(), /\r\nConnection: close\r\n\r\nabc$/);
  const authority = `127.0.0.1:${origin.server.port}`;
  t.equal(origin.requests[0], `GET /once HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
});

t.test('absolute-form and `OPTIONS *` are forwarded as what they mean', async (t) => {
  const client = await RawClient.connect(umbra.port);
  client.send(
    `GET http://a.example:81/x?y HTTP/1.1\r\n${host}\r\nOPTIONS * HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
  );
  await client.end();
  t.strictSame(origin.requests, [
    'GET /x?y HTTP/1.1\r\nHost: a.example:81\r\n\r\n',
    `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
  ]);
});

t.test('a client that closes its side after its requests gets every answer', async (t) => {
  const client = await RawClient.connect(umbra.port);
  client.socket.end(`GET /1 HTTP/1.1\r\n${host}\r\nGET /2 HTTP/1.1\r\n${host}\r\n`);
  t.match(await client.end(), /\/1HTTP[\s\S]*Connection: close[\s\S]*\/2$/);
  t.equal(client.failed, false);
});

t.test('a client that closes its side within a body is gone', async (t) => {
  const client = await RawClient.connect(umbra.port);
  client.socket.end(`POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nabc`);
  await client.end();
  const stats = await umbra.atRest();
  t.equal(stats.versions.v1.primary?.failures.aborted, 1);
  t.equal(client.received, '');
  t.equal(origin.requests.length, 0);
});

t.test('a client that is gone altogether is noticed when its response is written', async (t) => {
  const client = await RawClient.connect(umbra.port);
  client.send(`GET /endless HTTP/1.1\r\n${host}\r\n`);
  await client.until('hello');
  client.close();
  leave();
  t.equal((await umbra.atRest()).versions.endless.primary?.failures.aborted, 1);
});

t.test('a response that only the end of the connection delimits is reset when it is cut', async (t) => {
  const client = await RawClient.connect(umbra.port);
  client.send('GET /cut HTTP/1.0\r\n\r\n');
  await client.until('abc');
  goOn();
  await client.end();
  t.ok(client.failed, `to the client it must not look whole: ${JSON.stringify(client.received)}`);
});

t.test('a drain closes idle connections at once and says so on those that are not', async (t) => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const v1 = await RawServer.listen(async (peer) => {
    await peer.head();
    await held;
    peer.send(okWithTarget('/held'));
  });
  // One thread: of two, each would drain in its own time.
  const config = nodeConfig(v1.port, { threads: { proxy: 1, shadow: 1 } });
  const umbra = await UmbraProcess.start(config);
  const idle = await RawClient.connect(umbra.port);
  const busy = await RawClient.connect(umbra.port);
  busy.send(`GET /held HTTP/1.1\r\n${host}\r\n`);
  await until(() => v1.connections === 1, 'v1 has the request');
  umbra.signal('SIGTERM');
  t.equal(await idle.end(), '');
  release();
  t.match(await busy.end(), /\r\nConnection: close\r\n\r\n\/held$/);
  t.strictSame(await umbra.ended, { code: 0, signal: null });
  await v1.close();
});

t.test('a unix socket and TLS serve with the same engine', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 's');
  writeFileSync(join(directory, 'cert.pem'), certificatePem);
  writeFileSync(join(directory, 'key.pem'), keyPem);
  const origin = await ByteOrigin.listen();
  const tls = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  const umbra = await UmbraProcess.start(
    nodeConfig(origin.server.port, {
      listen: [
        { ...bare, address: '127.0.0.1:0', tls },
        { ...bare, address: `unix:${path}` },
      ],
    }),
  );
  const secure = tlsConnect({
    port: umbra.port,
    host: '127.0.0.1',
    ca: certificatePem,
    servername: 'localhost',
  });
  for (const socket of [secure, connect(path)]) {
    socket.write(`GET /s HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    let received = '';
    for await (const piece of socket) received += String(piece);
    t.match(received, /^HTTP\/1\.1 200 [\s\S]*\/s$/);
  }
  await umbra.stop();
  await origin.server.close();
});

t.test('when the thread that accepts dies, the next one takes over', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.startBreakable(nodeConfig(v1.port, { threads: twoProxies }));
  t.equal((await ask(umbra.port)).status, 200);
  for (const thread of ['proxy-0', 'proxy-1', 'proxy-0']) {
    await umbra.makeThrow(thread);
    const answer = await until(() => ask(umbra.port).catch(() => null), 'somebody accepts');
    t.equal(answer.status, 200);
  }
  await umbra.stop();
  await v1.close();
});
