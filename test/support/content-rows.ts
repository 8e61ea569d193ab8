/** Pairs of versions whose answers are judged side by side behind one umbra. */
import { Agent } from 'node:http';
import type { Diffs } from '../../core/compare/diff-book.js';
import type { Verdict } from '../../core/verdict/verdict.js';
import { ask } from './client.js';
import { runHere } from './here.js';
import { type Answer, Origin } from './origin.js';
import type { Test } from './tap.js';
import { plain, UmbraProcess } from './umbra.js';

const requestsPerRow = 120;
const analystsMs = 60_000;
const connectionsPerRow = 2;

export interface ContentRow {
  readonly name: string;
  readonly v1: Answer;
  readonly v2: Answer;
  readonly isWrong: boolean;
  /** Keys of the mirror's `compare`. */
  readonly compare?: object;
  /** A quarter of the requests are POSTs. */
  readonly writes?: boolean;
}

export function equalRow(name: string, answer: Answer, compare: object = {}): ContentRow {
  return { name, v1: answer, v2: answer, isWrong: false, compare };
}

/** A value that never repeats. */
export const token = (): string => Math.random().toString(36).slice(2).padEnd(12, '0');

export const json =
  (body: (target: string, method: string) => object, fields: Record<string, string> = {}): Answer =>
  ({ target, method }, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...fields });
    response.end(JSON.stringify(body(target, method)));
  };

export const typed =
  (type: string, body: () => string | Buffer): Answer =>
  (_, response) =>
    response.writeHead(200, { 'content-type': type }).end(body());

/** Each wrong row fails its check `differences` and is shown with a pair; no equal row fails it. */
export async function judgeRows(t: Test, rows: readonly ContentRow[]): Promise<void> {
  const origins: Origin[] = [];
  t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
  const listen = async (answer: Answer): Promise<string> => {
    const origin = await Origin.listen(answer);
    origins.push(origin);
    return `http://127.0.0.1:${origin.port}`;
  };
  const versions: Record<string, unknown> = {};
  const routes: Record<string, unknown>[] = [];
  for (const { name, v1, v2, compare = {} } of rows) {
    versions[`${name}-1`] = { endpoints: await listen(v1) };
    versions[`${name}-2`] = { endpoints: await listen(v2) };
    const all = { sample: '100%', baseline: `${name}-1`, ...compare };
    const mirrors = [{ to: `${name}-2`, inFlight: 4096, timeout: '30s', compare: all }];
    routes.push({ name, match: { path: { prefix: `/${name}/` } }, primary: `${name}-1`, mirrors });
  }
  const umbra = await UmbraProcess.start(plain(versions, routes));
  t.teardown(() => umbra.stop());
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const work = async ({ name, writes = false }: ContentRow): Promise<void> => {
    for (let i = 0; i < requestsPerRow / connectionsPerRow; i++) {
      const method = writes && i % 4 === 0 ? 'POST' : 'GET';
      const body = method === 'POST' ? Buffer.from('{}') : null;
      const target = `/${name}/${i % 2 === 0 ? 'noisy' : 'steady'}`;
      await ask(umbra.port, { agent, target, method, body });
    }
  };
  await Promise.all(rows.flatMap((row) => Array.from({ length: connectionsPerRow }, () => work(row))));
  await umbra.atRest();
  t.strictSame(await notTakenApart(umbra), [], 'all pairs that were handed over are taken apart');
  const words = ['--min-samples', '50', '--output', 'json'];
  const { out } = await runHere('verdict', '--admin', umbra.adminUrl, ...words);
  const { mirrors } = JSON.parse(out) as Verdict;
  for (const { name, isWrong } of rows) {
    const { checks, examples } = mirrors.find(({ route }) => route === name)!;
    const { outcome, text } = checks.find((check) => check.name === 'differences')!;
    if (isWrong) t.equal(outcome, 'fail', `${name}: ${text}`);
    else t.not(outcome, 'fail', `${name}: ${text}`);
    if (isWrong) t.ok(examples.length > 0, `${name} is shown with a pair`);
  }
}

/**
 * Waits for the analysts, and returns the mirrors for which they took too long. Pairs that were not handed to
 * them because they were behind are none of these.
 */
async function notTakenApart(umbra: UmbraProcess): Promise<string[]> {
  const { mirrors: handed } = await umbra.stats();
  let waiting: string[] = [];
  // On a busy machine analysts, which have the lowest priority, take longer than `until` waits.
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
  return waiting;
}
