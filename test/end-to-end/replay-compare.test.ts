import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Origin } from '../support/origin.js';
import { runToEnd } from '../support/umbra.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-replay-compare-'));
let answers = 0;
/** A price that depends on the request, and an id that no two answers share. */
const answerOf = (target: string, more: object = {}): string =>
  JSON.stringify({
    requestId: `id-${++answers}-${Math.random()}`,
    item: target,
    price: target.length,
    ...more,
  });
const asJson = { 'content-type': 'application/json' };
const [v1, equal, changed] = await Promise.all([
  Origin.listen(({ target }, response) => void response.writeHead(200, asJson).end(answerOf(target))),
  Origin.listen(({ target }, response) => void response.writeHead(200, asJson).end(answerOf(target))),
  Origin.listen(
    ({ target }, response) => void response.writeHead(200, asJson).end(answerOf(target, { price: -1 })),
  ),
]);
t.teardown(async () => {
  rmSync(directory, { recursive: true, force: true });
  await Promise.all([v1.close(), equal.close(), changed.close()]);
});
const url = ({ port }: Origin): string => `http://127.0.0.1:${port}`;

const requests = 60;
const recording = join(directory, 'recording.gor');
writeFileSync(
  recording,
  Array.from({ length: requests }, (_, i) => {
    const body = answerOf(`/r/${i}`);
    const at = 1_800_000_000_000_000_000n + BigInt(i) * 1_000_000n;
    return [
      `1 ${i.toString(16)} ${at} 0\nGET /r/${i} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `2 ${i.toString(16)} ${at} 900000\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ];
  })
    .flat()
    .map((payload) => `${payload}\n🐵🙈🙉\n`)
    .join(''),
);

interface Printed {
  readonly played: number;
  readonly lateUs: { readonly p99: number };
  readonly diffs: {
    readonly groups: readonly { readonly path: string; readonly kind: string; readonly noise: boolean }[];
    readonly mirrors: readonly { readonly compared: number; readonly differentBeyondNoise: number }[];
  };
  readonly verdict: { mirrors: readonly { checks: readonly { name: string; outcome: string }[] }[] };
  readonly stats: { readonly mirrors: readonly { readonly compare: { readonly examined: number } }[] };
}

async function replay(...flags: string[]): Promise<{ code: number | null; printed: Printed }> {
  const bounds = [
    '--min-samples',
    '10',
    '--max-p99-delta',
    '100000%',
    '--max-diff',
    '10%',
    '--max-error-delta',
    '10%',
  ];
  const { code, out, err } = await runToEnd(
    'replay',
    recording,
    '-o',
    'json',
    '--verdict',
    ...bounds,
    ...flags,
  );
  t.equal(err, '');
  return { code, printed: JSON.parse(out) };
}

t.test('contents are compared as a live mirror compares them, without what is ignored', async (t) => {
  const { code, printed } = await replay(
    '--to',
    url(equal),
    '--ignore',
    '$.requestId',
    '--ignore',
    'header:date',
  );
  t.equal(printed.played, requests);
  t.equal(printed.stats.mirrors[0].compare.examined, requests);
  t.match(printed.diffs.mirrors, [{ compared: requests, differentBeyondNoise: 0 }]);
  t.not(code, 1);
  const checks = printed.verdict.mirrors[0].checks;
  t.equal(checks.find(({ name }) => name === 'differences')?.outcome, 'pass');
});

t.test('a version with one changed field fails, and the field is named', async (t) => {
  const { code, printed } = await replay('--to', url(changed), '--ignore', '$.requestId');
  t.equal(code, 1);
  t.strictSame(
    printed.diffs.groups.filter(({ kind }) => kind === 'json').map(({ path }) => path),
    ['$.price'],
  );
});

t.test('a baseline separates noise from difference: the primary version asked once more', async (t) => {
  const same = await replay('--to', url(equal), '--baseline', url(v1));
  t.match(same.printed.diffs.mirrors, [{ compared: requests, differentBeyondNoise: 0 }]);
  const id = same.printed.diffs.groups.find(({ path }) => path === '$.requestId');
  t.equal(id?.noise, true);
  const other = await replay('--to', url(changed), '--baseline', url(v1));
  t.equal(other.code, 1);
  t.equal(other.printed.diffs.groups.find(({ path }) => path === '$.price')?.noise, false);
});

t.test('two servers are asked at once and compared with each other', async (t) => {
  v1.received.length = 0;
  changed.received.length = 0;
  const both = await replay('--to', `${url(v1)},${url(changed)}`, '--baseline', url(v1), '--speed', 'max');
  t.equal(both.code, 1);
  t.equal(v1.received.length, 2 * requests);
  t.equal(changed.received.length, requests);
  t.ok(both.printed.diffs.groups.some(({ path, noise }) => path === '$.price' && !noise));
});
