// Runs over both engines.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ask, RawClient } from '../support/client.js';
import { behaviour } from '../support/engines.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { ConfigFile, reviews, runToEnd, UmbraProcess } from '../support/umbra.js';

t.test('every error of a configuration is reported with its place, and nothing is started', async (t) => {
  const file = new ConfigFile(`listen:
  - address: 127.0.0.1:99999
versions:
  v1: { endpoint: "http://127.0.0.1:1" }
  v2: "http://127.0.0.1:2"
routes:
  - primary: v1
    timeout: 5 fortnights
    mirrors:
      - to: v3
        percent: 101
`);
  const { code, out, err } = await runToEnd('run', '-c', file.path);
  t.equal(code, 2);
  t.equal(out, '');
  const lines = err.trimEnd().split('\n');
  const places = lines.map((line) => {
    t.ok(line.startsWith(`${file.path}:`), line);
    return line
      .slice(file.path.length + 1)
      .split(':', 2)
      .join(':');
  });
  for (const place of ['2:14', '8:14', '10:13', '11:18']) t.ok(places.includes(place), `${place} is named`);
  t.ok(
    places.some((place) => place.startsWith('4:')),
    'the misspelt key is named',
  );
  t.match(err, /endpoints/, 'and what was meant');
  file.remove();
});

t.test('a file that is not there is one line', async (t) => {
  const { code, out, err } = await runToEnd('run', '-c', '/nowhere/umbra.yaml');
  t.strictSame([code, out, err], [2, '', "/nowhere/umbra.yaml:1:1: can't be read: no such file\n"]);
});

t.test('a port that is in use ends umbra with one line that names it', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  for (const taken of [{ listen: `127.0.0.1:${port}` }, { admin: { address: `127.0.0.1:${port}` } }]) {
    const file = new ConfigFile({ ...reviews(1, null), ...taken });
    const { code, out, err } = await runToEnd('run', '-c', file.path);
    t.equal(code, 1);
    t.equal(out, '');
    t.match(err, new RegExp(`^umbra: [^\\n]*127\\.0\\.0\\.1:${port}[^\\n]*in use\\n$`, 'm'));
    file.remove();
  }
  other.close();
});

const host = 'host: h\r\n';
const ambiguous: readonly [name: string, request: string, status?: number][] = [
  [
    'two lengths that differ',
    `POST / HTTP/1.1\r\n${host}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`,
  ],
  [
    'a length and chunks',
    `POST / HTTP/1.1\r\n${host}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'an empty length and chunks',
    `POST / HTTP/1.1\r\n${host}content-length:\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['a length with a sign', `POST / HTTP/1.1\r\n${host}content-length: +5\r\n\r\nhello`],
  ['a length that is a list', `POST / HTTP/1.1\r\n${host}content-length: 5, 5\r\n\r\nhello`],
  [
    'a coding after chunked',
    `POST / HTTP/1.1\r\n${host}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  ],
  ['an unknown coding', `POST / HTTP/1.1\r\n${host}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`],
  [
    'chunked twice',
    `POST / HTTP/1.1\r\n${host}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['a space before the colon', `GET / HTTP/1.1\r\n${host}x : y\r\n\r\n`],
  ['a folded line', `GET / HTTP/1.1\r\n${host}x: y\r\n z\r\n\r\n`],
  ['a NUL in a value', `GET / HTTP/1.1\r\n${host}x: a\0b\r\n\r\n`],
  ['no host', 'GET / HTTP/1.1\r\nx: y\r\n\r\n'],
  ['two hosts', `GET / HTTP/1.1\r\n${host}host: i\r\n\r\n`],
  ['two hosts in one field', 'GET / HTTP/1.1\r\nhost: h, i\r\n\r\n'],
  ['a method that is not a token', `GE(T / HTTP/1.1\r\n${host}\r\n`],
  ['a method that is CONNECT', `CONNECT h:443 HTTP/1.1\r\n${host}\r\n`],
];

t.test('a request that two parsers could read in two ways is refused, and seen by no version', async (t) => {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
  for (const [name, request] of ambiguous) {
    const client = await RawClient.connect(umbra.port);
    // A request behind it must not be answered either: its beginning is what is in doubt.
    client.send(`${request}GET /smuggled HTTP/1.1\r\n${host}\r\n`);
    const received = await client.end();
    t.match(received, /^(HTTP\/1\.1 (400|501|505) |$)/, name);
    t.notMatch(received, /HTTP\/1\.1 200/, name);
  }
  // At a bare CR uWS waits for the rest of a head that never comes, until its time for that is over.
  const waiting = await RawClient.connect(umbra.port);
  waiting.send(`GET / HTTP/1.1\r\n${host}x: a\rb\r\n\r\nGET /smuggled HTTP/1.1\r\n${host}\r\n`);
  t.equal((await ask(umbra.port, { target: '/good' })).status, 200);
  await lawHolds(t, umbra);
  if (behaviour.waitsAtBareCr) t.equal(waiting.received, '');
  else t.match(await waiting.end(), /^HTTP\/1\.1 400 [\s\S]*$/);
  waiting.close();
  for (const version of [v1, v2]) {
    t.strictSame(
      version.received.map(({ target }) => target),
      ['/good'],
    );
  }
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test('a request for which there is no route is a 404, counted and copied to nobody', async (t) => {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { route: { match: { path: { prefix: '/reviews' } } } }),
  );
  const answer = await ask(umbra.port, { target: '/other' });
  t.strictSame([answer.status, answer.body.toString()], [404, 'no route matches this request\n']);
  t.equal((await ask(umbra.port, { target: '/reviews/1' })).status, 200);
  await lawHolds(t, umbra);
  t.match(await umbra.metrics(), /^umbra_downstream_unrouted_total\{[^}]*\} 1$/m);
  t.equal(v2.received.length, 1);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});
