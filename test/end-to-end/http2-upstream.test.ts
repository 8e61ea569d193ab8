// Runs over both engines.
/** Versions that speak HTTP/2 behind a whole umbra, on both engines: what they get, and the law. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ServerHttp2Stream, sensitiveHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answered, askMany, RawClient } from '../support/client.js';
import { served } from '../support/engines.js';
import { ask2, http2Session } from '../support/http2-client.js';
import { listenStreams } from '../support/http2-server.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type Answer, fieldOf, Origin, type Received } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';
import { bodyOf } from './mixed.js';

const KiB = 1024;
const sizes = [0, 1, 295, 16 * KiB - 1, 16 * KiB, 65 * KiB + 3, 300 * KiB];
const count = 30;
const shaOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');

/** Answers with as many bytes as the path says, and with the checksum of the request. */
const answer: Answer = ({ target, bodySha, method }, response) => {
  const [, size] = /^\/(\d+)/.exec(target)!;
  response.setHeader('x-body', bodySha);
  if (method === 'DELETE') {
    response.statusCode = 204;
    response.end();
  } else response.end(bodyOf(7, Number(size)));
};

type Speaks = 'http1' | 'http2';

async function serve(t: Test, engine: string, primary: Speaks, shadow: Speaks) {
  const listen = (speaks: Speaks) =>
    speaks === 'http2' ? Origin.listenHttp2(answer) : Origin.listen(answer);
  const [v1, v2] = [await listen(primary), await listen(shadow)];
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      v1: { protocol: primary },
      v2: { protocol: shadow },
      mirror: { body: { max: '16MiB' }, inFlight: 4096 },
      umbra: {
        threads: { proxy: 1, shadow: 1, ring: '32MiB' },
        listen: [
          { address: '127.0.0.1:0', engine, ...(engine === 'node' ? { protocols: ['http1', 'h2'] } : {}) },
        ],
      },
    }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  return { umbra, v1, v2 };
}

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly body?: Buffer | undefined;
  readonly chunkBytes: number | null;
}

function asked(n: number): Asked {
  const size = sizes[(n * 3) % sizes.length]!;
  const target = `/${size}?${n}`;
  const method = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE'][n % 5]!;
  if (method === 'GET' || method === 'HEAD' || method === 'DELETE')
    return { method, target, chunkBytes: null };
  return { method, target, body: bodyOf(n, sizes[n % sizes.length]!), chunkBytes: n % 3 === 0 ? 9000 : null };
}

const bodiesOf = (received: readonly Received[]): string[] =>
  received
    .map(({ method, target, bodyBytes, bodySha }) => `${method} ${target} ${bodyBytes} ${bodySha}`)
    .sort();

for (const engine of [served])
  for (const downstream of engine === 'node' ? (['http1', 'http2'] as const) : (['http1'] as const))
    for (const [primary, shadow] of [
      ['http2', 'http2'],
      ['http2', 'http1'],
      ['http1', 'http2'],
    ] as const) {
      t.test(
        `${engine}: clients of ${downstream}, a primary of ${primary}, a shadow of ${shadow}: all is exact`,
        async (t) => {
          const { umbra, v1, v2 } = await serve(t, engine, primary, shadow);
          const all = Array.from({ length: count }, (_, n) => asked(n));
          const check = (n: number, status: number, sha: string, body: string | undefined): void => {
            const { method, target, body: sent } = all[n]!;
            const empty = method === 'HEAD' || method === 'DELETE';
            t.equal(status, method === 'DELETE' ? 204 : 200);
            const size = empty ? 0 : Number(/^\/(\d+)/.exec(target)![1]);
            t.equal(sha, shaOf(bodyOf(7, size)), `${method} ${target}`);
            t.equal(body, shaOf(sent ?? Buffer.alloc(0)));
          };
          if (downstream === 'http2') {
            const session = http2Session(`http://127.0.0.1:${umbra.port}`);
            t.teardown(() => session.destroy());
            await Promise.all(
              all.map(async ({ method, target, body }, n) => {
                const got = await ask2(session, { method, target, body });
                check(n, got.status, got.sha, got.headers['x-body'] as string);
              }),
            );
          } else {
            const answers: Answered[] = await askMany(umbra.port, count, 8, (n) => {
              const { method, target, body, chunkBytes } = all[n]!;
              return body === undefined ? { method, target } : { method, target, body, chunkBytes };
            });
            for (const [n, { status, body, fields }] of answers.entries())
              check(n, status, shaOf(body), fields.find(([name]) => name.toLowerCase() === 'x-body')?.[1]);
          }
          const stats = await lawHolds(t, umbra);
          t.match(mirrorTo(stats, 'v2'), { eligible: count, completed: count });
          t.strictSame(bodiesOf(v2.received), bodiesOf(v1.received));
          const [first] = v2.received;
          t.equal(fieldOf(first!, 'x-umbra-mirror') === null, false, 'copies are marked');
          const metrics = await umbra.metrics();
          for (const [version, speaks] of [
            ['v1', primary],
            ['v2', shadow],
          ] as const) {
            const [, open] = new RegExp(
              `^umbra_upstream_http2_connections\\{version="${version}",role="[a-z]+"\\} (\\d+)$`,
              'm',
            ).exec(metrics)!;
            t.equal(Number(open) > 0, speaks === 'http2', `${version} has ${open} connections of HTTP/2`);
          }
        },
      );
    }

async function started(t: Test, words: Parameters<typeof reviews>): Promise<UmbraProcess> {
  const umbra = await UmbraProcess.start(reviews(...words));
  t.teardown(() => umbra.stop());
  return umbra;
}

const http2 = { protocol: 'http2' };
const node = { listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: ['http1', 'h2'] }] };

t.test(
  'streams in both directions, with trailers both ways, in real time; the copy has all of it',
  async (t) => {
    const copies: string[] = [];
    const echo = (isShadow: boolean) => (stream: ServerHttp2Stream, headers: object) => {
      stream.respond({ ':status': 200, 'content-type': 'application/x' }, { waitForTrailers: true });
      let sum = '';
      let said = '';
      stream.on('trailers', (trailers) => {
        sum = String(trailers['x-sum']);
      });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-status': '0', 'x-of': sum }));
      stream.on('data', (piece: Buffer) => {
        said += piece;
        stream.write(piece);
      });
      stream.on('end', () => {
        if (isShadow) copies.push(`${(headers as { te?: string }).te} ${said} ${sum}`);
        stream.end();
      });
    };
    const [v1, v2] = [await listenStreams(t, echo(false)), await listenStreams(t, echo(true))];
    const umbra = await started(t, [v1, v2, { v1: http2, v2: http2, umbra: node }]);
    const session = http2Session(`http://127.0.0.1:${umbra.port}`);
    t.teardown(() => session.destroy());
    const stream = session.request(
      { ':method': 'POST', ':authority': 'reviews.example.com', te: 'trailers' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '3' }));
    const pieces: string[] = [];
    for (const word of ['one', 'two', 'three']) {
      stream.write(word);
      const [piece] = await once(stream, 'data');
      pieces.push(String(piece));
    }
    stream.end();
    stream.resume();
    const [trailers] = await once(stream, 'trailers');
    await once(stream, 'close');
    t.strictSame(pieces, ['one', 'two', 'three'], 'each came back before the next was sent');
    t.match(trailers, { 'x-status': '0', 'x-of': '3' });
    await lawHolds(t, umbra);
    t.strictSame(copies, ['trailers onetwothree 3']);
  },
);

t.test('an upgrade is an ordinary request for a version of HTTP/2', async (t) => {
  const v1 = await listenStreams(t, (stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(`${(headers as { upgrade?: string }).upgrade}`);
  });
  const umbra = await started(t, [v1, null, { v1: http2, umbra: node }]);
  const client = await RawClient.connect(umbra.port);
  t.teardown(() => client.close());
  client.send(
    'GET /chat HTTP/1.1\r\nHost: reviews.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
  );
  client.send('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  await client.until(/undefined/);
  t.match(client.received, /^HTTP\/1\.1 200 /);
});

t.test('a field that must not be indexed arrives as such at the primary and at the shadow', async (t) => {
  const seen: string[][] = [];
  const version = (stream: ServerHttp2Stream, headers: object) => {
    seen.push((headers as Record<symbol, string[]>)[sensitiveHeaders] ?? []);
    stream.respond({ ':status': 200 });
    stream.end();
  };
  const [v1, v2] = [await listenStreams(t, version), await listenStreams(t, version)];
  const umbra = await started(t, [v1, v2, { v1: http2, v2: http2, umbra: node }]);
  const session = http2Session(`http://127.0.0.1:${umbra.port}`);
  t.teardown(() => session.destroy());
  await ask2(session, { headers: { 'x-card': '4111', [sensitiveHeaders]: ['x-card'] } });
  await until(() => seen.length === 2, 'both versions were asked');
  for (const names of seen) t.ok(names.includes('x-card'));
});

t.test('the access log says what each side speaks', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-http2-'));
  const path = join(directory, 'access.log');
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const [v1, v2] = [await Origin.listen(), await Origin.listenHttp2()];
  t.teardown(() => Promise.all([v1.close(), v2.close()]));
  const umbra = await started(t, [v1.port, v2.port, { v2: http2, umbra: { ...node, accessLog: { path } } }]);
  await askMany(umbra.port, 3, 1, () => ({ target: '/1' }));
  await lawHolds(t, umbra);
  const lines = await until(() => {
    const all = readFileSync(path, 'utf8').trim().split('\n');
    return all.length === 6 && all;
  }, 'the access log has all lines');
  t.equal(lines.filter((line) => line.includes(' HTTP/1.1" 200 ')).length, 3);
  t.equal(lines.filter((line) => line.includes(' HTTP/2.0" 200 ')).length, 3, 'the copies');
});
