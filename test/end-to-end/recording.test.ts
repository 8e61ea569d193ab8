// Runs over one engine: recordings are made behind the engines.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Load } from '../support/load.js';
import { Origin } from '../support/origin.js';
import { recordsIn, requestsIn, segmentsIn } from '../support/recorded.js';
import t from '../support/tap.js';
import { type ConfigWords, reviews, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const v1 = await Origin.listen();
const directory = mkdtempSync(join(tmpdir(), 'umbra-recording-'));
t.teardown(async () => {
  rmSync(directory, { recursive: true, force: true });
  await v1.close();
});

function recordingTo(
  name: string,
  recording: object = {},
  mirror: object = {},
): [ConfigWords, string, string] {
  const path = join(directory, name);
  const to = `file:${path}`;
  const config = reviews(v1.port, null, { route: { mirrors: [{ to, recording, ...mirror }] } });
  return [config, path, to];
}

/** Decompresses a file of gzip members. */
function firstMemberBytes(file: Buffer): number {
  return file.indexOf(Buffer.from([0x1f, 0x8b, 0x08]), 1);
}

function received(): string[] {
  return v1.received.map(({ method, target, bodySha }) => `${method} ${target} ${bodySha}`).sort();
}

t.test(
  'every request is recorded as it was, with its response, and the files are WARC to the last byte',
  async (t) => {
    v1.received.length = 0;
    const [config, path, to] = recordingTo('whole', { responses: true });
    const umbra = await UmbraProcess.start(config);
    for (let i = 0; i < 30; i++) {
      const body = i % 3 === 0 ? null : Buffer.alloc(i * 5000, `${i} `);
      const chunkBytes = i % 3 === 1 ? 7000 : null;
      await ask(umbra.port, { method: body === null ? 'GET' : 'PUT', target: `/r/${i}`, body, chunkBytes });
    }
    const stats = mirrorTo(await lawHolds(t, umbra), to);
    t.strictSame([stats.completed, stats.compare.sampled, stats.compare.examined], [30, 30, 30]);
    t.strictSame([stats.sink, Object.keys((await umbra.stats()).versions)], [true, ['v1']]);
    t.match(
      await umbra.metrics(),
      new RegExp(`umbra_mirror_completed_total\\{route="reviews",version="${to}",role="sink"\\} 30`),
    );
    await umbra.stop();
    t.match(stats.kept, { segments: 1, trouble: null, lag: null });
    const onDisk = readFileSync(join(path, segmentsIn(path)[0]));
    t.equal(
      onDisk.byteLength - stats.kept!.bytes,
      firstMemberBytes(onDisk),
      'all but the record about the file',
    );

    const records = recordsIn(path);
    t.strictSame(
      requestsIn(path)
        .map(({ request }) => request)
        .sort(),
      received(),
    );
    const ids = new Map(records.map((record) => [record.headers.get('WARC-Record-ID'), record]));
    t.equal(ids.size, 61, 'a record about the file, and two for each exchange, each with its own id');
    for (const { type, headers, block } of records) {
      t.match(headers.get('WARC-Date'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      if (type === 'warcinfo') continue;
      const other = ids.get(headers.get('WARC-Concurrent-To')!);
      t.equal(other!.headers.get('WARC-Concurrent-To'), headers.get('WARC-Record-ID'));
      if (type === 'response') t.match(block, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Length: 3\r\n\r\nok\n$/i);
      else t.notMatch(block, /x-umbra-mirror/, 'a recorded request is no copy');
    }
    t.equal(statSync(join(path, segmentsIn(path)[0])).mode & 0o777, 0o600, 'for nobody else to read');
  },
);

t.test('secrets never reach the disk', async (t) => {
  const [config, path] = recordingTo('secrets', { responses: true, compress: false });
  v1.answer = (_received, response) => {
    response.setHeader('set-cookie', 'sid=TOPSECRET');
    response.setHeader('content-type', 'application/json');
    response.end('{"token":"TOPSECRET","stars":5}');
  };
  const umbra = await UmbraProcess.start(config);
  const headers = { authorization: 'Bearer TOPSECRET', 'content-type': 'application/json' };
  const body = Buffer.from('{"user":"ada","password":"TOPSECRET"}');
  await ask(umbra.port, { method: 'POST', target: '/login?token=TOPSECRET&a=1', headers, body });
  await lawHolds(t, umbra);
  await umbra.stop();
  const text = recordsIn(path)
    .map(({ headers, block }) => [...headers.values(), block].join('\n'))
    .join('\n');
  t.notMatch(text, /TOPSECRET/);
  for (const kept of ['"user":"ada"', '"stars":5', '/login?token=[redacted]&a=1', '"password":"[redacted]"'])
    t.ok(text.includes(kept), kept);
  v1.answer = (_received, response) => void response.end('ok\n');
});

t.test('policy, kill switch and reloads hold for a recording as for a shadow', async (t) => {
  v1.received.length = 0;
  const [config, path, to] = recordingTo('policy', {}, { methods: ['GET'], body: { max: '100B' } });
  const umbra = await UmbraProcess.start(reviews(v1.port, null));
  await ask(umbra.port, { target: '/before' });
  t.equal((await umbra.admin('PUT', '/api/config', config)).status, 200, 'a recording comes with a reload');
  await ask(umbra.port, { target: '/recorded' });
  await ask(umbra.port, { method: 'DELETE', target: '/deleted' });
  await ask(umbra.port, { target: '/large', body: Buffer.alloc(1000) });
  const change = `/api/routes/reviews/mirrors/${encodeURIComponent(to)}`;
  t.equal((await umbra.admin('PATCH', change, { enabled: false })).status, 200);
  await ask(umbra.port, { target: '/off' });
  t.equal((await umbra.admin('PATCH', change, { enabled: true })).status, 200);
  await ask(umbra.port, { target: '/on' });
  const { dropped, completed } = mirrorTo(await lawHolds(t, umbra), to);
  t.strictSame([completed, dropped.method, dropped['body-too-large']], [2, 1, 1]);
  await umbra.stop();
  t.strictSame(
    requestsIn(path).map(({ request }) => request.split(' ')[1]),
    ['/recorded', '/on'],
  );
});

t.test('a recording keeps to its budget of disk, the newest segments stay', async (t) => {
  const [config, path] = recordingTo('budget', {
    compress: false,
    segment: { size: '64KiB' },
    disk: '256KiB',
  });
  const umbra = await UmbraProcess.start(config);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'notes.txt'), 'not ours');
  for (let i = 0; i < 60; i++) {
    await ask(umbra.port, { method: 'PUT', target: `/${i}`, body: Buffer.alloc(20_000, 'x') });
    await lawHolds(t, umbra);
  }
  await umbra.stop();
  const names = segmentsIn(path).filter((name) => name.startsWith('umbra-'));
  const bytes = names.reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  t.ok(bytes <= 256 * 1024 + 30_000, `${bytes} bytes`);
  t.ok(names.length >= 3, names.join(' '));
  rmSync(join(path, 'notes.txt'));
  t.match(requestsIn(path).at(-1)?.request, /^PUT \/59 /);
});

t.test(
  'where nothing can be written copies are dropped and counted, clients notice nothing, and it continues when it can',
  async (t) => {
    const [config, path, to] = recordingTo('blocked');
    writeFileSync(path, 'a file where the directory would be');
    const umbra = await UmbraProcess.start(config);
    for (let i = 0; i < 20; i++) t.equal((await ask(umbra.port, { target: `/${i}` })).status, 200);
    const stats = mirrorTo(await lawHolds(t, umbra), to);
    t.equal(stats.completed, 0);
    t.equal(stats.failed.write + stats.dropped.unwritable, 20);
    await umbra.logged(/has stopped: .*copies are dropped and counted/);
    rmSync(path);
    await until(async () => {
      await ask(umbra.port, { target: '/again' });
      return mirrorTo(await umbra.stats(), to).completed > 0;
    }, 'it records again');
    await umbra.logged(/works again/);
    await lawHolds(t, umbra);
    await umbra.stop();
    t.ok(requestsIn(path).length > 0);
  },
);

t.test('umbra record needs no configuration', async (t) => {
  const path = join(directory, 'command');
  const listen = ['--listen', '127.0.0.1:0', '--admin', 'off'];
  const { code, out } = await runToEnd(
    'record',
    `http://127.0.0.1:${v1.port}`,
    '-o',
    path,
    ...listen,
    '--for',
    '100ms',
  );
  t.strictSame([code, /^umbra ready listen=\S+ pid=\d+$/m.test(out)], [0, true]);
  t.match(out, /^recorded 0 requests in .*: 0 bytes in 0 files in /m);
  const json = await runToEnd(
    'record',
    `http://127.0.0.1:${v1.port}`,
    ...['-o', path, ...listen, '--for', '100ms', '--json'],
  );
  t.match(JSON.parse(json.out), { recorded: 0, bytes: 0, files: 0, redacted: 0, dropped: {}, failed: {} });
  t.match(json.err, /^umbra ready listen=/m);
  const wrong = await runToEnd('record', `http://127.0.0.1:${v1.port}/path`, '-o', path);
  t.strictSame([wrong.code, /without a path/.test(wrong.err)], [2, true]);
});

t.test('a sink thread that is killed is replaced, and every copy is accounted for', async (t) => {
  const [config, path, to] = recordingTo('killed', { responses: true });
  const umbra = await UmbraProcess.startBreakable(config);
  const load = new Load(umbra.port, 16);
  await load.more(300);
  await umbra.makeThrow('sink-0');
  await load.more(300);
  await umbra.makeThrow('proxy-0');
  await load.more(300);
  await load.stop();
  const { completed, eligible } = mirrorTo(await lawHolds(t, umbra), to);
  t.ok(eligible > 0 && completed > 0);
  await umbra.stop();
  t.ok(requestsIn(path).length >= completed, 'what counts as completed is on disk');
});
