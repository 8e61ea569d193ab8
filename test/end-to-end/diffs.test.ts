// Runs over one engine: pairs are made and compared behind the engines.
/** Wrong versions behind noise, between real servers: each fault is named, and an equal version has none. */
import { readFileSync } from 'node:fs';
import type { DiffGroup, Diffs } from '../../core/compare/diff-book.js';
import { askMany } from '../support/client.js';
import { runHere } from '../support/here.js';
import { type Answer, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const concurrency = 8;
const rounds = 40;
/** GET requests of a round; one POST follows them. */
const reads = [
  '/reviews/page',
  '/reviews/session',
  '/reviews/orders',
  '/reviews/tokens',
  '/reviews/prices/17',
  '/reviews/feed',
];

let requests = 0;
const nonce = (): string => `n${Math.random()}`;

/** `wrong`: what v2 does that v1 does not. */
function version(wrong: boolean): Answer {
  return (received, response) => {
    const isWrite = received.method === 'POST';
    const json = (value: object, fields: Record<string, string> = {}) => {
      response.writeHead(200, { 'content-type': 'application/json', ...fields });
      response.end(JSON.stringify(value));
    };
    const html = (text: string) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(text);
    };
    const path = received.target.split('/')[2];
    if (path === 'page') {
      const page = `<html><script nonce="${nonce()}">x()</script><p>Welcome</p></html>`;
      html(wrong ? `<html><p nonce="${nonce()}">Internal error</p></html>` : page);
    } else if (path === 'session') {
      json({ ok: true }, { 'set-cookie': `sid=${nonce()}; Path=/${wrong ? '' : '; HttpOnly'}` });
    } else if (path === 'orders') {
      json(isWrite ? { total: wrong ? 6 : 5, id: nonce() } : { total: nonce(), id: nonce() });
    } else if (path === 'tokens') {
      const tokens = { a: nonce(), b: nonce(), c: nonce(), d: nonce() };
      json(wrong ? { ...tokens, a: null, b: undefined, c: 'abc' } : tokens);
    } else if (path === 'prices') json({ v: wrong ? 2 : 1 });
    else json({ v: nonce(), requests: requests++ });
  };
}

async function between(v1: Answer, v2: Answer): Promise<{ umbra: UmbraProcess; stop: () => Promise<void> }> {
  const origins = await Promise.all([Origin.listen(v1), Origin.listen(v2)]);
  const mirror = { inFlight: 4096, compare: { sample: '100%', baseline: 'v1' } };
  const umbra = await UmbraProcess.start(reviews(origins[0].port, origins[1].port, { mirror }));
  const stop = async (): Promise<void> => {
    await umbra.stop();
    await Promise.all(origins.map((origin) => origin.close()));
  };
  return { umbra, stop };
}

async function load(umbra: UmbraProcess, compared: number): Promise<Diffs> {
  await askMany(umbra.port, rounds * reads.length, concurrency, (i) => ({ target: reads[i % reads.length] }));
  await askMany(umbra.port, rounds, concurrency, () => ({
    target: '/reviews/orders',
    method: 'POST',
    body: Buffer.from('x'),
  }));
  return until(async () => {
    const diffs = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
    const mirror = diffs.mirrors[0];
    return mirror?.compared === compared && mirror.baseline?.compared === rounds * reads.length && diffs;
  }, `${compared} pairs are compared`);
}

const all = rounds * (reads.length + 1);
const line = ({ endpoint, kind, path, change }: DiffGroup) => `${endpoint} ${kind} ${path} ${change}`;

t.test('each fault of a wrong version is named, and its noise is not', async (t) => {
  const { umbra, stop } = await between(version(false), version(true));
  t.teardown(stop);
  const { groups, mirrors } = await load(umbra, all);
  const of = (kind: string) => groups.filter((group) => group.class === kind).map(line);
  const different = of('different');
  for (const expected of [
    'GET /reviews/page markup /html missing',
    'GET /reviews/session header set-cookie sid; httponly missing',
    'POST /reviews/orders json $.total value',
    'GET /reviews/tokens json $.a type',
    'GET /reviews/tokens json $.b missing',
    'GET /reviews/tokens json $.c value',
    'GET /reviews/prices/* json $.v value',
  ]) {
    t.ok(
      different.some((found) => found.startsWith(expected)),
      `${expected}: ${different.join('\n')}`,
    );
  }
  for (const noise of [
    'GET /reviews/session header set-cookie sid value',
    'GET /reviews/tokens json $.d value',
    'GET /reviews/feed json $.v value',
  ]) {
    t.notOk(different.includes(noise), noise);
    t.ok(of('noise').includes(noise), noise);
  }
  t.match(mirrors[0], { overflow: [] });
  // All but the feed, and the reads of orders.
  t.equal(mirrors[0].differentBeyondNoise, rounds * 5);
});

t.test('an equal version has noise, and no difference', async (t) => {
  const { umbra, stop } = await between(version(false), version(false));
  t.teardown(stop);
  const { groups, mirrors } = await load(umbra, all);
  t.strictSame(groups.filter((group) => group.class === 'different').map(line), []);
  t.equal(mirrors[0].differentBeyondNoise, 0);
});

t.test('a difference that is meant is accepted in the file, and is none from then on', async (t) => {
  const price = (value: number): Answer => {
    return (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ price: value, same: 1 }));
    };
  };
  const { umbra, stop } = await between(price(1), price(2));
  t.teardown(stop);
  const pairs = 20;
  const compared = async (): Promise<Diffs> => {
    await askMany(umbra.port, pairs, concurrency, (i) => ({ target: `/reviews/${i}` }));
    return until(async () => {
      const diffs = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
      return diffs.mirrors[0]?.compared === pairs && diffs.mirrors[0].baseline?.compared === pairs && diffs;
    }, `${pairs} pairs are compared`);
  };
  const [{ id }] = (await compared()).groups;
  const listed = await runToEnd('diffs', '--admin', umbra.adminUrl);
  t.equal(listed.code, 0, listed.err);
  t.match(
    listed.out,
    /\nreviews v2, GET \/reviews\/\*\n {2}json \$\.price value: 20 of 20, different {2}\[[0-9a-f]{8}\]/,
  );
  const accepted = await runHere('diffs', '--admin', umbra.adminUrl, '--accept', id, '-c', umbra.file.path);
  t.equal(accepted.code, 0, accepted.err);
  t.match(readFileSync(umbra.file.path, 'utf8'), /ignore/);
  await until(async () => (await umbra.stats()).generation > 1, 'the file is reloaded');
  const after = await compared();
  t.match(after.mirrors, [{ different: 0, differentBeyondNoise: 0 }]);
  t.strictSame(after.groups, []);
  const unknown = await runHere('diffs', '--admin', umbra.adminUrl, '--accept', 'zz', '-c', umbra.file.path);
  t.equal(unknown.code, 1);
  t.match(unknown.err, /there is no group "zz"/);
});
