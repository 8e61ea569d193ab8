// Runs over one engine: commands have no engine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runHere } from '../support/here.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';

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

/** A recording of `requests` exchanges, whose responses have `bodyOf`. */
function goreplay(name: string, method: string, bodyOf: (target: string) => string): string {
  const path = join(directory, name);
  const payloads = Array.from({ length: requests }, (_, i) => {
    const body = bodyOf(`/r/${i}`);
    const at = 1_800_000_000_000_000_000n + BigInt(i) * 1_000_000n;
    return [
      `1 ${i.toString(16)} ${at} 0\n${method} /r/${i} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`,
      `2 ${i.toString(16)} ${at} 900000\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ];
  });
  writeFileSync(
    path,
    payloads
      .flat()
      .map((payload) => `${payload}\n🐵🙈🙉\n`)
      .join(''),
  );
  return path;
}
const recording = goreplay('recording.gor', 'GET', answerOf);

interface Printed {
  readonly played: number;
  readonly learned?: number;
  readonly lateUs: { readonly p99: number };
  readonly diffs: {
    readonly groups: readonly { readonly path: string; readonly kind: string; readonly noise: boolean }[];
    readonly mirrors: readonly { readonly compared: number; readonly differentBeyondNoise: number }[];
  };
  readonly verdict: { mirrors: readonly { checks: readonly { name: string; outcome: string }[] }[] };
  readonly stats: { readonly mirrors: readonly { readonly compare: { readonly examined: number } }[] };
}

async function replay(...flags: string[]): Promise<{ code: number | null; printed: Printed }> {
  return replayOf(recording, ...flags);
}

async function replayOf(
  file: string,
  ...flags: string[]
): Promise<{ code: number | null; printed: Printed }> {
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
  const { code, out, err } = await runHere('replay', file, '-o', 'json', '--verdict', ...bounds, ...flags);
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

/** A configuration with mirrors that compare, by the names of their routes. */
function configOf(compares: Readonly<Record<string, object>>): string {
  const path = join(directory, `umbra-${Object.keys(compares).join('-')}.yaml`);
  const routes = Object.entries(compares).map(([name, compare]) => ({
    name,
    match: { path: { prefix: `/${name}` } },
    primary: 'v1',
    mirrors: [{ to: 'v2', compare }],
  }));
  const versions = { v1: 'http://127.0.0.1:1', v2: 'http://127.0.0.1:2' };
  writeFileSync(path, JSON.stringify({ versions, routes }));
  return path;
}

t.test('all rules of a configuration hold in a replay', async (t) => {
  const recorded = {
    id: 'id-1',
    price: 100,
    tags: ['a', 'b'],
    items: [
      { sku: 1, n: 'x' },
      { sku: 2, n: 'y' },
    ],
    at: '2026-01-01',
    state: 'on',
  };
  const played = {
    id: 'id-2',
    price: 100.4,
    tags: ['b', 'a'],
    items: [...recorded.items].reverse(),
    at: '2026-02-02',
    state: 'enabled',
  };
  const file = goreplay('rules.gor', 'GET', () => JSON.stringify(recorded));
  const v2 = await Origin.listen(
    (_, response) => void response.writeHead(200, asJson).end(JSON.stringify(played)),
  );
  t.teardown(() => v2.close());
  const found = async (...flags: string[]): Promise<string[]> => {
    const { printed } = await replayOf(file, '--to', url(v2), '--ignore', 'header:date', ...flags);
    return printed.diffs.groups
      .filter(({ kind }) => kind === 'json')
      .map(({ path }) => path.split(/[[.]/)[1]!);
  };
  const places = ['at', 'id', 'items', 'price', 'state', 'tags'];
  t.strictSame([...new Set(await found())].sort(), places);
  const rules = [
    { path: '$.id', ignore: true },
    { path: '$.price', tolerance: '1%' },
    { path: '$.tags', unordered: true },
    { path: '$.items', key: 'sku' },
    { path: '$.at', matches: '\\d{4}-\\d\\d-\\d\\d' },
    { path: '$.state', equivalent: ['on', 'enabled'] },
  ];
  t.strictSame(await found('-c', configOf({ all: { rules } })), []);
  for (const rule of rules) {
    const others = rules.filter((one) => one !== rule);
    const left = await found('-c', configOf({ others: { rules: others } }));
    t.strictSame([...new Set(left)], [rule.path.slice(2)], `without the rule of ${rule.path}`);
  }
});

t.test('the mirror whose rules are meant is named, where there are several', async (t) => {
  const config = configOf({ a: { ignore: ['$.price'] }, b: {} });
  const compared = async (...flags: string[]): Promise<string[]> => {
    const { printed } = await replay('--to', url(changed), '--ignore', '$.requestId', '-c', config, ...flags);
    return printed.diffs.groups.filter(({ kind }) => kind === 'json').map(({ path }) => path);
  };
  t.strictSame(await compared('--mirror', 'a'), []);
  t.strictSame(await compared('--mirror', 'b/v2'), ['$.price']);
  for (const [flags, message] of [
    [[], /several mirrors that compare: name one with --mirror: a\/v2, b\/v2/],
    [['--mirror', 'c'], /no mirror c that compares; mirrors: a\/v2, b\/v2/],
  ] as const) {
    const { code, err } = await runHere('replay', recording, '--to', url(equal), '-c', config, ...flags);
    t.equal(code, 1);
    t.match(err, message);
  }
});

t.test('noise is learned by a replay to the primary version first, of writes too', async (t) => {
  for (const method of ['GET', 'POST']) {
    const file = goreplay(`${method}.gor`, method, answerOf);
    v1.received.length = 0;
    const same = await replayOf(file, '--to', url(equal), '--learn', url(v1));
    t.equal(v1.received.length, requests);
    t.match(same.printed, { learned: requests, played: requests });
    t.match(same.printed.diffs.mirrors, [{ compared: requests, differentBeyondNoise: 0 }]);
    t.equal(same.printed.diffs.groups.find(({ path }) => path === '$.requestId')?.noise, true, method);
    const other = await replayOf(file, '--to', url(changed), '--learn', url(v1));
    t.equal(other.code, 1);
    t.equal(other.printed.diffs.groups.find(({ path }) => path === '$.price')?.noise, false);
  }
});

t.test('noise is learned from a second recording of the same requests', async (t) => {
  const second = goreplay('second.gor', 'GET', answerOf);
  const same = await replay('--to', url(equal), '--learn', second, '--ignore', 'header:date');
  t.match(same.printed, { learned: requests, played: requests });
  t.match(same.printed.diffs.mirrors, [{ compared: requests, differentBeyondNoise: 0 }]);
  t.equal(same.printed.diffs.groups.find(({ path }) => path === '$.requestId')?.noise, true);
  const other = await replay('--to', url(changed), '--learn', second, '--ignore', 'header:date');
  t.equal(other.code, 1);
  t.equal(other.printed.diffs.groups.find(({ path }) => path === '$.price')?.noise, false);
});
