// Runs over one engine: commands have no engine.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Callers } from '../../workers/demo/callers.js';
import { HttpClient } from '../../workers/demo/http-client.js';
import { serveOrigin } from '../../workers/demo/origins.js';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { lawHolds } from '../support/law.js';
import { fieldOf, Origin, type Received } from '../support/origin.js';
import { requestsIn } from '../support/recorded.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

/** Calls of each of the two instances, and how many it makes a second. */
const calls = 600;
const perSecond = 200;
const directory = mkdtempSync(join(tmpdir(), 'umbra-replay-merged-'));
const instances = ['a', 'b'].map((name) => join(directory, name));

const v1 = await serveOrigin('v1', 0);
const { port: v1Port } = v1.address() as AddressInfo;
/** What the demo's v1 answers to a path, but for the body's `change`. */
const asV1 = (change: object) => async (received: Received, response: ServerResponse) => {
  const answer = await ask(v1Port, { target: received.target, agent });
  const body = { ...(JSON.parse(answer.body.toString()) as object), ...change };
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
};
const agent = new Agent({ keepAlive: true });
const [equal, changed] = await Promise.all([
  Origin.listen((received, response) => void asV1({})(received, response)),
  Origin.listen((received, response) => void asV1({ version: 'v2' })(received, response)),
]);
t.teardown(async () => {
  rmSync(directory, { recursive: true, force: true });
  agent.destroy();
  v1.closeAllConnections();
  v1.close();
  await Promise.all([equal.close(), changed.close()]);
});

interface Printed {
  readonly played: number;
  readonly diffs: { readonly groups: readonly { readonly kind: string; readonly path: string }[] };
  readonly verdict: { readonly outcome: string };
}

/** Latency is not judged: these machines are shared, and the recording was made by a proxy. */
async function replayTo(
  origin: Origin,
  ...flags: string[]
): Promise<{ code: number | null; printed: Printed }> {
  origin.received.length = 0;
  const bounds = ['--min-samples', '500', '--max-shift', 'off', '--max-p99-delta', 'off', '--max-diff', '1%'];
  const { code, out, err } = await runHere(
    'replay',
    ...instances,
    ...['--to', `http://127.0.0.1:${origin.port}`, '-o', 'json', '--verdict', '--max-error-delta', '1%'],
    ...bounds,
    ...flags,
  );
  t.equal(err, '');
  return { code, printed: JSON.parse(out) };
}

/** Request ids of each instance's recording. */
const recorded: Set<string>[] = [];
/** The place of each of them by the times at which the requests came. */
let order = new Map<string, number>();

t.test('the demo is recorded by two instances at the same time', async (t) => {
  const umbras = await Promise.all(
    instances.map((path) => {
      const mirrors = [{ to: `file:${path}`, recording: { responses: true } }];
      return UmbraProcess.start(reviews(v1Port, null, { route: { mirrors } }));
    }),
  );
  const callers = umbras.map(({ url }) => new Callers(new HttpClient(url), perSecond));
  await Promise.all(
    callers.map(async (caller) => {
      await until(() => caller.counts.calls >= calls, 'all calls are made');
      await caller.stop();
    }),
  );
  for (const umbra of umbras) {
    await lawHolds(t, umbra);
    await umbra.stop();
  }
  const times: { readonly id: string; readonly at: string }[] = [];
  for (const [i, path] of instances.entries()) {
    const own = requestsIn(path).map(({ block, headers }) => {
      return { id: /\r\nx-request-id: (\S+)\r\n/i.exec(block)![1], at: headers.get('WARC-Date')! };
    });
    t.equal(own.length, callers[i].counts.calls);
    recorded.push(new Set(own.map(({ id }) => id)));
    times.push(...own);
  }
  times.sort((a, b) => (a.at < b.at ? -1 : 1));
  order = new Map(times.map(({ id }, i) => [id, i]));
});

t.test('played as one, at any speed, an equal version passes', async (t) => {
  const all = recorded[0].size + recorded[1].size;
  for (const speed of [[], ['--speed', '10x'], ['--speed', 'max']]) {
    const { code, printed } = await replayTo(equal, ...speed);
    t.strictSame([code, printed.verdict.outcome, printed.played], [0, 'pass', all], speed.join(' '));
    t.strictSame(printed.diffs.groups, []);
    const ids = equal.received.map((received) => fieldOf(received, 'x-request-id')!);
    t.equal(new Set(ids).size, all, 'each request once');
    const firsts = ids.map((id) => recorded[0].has(id));
    const turns = firsts.filter((isFirst, i) => i > 0 && isFirst !== firsts[i - 1]).length;
    t.ok(turns > all / 4, `${turns} turns between the two recordings`);
    // Requests that are under way on different connections may change places.
    const moved = ids.map((id, i) => Math.abs(order.get(id)! - i)).sort((a, b) => a - b);
    t.ok(moved[Math.floor(all / 2)] <= 64, `half of them moved by ${moved[Math.floor(all / 2)]} places`);
  }
});

t.test('a version with one changed field fails, and the field is named', async (t) => {
  const { code, printed } = await replayTo(changed, '--speed', 'max');
  t.strictSame([code, printed.verdict.outcome], [1, 'fail']);
  t.strictSame(
    printed.diffs.groups.map(({ kind, path }) => [kind, path]),
    [['json', '$.version']],
  );
});
