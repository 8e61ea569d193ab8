import { Framing } from '../../../../core/http/message.js';
import t, { type Test } from '../../../support/tap.js';
import { get, host, Rig, reply, skipWord } from './rig.js';

const options = { skip: skipWord };

async function rigOf(t: Test): Promise<Rig> {
  const rig = await Rig.start((seen) => {
    if (seen.framing === Framing.NONE) reply(seen.responder, 'ok');
    else seen.onPiece = (_piece, last) => last && reply(seen.responder, 'ok');
  });
  t.teardown(() => rig.stop());
  return rig;
}

t.test('a request becomes a head of wire strings without hop-by-hop fields', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  client.send(
    `PURGE //a/../b?x=1?y HTTP/1.1\r\nX-First: 1\r\n${host}Keep-Alive: timeout=5\r\nTE: trailers\r\nUpgrade: h2c\r\n` +
      'Proxy-Connection: keep-alive\r\nX-Named: gone\r\nConnection: X-Named, upgrade\r\nConnection: host, Authorization, x-Other\r\n' +
      'x-other: gone\r\nAuthorization: Basic eA==\r\nX-First: 2\r\nX-Empty:\r\n\r\n',
  );
  t.equal((await client.answer()).status, 200);
  const [seen] = rig.seen;
  t.equal(seen!.method, 'PURGE');
  t.equal(seen!.target, '//a/../b?x=1?y');
  t.equal(seen!.host, 'example.com');
  t.equal(seen!.fields, 'x-first: 1\r\nauthorization: Basic eA==\r\nx-first: 2\r\nx-empty: \r\n');
  t.equal(seen!.framing, Framing.NONE);
  t.equal(seen!.lengthZero, false);
  t.equal(seen!.secure, false);
  t.equal(seen!.responder !== null, true);
  client.destroy();
});

t.test('a byte 0xa0 is a part of what Connection names, not a blank around it', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  // uWS itself takes bytes above 0x7f off both ends of a value, so these stand within the list.
  for (const name of ['a,\xa0x-foo,b', 'a, \xc2\xa0x-foo, b', 'a, x-foo\xc2\xa0, b']) {
    client.send(Buffer.from(`GET / HTTP/1.1\r\n${host}Connection: ${name}\r\nX-Foo: 1\r\n\r\n`, 'latin1'));
    await client.answer();
    t.equal(rig.seen.at(-1)!.fields, 'x-foo: 1\r\n');
  }
  client.destroy();
});

t.test('a target keeps its lone question mark', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  for (const target of ['/a?', '/a', '/?', '/a??b', '/%zz;x=1']) {
    client.send(`GET ${target} HTTP/1.1\r\n${host}\r\n`);
    await client.answer();
    t.equal(rig.seen.at(-1)!.target, target);
  }
  client.destroy();
});

t.test('UTF-8 in a target and in values arrives as the bytes that were sent', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  const bytes = Buffer.from('é€😀', 'utf8').toString('latin1');
  client.send(`GET /${bytes}?${bytes} HTTP/1.1\r\n${host}X: a${bytes}b\r\n\r\n`);
  await client.answer();
  t.equal(rig.seen[0]!.target, `/${bytes}?${bytes}`);
  t.equal(rig.seen[0]!.fields, `x: a${bytes}b\r\n`);
  client.destroy();
});

const refusals: readonly (readonly [name: string, status: number, request: string])[] = [
  [
    'repeated lengths that differ',
    400,
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
  ],
  [
    'a repeated length of which one is empty',
    400,
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length:\r\n\r\nabc`,
  ],
  ['an empty length', 400, `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`],
  [
    'an empty length beside chunked',
    400,
    `POST / HTTP/1.1\r\n${host}Content-Length:\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  ],
  [
    'a length beside chunked',
    400,
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  ],
  ['a signed length', 400, `POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\nabc`],
  ['a list of lengths', 400, `POST / HTTP/1.1\r\n${host}Content-Length: 3, 3\r\n\r\nabc`],
  ['a hexadecimal length', 400, `POST / HTTP/1.1\r\n${host}Content-Length: 0x3\r\n\r\nabc`],
  [
    'a length past what a number holds',
    400,
    `POST / HTTP/1.1\r\n${host}Content-Length: 9999999999999999\r\n\r\nabc`,
  ],
  [
    'a coding list',
    501,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  ],
  [
    'two coding fields',
    400,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  ],
  ['an empty coding', 400, `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n\r\n0\r\n\r\n`],
  ['a list of hosts', 400, 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
  ['two hosts', 400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
  ['no host', 400, 'GET / HTTP/1.1\r\n\r\n'],
  ['an empty host', 400, 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['a host with a path', 400, 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ['a host with user data', 400, 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
  ['a method that is not a token', 400, `GE(T / HTTP/1.1\r\n${host}\r\n`],
  ['CONNECT with a path', 501, `CONNECT /a HTTP/1.1\r\n${host}\r\n`],
  ['a target with lost bytes', 400, `GET /\xe9x HTTP/1.1\r\n${host}\r\n`],
  ['a value with lost bytes', 400, `GET / HTTP/1.1\r\n${host}x: a\xe9b\r\n\r\n`],
  [
    'an expectation that nobody knows',
    417,
    `POST / HTTP/1.1\r\n${host}Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc`,
  ],
  ['HEAD with a bad host', 400, 'HEAD / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
  ['a space before the colon', 400, `GET / HTTP/1.1\r\n${host}x : y\r\n\r\n`],
  ['a folded line', 400, `GET / HTTP/1.1\r\n${host}x: y\r\n z\r\n\r\n`],
  ['NUL in a value', 400, `GET / HTTP/1.1\r\n${host}x: a\0b\r\n\r\n`],
  ['HTTP/1.0', 505, 'GET / HTTP/1.0\r\n\r\n'],
  ['absolute form', 505, `GET http://example.com/ HTTP/1.1\r\n${host}\r\n`],
  ['OPTIONS *', 505, `OPTIONS * HTTP/1.1\r\n${host}\r\n`],
  ['the authority form', 505, `CONNECT example.com:80 HTTP/1.1\r\n${host}\r\n`],
];

for (const [name, status, request] of refusals) {
  t.test(`${name}: ${status}, closed, and the proxy hears nothing`, options, async (t) => {
    const rig = await rigOf(t);
    const received = (await rig.exchange(request)).replace('HTTP/1.1 100 Continue\r\n\r\n', '');
    t.match(received, `HTTP/1.1 ${status} `);
    t.equal(rig.seen.length, 0);
    t.equal(received.lastIndexOf('HTTP/1.1 '), 0, 'exactly one answer');
    t.ok(rig.counts.refused <= 1);
  });
}

t.test('refusals are counted, and say in text what was wrong', options, async (t) => {
  const rig = await rigOf(t);
  const received = await rig.exchange(`GET / HTTP/1.1\r\nHost: a, b\r\n\r\n`);
  t.match(received, /\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
  t.match(received, /\r\nConnection: close\r\n/);
  t.match(received, /\r\nContent-Length: 38\r\n\r\nThe Host field is not one valid host\.\n$/);
  t.notMatch(received, /uwebsockets/i);
  t.equal(rig.counts.refused, 1);
  const bodyless = await rig.exchange(`HEAD / HTTP/1.1\r\nHost: a, b\r\n\r\n`);
  t.match(bodyless, /\r\nContent-Length: 38\r\n\r\n$/);
  t.equal(rig.counts.refused, 2);
});

t.test('what follows a refused request on its connection is never served', options, async (t) => {
  const rig = await rigOf(t);
  await rig.exchange(`POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 40\r\n\r\nabc${get}`);
  await rig.exchange(`GET / HTTP/1.1\r\nHost: a, b\r\n\r\n${get}`);
  t.equal(rig.seen.length, 0);
  t.equal(rig.counts.refused, 2);
});

t.test('a chunked body that is malformed from the start reaches nobody', options, async (t) => {
  const rig = await rigOf(t);
  const received = await rig.exchange(
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`,
  );
  t.match(received, /^HTTP\/1\.1 400 /);
  t.equal(rig.seen.length, 0);
});

t.test('hosts that are valid pass', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  for (const name of ['a', 'a:80', '[::1]:8080', '127.0.0.1', 'A-b_c.example.', 'x:']) {
    client.send(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
    t.equal((await client.answer()).status, 200, name);
    t.equal(rig.seen.at(-1)!.host, name);
  }
  client.destroy();
});

t.test('bodies arrive by length, in chunks, and not at all', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`);
  await client.answer();
  t.match(rig.seen[0], {
    framing: Framing.LENGTH,
    contentLength: 3,
    fields: '',
    body: 'abc',
    pieces: 1,
    complete: true,
  });
  client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`);
  await client.answer();
  t.match(rig.seen[1], { framing: Framing.NONE, lengthZero: true, fields: '', pieces: 0 });
  client.send(`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
  await client.answer();
  t.match(rig.seen[2], { framing: Framing.CHUNKED, fields: '', body: 'abcde', complete: true });
  client.send(`DELETE / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
  await client.answer();
  t.match(rig.seen[3], { method: 'DELETE', framing: Framing.CHUNKED, body: '', complete: true });
  client.destroy();
});

t.test('a body that comes late is announced with an empty piece', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\n`);
  await rig.until(() => rig.seen.length === 1);
  t.match(rig.seen[0], { pieces: 1, bodyBytes: 0, complete: false });
  client.send('ab');
  await rig.until(() => rig.seen[0]!.bodyBytes === 2);
  client.send('cde');
  t.equal((await client.answer()).status, 200);
  t.match(rig.seen[0], { body: 'abcde', complete: true });
  client.destroy();
});

t.test('Expect: 100-continue is answered here and not forwarded', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  client.send(`POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
  await client.receivedAtLeast(1);
  t.equal((await client.answer()).status, 100);
  client.send('ab');
  t.equal((await client.answer()).status, 200);
  t.equal(rig.seen[0]!.fields, '');
  client.destroy();
});

t.test('an upgrade is forwarded as a plain request', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  client.send(
    `GET /chat HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  t.equal((await client.answer()).status, 200);
  t.notMatch(rig.seen[0]!.fields, /^(upgrade|connection):/m);
  client.destroy();
});

t.test('a head past the bound is refused by the engine', options, async (t) => {
  const rig = await rigOf(t);
  const client = rig.connect();
  client.send(`GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(12 * 1024)}\r\n\r\n`);
  t.equal((await client.answer()).status, 200);
  client.destroy();
  t.match(
    await rig.exchange(`GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(20 * 1024)}\r\n\r\n`),
    /^HTTP\/1\.1 431 /,
  );
  t.equal(rig.seen.length, 1);
});
