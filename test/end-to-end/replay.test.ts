// Runs over one engine: commands have no engine.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { segmentsIn } from '../support/recorded.js';
import t, { type Test } from '../support/tap.js';
import { reviews, runToEnd, UmbraProcess } from '../support/umbra.js';

const v1 = await Origin.listen((received, response) => void response.end(`answer to ${received.target}`));
const v2 = await Origin.listen((received, response) => void response.end(`answer to ${received.target}`));
const directory = mkdtempSync(join(tmpdir(), 'umbra-replay-'));
const to = ['--to', `http://127.0.0.1:${v2.port}`];
t.teardown(async () => {
  rmSync(directory, { recursive: true, force: true });
  await Promise.all([v1.close(), v2.close()]);
});

/** Records 40 requests with bodies of all framings; the paths of the files. */
async function record(t: Test): Promise<string[]> {
  const path = join(directory, 'recording');
  const mirrors = [{ to: `file:${path}`, recording: { responses: true } }];
  const umbra = await UmbraProcess.start(reviews(v1.port, null, { route: { mirrors } }));
  for (let i = 0; i < 40; i++) {
    const body = i % 4 === 0 ? Buffer.alloc(1 + i * 500, `${i},`) : null;
    const headers = { 'x-user': `u${i % 3}` };
    const method = body === null ? 'GET' : 'POST';
    await ask(umbra.port, {
      method,
      target: `/r/${i}`,
      headers,
      body,
      chunkBytes: i % 8 === 0 ? 1000 : null,
    });
  }
  await lawHolds(t, umbra);
  await umbra.stop();
  return segmentsIn(path).map((name) => join(path, name));
}

function asked(origin: Origin): string[] {
  return origin.received.map(({ method, target, bodySha }) => `${method} ${target} ${bodySha}`).sort();
}

function targetsOf(origin: Origin, user: string): string[] {
  const ofUser = origin.received.filter(({ fields }) =>
    fields.some(([name, value]) => name === 'x-user' && value === user),
  );
  return ofUser.map(({ target }) => target);
}

let files: string[] = [];
t.test('traffic is recorded', async (t) => {
  files = await record(t);
  t.equal(files.length, 1);
});

t.test(
  'a recording played at its own speed, ten times as fast and as fast as can be is the same set of requests',
  async (t) => {
    for (const speed of [[], ['--speed', '10x'], ['--speed', 'max']]) {
      v2.received.length = 0;
      const { code, out, err } = await runHere('replay', ...files, ...to, ...speed);
      t.strictSame([code, err], [0, ''], speed.join(' '));
      t.strictSame(asked(v2), asked(v1));
      t.match(out, /played 40 requests/);
      t.match(out, /against the recording/);
      t.notMatch(out, /NaN|undefined/);
    }
  },
);

t.test('requests of one key keep their order, however fast they are played', async (t) => {
  for (const speed of [[], ['--speed', 'max']]) {
    v2.received.length = 0;
    const { code } = await runHere('replay', ...files, ...to, ...speed, '--order', 'header:x-user');
    t.equal(code, 0);
    for (const user of ['u0', 'u1', 'u2']) t.strictSame(targetsOf(v2, user), targetsOf(v1, user), user);
  }
});

t.test('how late requests went out is reported', async (t) => {
  const { out } = await runHere('replay', ...files, ...to);
  t.match(out, /sent late by umbra itself, in no latency: p50 \d+ us/);
});

t.test('filters, order and a rate', async (t) => {
  v2.received.length = 0;
  const { code } = await runToEnd(
    'replay',
    ...files,
    ...to,
    '--rate',
    '500',
    '--filter',
    'method:POST',
    '--filter',
    '!path:/r/4',
    '--order',
    'header:x-user',
  );
  t.equal(code, 0);
  t.strictSame(v2.received.map(({ target }) => target).sort(), [
    '/r/0',
    '/r/12',
    '/r/16',
    '/r/20',
    '/r/24',
    '/r/28',
    '/r/32',
    '/r/36',
    '/r/8',
  ]);
});

t.test('a loop continues until its time is over', async (t) => {
  v2.received.length = 0;
  const { code } = await runToEnd('replay', ...files, ...to, '--speed', 'max', '--loop', '--for', '1s');
  t.equal(code, 0);
  t.ok(v2.received.length > 80, `${v2.received.length} requests`);
});

t.test('answers that differ from the recorded ones fail the verdict', async (t) => {
  v2.answer = (_received, response) => {
    response.statusCode = 500;
    response.end('no');
  };
  const { code, out } = await runToEnd(
    'replay',
    ...files,
    ...to,
    '--speed',
    'max',
    '--verdict',
    '--min-samples',
    '10',
  );
  t.equal(code, 1);
  t.match(out, /fail/i);
  v2.answer = (_received, response) => void response.end('ok');
});

t.test('a damaged recording is played but for what is damaged, with the place of it', async (t) => {
  v2.received.length = 0;
  const path = join(directory, 'damaged.warc.gz');
  const bytes = readFileSync(files[0]);
  bytes[bytes.byteLength >> 1] ^= 0xff;
  writeFileSync(path, bytes.subarray(0, bytes.byteLength - 5));
  appendFileSync(path, 'rubbish');
  const { code, err } = await runHere('replay', path, ...to, '--speed', 'max');
  t.equal(code, 0);
  t.match(err, new RegExp(`${path}:\\d+: skipped: `));
  t.ok(v2.received.length >= 38, `${v2.received.length} requests`);
});

t.test('a request whose body is not known to be whole is named in the report', async (t) => {
  const path = join(directory, 'cut.gor');
  const end = '\n🐵🙈🙉\n';
  const head = 'HTTP/1.1\r\nHost: x\r\n';
  writeFileSync(
    path,
    [
      `1 a 1800000000000000000 0\nPOST /whole ${head}Content-Length: 2\r\n\r\nok${end}`,
      `1 b 1800000000001000000 0\nPOST /cut ${head}Content-Length: 9\r\n\r\nok${end}`,
    ].join(''),
  );
  const { out, err } = await runHere('replay', path, ...to);
  t.match(out, /played 1 requests/);
  t.match(out, /note: 1 record was skipped: has N bytes of a body of N; the first is \S*cut\.gor:\d+/);
  t.match(err, /cut\.gor:\d+: skipped: has \d+ bytes of a body of 9/);
  const json = JSON.parse((await runHere('replay', path, ...to, '-o', 'json')).out);
  t.match(json, { played: 1, skipped: 1, skippedByReason: { 'has N bytes of a body of N': 1 } });
});

t.test('a replay of nothing ends, however long it may take and whatever it is asked', async (t) => {
  for (const flags of [
    ['--filter', 'path:/none', '--loop', '--for', '10m'],
    ['--filter', 'path:/none'],
  ]) {
    const { code, err } = await runHere('replay', ...files, ...to, ...flags);
    t.strictSame([code, err], [1, 'umbra replay: there was nothing to play\n']);
  }
});

t.test(
  'a server that is not there is a failure of each request, and a file that is not there of the command',
  async (t) => {
    const dead = await Origin.listen();
    const { port } = dead;
    await dead.close();
    const gone = await runHere('replay', ...files, '--to', `http://127.0.0.1:${port}`, '--speed', 'max');
    t.match(gone.out, /played 40 requests/);
    const missing = await runHere('replay', join(directory, 'none'), ...to);
    t.strictSame([missing.code, /can't read .*none/.test(missing.err)], [1, true]);
    const text = join(directory, 'text');
    writeFileSync(text, 'hello');
    const foreign = await runHere('replay', text, ...to);
    t.strictSame(
      [foreign.code, /neither a WARC file nor one of GoReplay[\s\S]*nothing to play/.test(foreign.err)],
      [1, true],
    );
    const wrong = await runHere('replay', ...files, ...to, '--speed', 'fast');
    t.equal(wrong.code, 2);
  },
);
