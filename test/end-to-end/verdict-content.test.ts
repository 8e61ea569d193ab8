/**
 * Answers that are wrong behind noise, and answers that are equal but for noise, side by side behind one
 * umbra.
 */
import { Agent } from 'node:http';
import t from 'tap';
import type { Diffs } from '../../core/compare/diff-book.js';
import type { Verdict } from '../../core/verdict/verdict.js';
import { ask } from '../support/client.js';
import { type Answer, Origin } from '../support/origin.js';
import { engine, runToEnd, UmbraProcess } from '../support/umbra.js';

const requestsPerRow = 240;
const analystsMs = 60_000;
const connectionsPerRow = 2;
const token = (): string => Math.random().toString(36).slice(2).padEnd(12, '0');

interface Row {
  readonly name: string;
  readonly v1: Answer;
  readonly v2: Answer;
  readonly isWrong: boolean;
}

const json =
  (body: (target: string, method: string) => object, fields: Record<string, string> = {}): Answer =>
  ({ target, method }, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...fields });
    response.end(JSON.stringify(body(target, method)));
  };
const html =
  (body: () => string): Answer =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(body());
const cookie =
  (attributes: string): Answer =>
  (_, response) =>
    response.writeHead(200, { 'set-cookie': `sid=${token()}; Path=/${attributes}` }).end('ok');
const many = (count: number, value: () => unknown): Answer =>
  json(() => Object.fromEntries(Array.from({ length: count }, (_, i) => [`field${i}`, value()])));
const equal = (name: string, answer: Answer): Row => ({ name, v1: answer, v2: answer, isWrong: false });
const page = (): string =>
  `<html><head><script nonce="${token()}"></script></head><body><h1>Hello</h1></body></html>`;
const withToken = json(() => ({ price: 1, token: token() }));

const rows: readonly Row[] = [
  { name: 'error-page', v1: html(page), v2: html(() => `Internal error ${token()}`), isWrong: true },
  { name: 'token-null', v1: withToken, v2: json(() => ({ price: 1, token: null })), isWrong: true },
  { name: 'token-missing', v1: withToken, v2: json(() => ({ price: 1 })), isWrong: true },
  {
    name: 'token-constant',
    v1: withToken,
    v2: json(() => ({ price: 1, token: 'aaaaaaaaaaaa' })),
    isWrong: true,
  },
  { name: 'lost-http-only', v1: cookie('; HttpOnly'), v2: cookie(''), isWrong: true },
  {
    name: 'wrong-posts',
    v1: json((_, method) => (method === 'POST' ? { stock: 5 } : { stock: Math.random() })),
    v2: json((_, method) => (method === 'POST' ? { stock: 6 } : { stock: Math.random() })),
    isWrong: true,
  },
  {
    name: 'one-endpoint-wrong',
    v1: json((target) => ({ rank: target.includes('noisy') ? Math.random() : 1 })),
    v2: json((target) => ({ rank: target.includes('noisy') ? Math.random() : 2 })),
    isWrong: true,
  },
  equal('page', html(page)),
  equal(
    'booleans',
    many(20, () => Math.random() < 0.5),
  ),
  equal('noisy-fields', many(12, token)),
  equal(
    'timestamps',
    many(65, () => Date.now() + Math.random()),
  ),
];

t.test(
  'answers that are wrong fail behind any noise, and equal answers never do',
  { timeout: 110_000 },
  async (t) => {
    const origins: Origin[] = [];
    t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
    const listen = async (answer: Answer): Promise<string> => {
      const origin = await Origin.listen(answer);
      origins.push(origin);
      return `http://127.0.0.1:${origin.port}`;
    };
    const versions: Record<string, unknown> = {};
    const routes: Record<string, unknown>[] = [];
    for (const { name, v1, v2 } of rows) {
      versions[`${name}-1`] = { endpoints: await listen(v1) };
      versions[`${name}-2`] = { endpoints: await listen(v2) };
      const compare = { sample: '100%', baseline: `${name}-1` };
      const mirrors = [{ to: `${name}-2`, inFlight: 4096, timeout: '30s', compare }];
      routes.push({ name, match: { path: { prefix: `/${name}/` } }, primary: `${name}-1`, mirrors });
    }
    const umbra = await UmbraProcess.start({
      listen: [{ address: '127.0.0.1:0', engine }],
      admin: { address: '127.0.0.1:0' },
      threads: { proxy: 1, shadow: 1 },
      versions,
      routes,
    });
    t.teardown(() => umbra.stop());
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const work = async (name: string): Promise<void> => {
      for (let i = 0; i < requestsPerRow / connectionsPerRow; i++) {
        const method = name === 'wrong-posts' && i % 4 === 0 ? 'POST' : 'GET';
        const body = method === 'POST' ? Buffer.from('{}') : null;
        const target = `/${name}/${i % 2 === 0 ? 'noisy' : 'steady'}`;
        await ask(umbra.port, { agent, target, method, body });
      }
    };
    await Promise.all(
      rows.flatMap(({ name }) => Array.from({ length: connectionsPerRow }, () => work(name))),
    );
    await umbra.atRest();
    // Where the analysts were behind, some pairs were not handed to them; those that were are taken apart.
    const { mirrors: handed } = await umbra.stats();
    // On a busy machine analysts, which have the lowest priority, take longer than `until` waits.
    let waiting: string[] = [];
    for (const endMs = performance.now() + analystsMs; performance.now() < endMs; ) {
      const { mirrors } = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
      waiting = handed.flatMap(({ route, baselineOf, compare: { examined } }) => {
        const mirror = mirrors.find((one) => one.route === route);
        const compared = (baselineOf === null ? mirror?.compared : mirror?.baseline?.compared) ?? 0;
        return compared === examined ? [] : [`${route} ${baselineOf}: ${compared} of ${examined}`];
      });
      if (waiting.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    t.strictSame(waiting, [], 'all pairs that were handed over are taken apart');
    const { out } = await runToEnd(
      'verdict',
      '--admin',
      umbra.adminUrl,
      '--min-samples',
      '100',
      '--output',
      'json',
    );
    const { mirrors } = JSON.parse(out) as Verdict;
    for (const { name, isWrong } of rows) {
      const { checks, examples } = mirrors.find(({ route }) => route === name)!;
      const { outcome, text } = checks.find((check) => check.name === 'differences')!;
      if (isWrong) t.equal(outcome, 'fail', `${name}: ${text}`);
      else t.not(outcome, 'fail', `${name}: ${text}`);
      if (isWrong) t.ok(examples.length > 0, `${name} is shown with a pair`);
    }
  },
);
