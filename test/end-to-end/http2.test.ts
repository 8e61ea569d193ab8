// Runs over one engine: asks for the node engine, which alone has HTTP/2.
/** Clients that speak HTTP/2 before a whole umbra: what they get, what the versions get, and the law. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frame, get, uint32 } from '../core/http2/session-side.js';
import { ask } from '../support/client.js';
import { missing, run, runWell } from '../support/command.js';
import { answerOf, ask2, http2Session } from '../support/http2-client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type Answer, fieldOf, Origin, type Received } from '../support/origin.js';
import { RawHttp2 } from '../support/raw-http2.js';
import { RawServer } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';
import { certificatePem, keyPem } from '../workers/downstream/uws/certificate.js';
import { bodyOf } from './mixed.js';

const KiB = 1024;
const sizes = [0, 1, 295, 16 * KiB - 1, 16 * KiB, 65 * KiB + 3, 300 * KiB];
const shaOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');

interface Served {
  readonly umbra: UmbraProcess;
  readonly v1: Origin;
  readonly v2: Origin;
  /** A session by prior knowledge, and one over TLS. */
  readonly plain: ClientHttp2Session;
  readonly secure: ClientHttp2Session;
  readonly accessLog: string;
}

async function serve(t: Test, answer?: Answer, umbra: object = {}): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-http2-'));
  const tls = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  writeFileSync(tls.cert, certificatePem);
  writeFileSync(tls.key, keyPem);
  const accessLog = join(directory, 'access.log');
  const [v1, v2] = [await Origin.listen(answer), await Origin.listen(answer)];
  const process = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror: { body: { max: '16MiB' }, inFlight: 4096 },
      umbra: {
        threads: { proxy: 1, shadow: 1, ring: '32MiB' },
        listen: [
          { address: '127.0.0.1:0', protocols: ['http1', 'h2'], via: 'edge' },
          { address: '127.0.0.1:0', tls, via: 'edge' },
        ],
        accessLog: { path: accessLog },
        ...umbra,
      },
    }),
  );
  const [port, securePort] = process.ports as [number, number];
  const [plain, secure] = [
    http2Session(`http://127.0.0.1:${port}`),
    http2Session(`https://127.0.0.1:${securePort}`),
  ];
  t.teardown(async () => {
    plain.destroy();
    secure.destroy();
    await process.stop();
    await Promise.all([v1.close(), v2.close()]);
    rmSync(directory, { recursive: true, force: true });
  });
  return { umbra: process, v1, v2, plain, secure, accessLog };
}

/** Method, target and body of each request, in no order. */
const bodiesOf = (received: readonly Received[]): string[] =>
  received
    .map(({ method, target, bodyBytes, bodySha }) => `${method} ${target} ${bodyBytes} ${bodySha}`)
    .sort();

t.test('100 streams at once on each connection: answers and copies are exact', async (t) => {
  const answer: Answer = ({ target, bodySha }, response) => {
    response.setHeader('x-body', bodySha);
    response.end(bodyOf(7, Number(target.slice(1))));
  };
  const { umbra, v1, v2, plain, secure, accessLog } = await serve(t, answer);
  const asked = [plain, secure].flatMap((session) =>
    Array.from({ length: 100 }, async (_, n) => {
      const body = n % 2 === 0 ? bodyOf(n, sizes[n % sizes.length]!) : undefined;
      const size = sizes[(n * 3) % sizes.length]!;
      const method = body === undefined ? 'GET' : 'POST';
      const answered = await ask2(session, { method, target: `/${size}`, body });
      t.equal(answered.status, 200);
      t.equal(answered.sha, shaOf(bodyOf(7, size)));
      t.equal(answered.headers['x-body'], shaOf(body ?? Buffer.alloc(0)));
    }),
  );
  await Promise.all(asked);
  const stats = await lawHolds(t, umbra);
  t.match(mirrorTo(stats, 'v2'), { eligible: 200, completed: 200 });
  t.strictSame(bodiesOf(v2.received), bodiesOf(v1.received));
  for (const { received } of [v1, v2]) {
    t.ok(received.every((one) => /^2\.0 edge$/.test(fieldOf(one, 'via') ?? '')));
    t.strictSame([...new Set(received.map((one) => fieldOf(one, 'x-forwarded-proto')))].sort(), [
      'http',
      'https',
    ]);
  }
  t.ok(v1.received.every((one) => fieldOf(one, 'host') === 'reviews.example.com'));
  const metrics = await umbra.metrics();
  t.match(metrics, /^umbra_downstream_http2_requests_total\{thread="proxy-0"\} 200$/m);
  t.match(metrics, /^umbra_downstream_http2_connections\{thread="proxy-0"\} 2$/m);
  const lines = await until(() => {
    const all = readFileSync(accessLog, 'utf8').trim().split('\n');
    return all.length === 400 && all;
  }, 'the access log has all lines');
  t.equal(lines.filter((line) => line.includes(' HTTP/2.0" 200 ')).length, 200);
  t.equal(
    lines.filter((line) => line.includes(' HTTP/1.1" 200 ')).length,
    200,
    'copies are sent by HTTP/1.1',
  );
});

t.test('one stream that waits, and one whose client reads nothing, keep no other back', async (t) => {
  const held: ServerResponse[] = [];
  const { plain, umbra } = await serve(t, ({ target }, response) => {
    if (target === '/held') held.push(response);
    else response.end(target === '/large' ? bodyOf(3, 4 * KiB * KiB) : 'fast');
  });
  const waiting = ask2(plain, { target: '/held' });
  const unread = plain.request({ ':path': '/large' });
  for (let n = 0; n < 100; n++) t.equal((await ask2(plain)).body.toString(), 'fast');
  await until(() => held.length === 2, 'both versions have the request that waits');
  for (const response of held) response.end('at last');
  t.equal((await waiting).body.toString(), 'at last');
  t.equal((await answerOf(unread)).sha, shaOf(bodyOf(3, 4 * KiB * KiB)));
  await lawHolds(t, umbra);
});

t.test(
  'clients that reset streams at every point: both versions are rid of them, the law is exact',
  async (t) => {
    const { plain, umbra } = await serve(t, ({ target }, response) => {
      if (target !== '/never') response.end(bodyOf(1, 200 * KiB));
    });
    const reset = (target: string, when: 'head' | 'body' | 'answer', n: number): Promise<void> =>
      new Promise((resolve) => {
        const stream = plain.request({ ':path': target, ':method': when === 'body' ? 'POST' : 'GET' });
        stream.on('error', () => {});
        stream.on('close', resolve);
        if (when === 'body') stream.write(bodyOf(n, 20 * KiB), () => stream.close(8));
        else if (when === 'answer') stream.once('data', () => stream.close(8));
        else setImmediate(() => stream.close(8));
      });
    for (let n = 0; n < 10; n++) {
      await Promise.all([
        reset('/never', 'head', n),
        reset('/', 'head', n),
        reset('/', 'body', n),
        reset('/', 'answer', n),
      ]);
    }
    t.equal((await ask2(plain)).status, 200, 'the connection continues');
    await lawHolds(t, umbra);
  },
);

t.test('a rapid reset ends its connection, is counted, and no other client notices', async (t) => {
  const { umbra, plain } = await serve(t);
  const attacker = await RawHttp2.connect(umbra.port);
  const rounds = Array.from({ length: 400 }, (_, n) => [
    attacker.headers(2 * n + 1, get),
    frame(3, 0, 2 * n + 1, uint32(8)),
  ]);
  attacker.send(...rounds.flat());
  const others = Array.from({ length: 20 }, () => ask2(plain));
  await attacker.until(/^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
  await attacker.ended();
  for (const other of await Promise.all(others)) t.equal(other.status, 200);
  await lawHolds(t, umbra);
  const metrics = await umbra.metrics();
  t.match(metrics, /^umbra_downstream_http2_guards_total\{thread="proxy-0",guard="resets"\} 1$/m);
  t.notMatch(metrics, /guard="streams"/, 'a guard that was never needed has no series');
});

t.test('trailers and expectations go through, and a refusal is no end of the connection', async (t) => {
  const seen: string[] = [];
  const version = () =>
    RawServer.listen(async (peer) => {
      for (;;) {
        const head = await peer.head().catch(() => '');
        if (head === '') return;
        let request = head;
        if (head.startsWith('PUT')) {
          if (/^expect/im.test(head)) peer.send('HTTP/1.1 100 Continue\r\n\r\n');
          await peer.bytes(3);
        } else if (head.startsWith('POST')) request += await peer.head();
        seen.push(request);
        peer.send(
          'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n',
        );
      }
    });
  const [v1, v2] = [await version(), await version()];
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { umbra: { listen: [{ address: '127.0.0.1:0', protocols: 'h2' }] } }),
  );
  const session = http2Session(umbra.url);
  t.teardown(async () => {
    session.destroy();
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  const sent = await ask2(session, {
    method: 'POST',
    headers: { te: 'trailers', trailer: 'x-end' },
    body: Buffer.from('abc'),
    trailers: { 'x-end': '1' },
  });
  t.match(sent, { status: 200, headers: { trailer: 'X-Sum' }, trailers: { 'x-sum': '9' } });
  t.equal(sent.body.toString(), 'abc');
  await until(() => seen.length === 2, 'both versions have the request');
  for (const request of seen) t.match(request, /\r\ntrailer: x-end\r\n[\s\S]*\r\n0\r\nx-end: 1\r\n\r\n$/);

  const stream = session.request(
    { ':method': 'PUT', ':path': '/', expect: '100-continue', 'content-length': 3 },
    { endStream: false },
  );
  const answer = answerOf(stream);
  stream.once('continue', () => stream.end('abc'));
  t.match(await answer, { status: 200, interims: [100] });

  const connect = session.request({ ':method': 'CONNECT', ':authority': 'h:1' });
  t.equal((await answerOf(connect)).status, 501);
  t.equal((await ask2(session, { headers: { 'x-long': 'y'.repeat(20_000) } })).status, 431);
  t.equal((await ask2(session)).status, 200);
  await lawHolds(t, umbra);
});

t.test(
  'SIGTERM: what is in flight is answered, clients are asked to go, and the exit code is 0',
  async (t) => {
    const held: ServerResponse[] = [];
    const { umbra, v1, v2, plain, secure } = await serve(
      t,
      (_received, response) => void held.push(response),
    );
    const answers = [plain, secure].flatMap((session) => Array.from({ length: 4 }, () => ask2(session)));
    await Promise.all([v1.untilReceived(8), v2.untilReceived(8)]);
    const goaways = [plain, secure].map(
      (session) => new Promise<number>((resolve) => session.once('goaway', (code: number) => resolve(code))),
    );
    umbra.signal('SIGTERM');
    t.strictSame(await Promise.all(goaways), [0, 0]);
    for (const response of held) response.end('at last');
    for (const answer of await Promise.all(answers)) t.equal(answer.body.toString(), 'at last');
    t.strictSame(await umbra.ended, { code: 0, signal: null });
  },
);

t.test('a reload changes what new connections may speak', async (t) => {
  const v1 = await Origin.listen();
  const listen = (protocols: string[]) => [{ address: '127.0.0.1:0', protocols }];
  const config = reviews(v1.port, null, { umbra: { threads: { proxy: 1, shadow: 1 } } });
  const umbra = await UmbraProcess.start({ ...config, listen: listen(['http1']) });
  t.teardown(async () => {
    await umbra.stop();
    await v1.close();
  });
  const refused = http2Session(umbra.url);
  await t.rejects(ask2(refused));
  refused.destroy();
  umbra.file.write({ ...config, listen: listen(['http1', 'h2']) });
  umbra.signal('SIGHUP');
  await umbra.logged(/configuration reloaded/);
  const session = http2Session(umbra.url);
  t.equal((await ask2(session)).status, 200);
  t.equal((await ask(umbra.port)).status, 200);
  session.destroy();
});

const url = ({ umbra }: Served, secure: boolean): string =>
  secure ? `https://127.0.0.1:${umbra.ports[1]}` : `http://127.0.0.1:${umbra.port}`;

t.test('curl', { skip: missing('curl') }, async (t) => {
  const version = await run('curl', ['--version']);
  if (!/\bHTTP2\b/.test(version.out.toString())) {
    t.pass('skipped: this curl has no HTTP/2');
    return;
  }
  const served = await serve(t, ({ method, bodyBytes }, response) => {
    response.end(`${method} ${bodyBytes} `);
  });
  const quiet = [
    '--silent',
    '--show-error',
    '--insecure',
    '--noproxy',
    '*',
    '--write-out',
    '%{http_version}',
  ];
  const cases: [words: string[], secure: boolean, out: string][] = [
    [['--http2-prior-knowledge'], false, 'GET 0 2'],
    [['--http2'], true, 'GET 0 2'],
    [['--http1.1'], true, 'GET 0 1.1'],
    [[], true, 'GET 0 2'],
    // An offer of h2c is not taken.
    [['--http2'], false, 'GET 0 1.1'],
    [['--http2-prior-knowledge', '--data-binary', '@-'], false, 'POST 300000 2'],
    [['--http2', '--data-binary', '@-'], true, 'POST 300000 2'],
  ];
  for (const [words, secure, out] of cases) {
    const input = words.includes('@-') ? { input: bodyOf(5, 300_000) } : {};
    const ran = await run('curl', [...quiet, ...words, url(served, secure)], input);
    t.equal(ran.out.toString(), out, `${words.join(' ')} ${secure ? 'over TLS' : ''}${ran.err}`);
  }
  await lawHolds(t, served.umbra);
});

t.test('nghttp', { skip: missing('nghttp') }, async (t) => {
  const served = await serve(t, ({ target }, response) => response.end(`at ${target}\n`));
  for (const secure of [false, true]) {
    const base = url(served, secure);
    const ran = await runWell('nghttp', ['--no-verify-peer', `${base}/a`, `${base}/b`]);
    t.same(ran.out.toString().trim().split('\n').sort(), ['at /a', 'at /b']);
  }
});
