// Runs over one engine: copies are sent behind the engines.
/**
 * A shadow is a full upstream, and its life is never tied to a client's connection: what mirrors of other
 * proxies lack.
 */
import { Agent, type ServerResponse } from 'node:http';
import type { Diffs } from '../../core/compare/diff-book.js';
import { ask, askMany, RawClient } from '../support/client.js';
import { runHere } from '../support/here.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type Answer, answerOk, fieldOf, Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { type ConfigWords, reviews, UmbraProcess, until } from '../support/umbra.js';

async function origins(t: Test, ...answers: Answer[]): Promise<Origin[]> {
  const all = await Promise.all(answers.map((answer) => Origin.listen(answer)));
  t.teardown(() => Promise.all(all.map((origin) => origin.close())));
  return all;
}

async function started(t: Test, config: ConfigWords): Promise<UmbraProcess> {
  const umbra = await UmbraProcess.start(config);
  t.teardown(() => umbra.stop());
  return umbra;
}

t.test(
  'on one kept connection requests continue while the shadow answers none of their copies',
  async (t) => {
    const held: ServerResponse[] = [];
    const [v1, v2] = await origins(t, answerOk, (_, response) => void held.push(response));
    const umbra = await started(t, reviews(v1!.port, v2!.port));
    const requests = 100;
    const client = await RawClient.connect(umbra.port);
    for (let i = 0; i < requests; i++) {
      client.received = '';
      client.send(`GET /${i} HTTP/1.1\r\nhost: reviews\r\n\r\n`);
      await client.until('ok\n');
    }
    t.equal(v1!.received.length, requests);
    await v2!.untilReceived(requests);
    t.equal(mirrorTo(await umbra.stats(), 'v2').inFlight, requests, 'no copy was answered meanwhile');
    for (const response of held) response.end();
    client.close();
    t.equal(mirrorTo(await lawHolds(t, umbra), 'v2').completed, requests);
  },
);

t.test(
  'copies are spread over the endpoints of a shadow, and none goes to one that fails its checks',
  async (t) => {
    let bad = false;
    const checked: Answer = (received, response) => {
      response.statusCode = bad && received.target === '/healthz' ? 503 : 200;
      response.end('ok\n');
    };
    const [v1, first, second] = await origins(t, answerOk, answerOk, checked);
    const config = reviews(v1!.port, first!.port, {
      v2: {
        endpoints: [`http://127.0.0.1:${first!.port}`, `http://127.0.0.1:${second!.port}`],
        health: { path: '/healthz', interval: '100ms', unhealthyThreshold: 1 },
      },
    });
    const umbra = await started(t, config);
    const copies = (origin: Origin) => origin.received.filter(({ target }) => target === '/').length;
    await askMany(umbra.port, 200, 4, () => ({}));
    t.equal(mirrorTo(await lawHolds(t, umbra), 'v2').completed, 200);
    t.equal(copies(first!) + copies(second!), 200);
    t.ok(copies(first!) > 50 && copies(second!) > 50, `${copies(first!)} and ${copies(second!)}`);
    bad = true;
    await until(
      async () => /umbra_upstream_endpoint_healthy\{[^}]*version="v2"[^}]*\} 0/.test(await umbra.metrics()),
      'it is unhealthy',
    );
    const before = copies(second!);
    await askMany(umbra.port, 100, 4, () => ({}));
    t.equal(mirrorTo(await lawHolds(t, umbra), 'v2').completed, 300);
    t.equal(copies(second!), before);
  },
);

t.test(
  'the difference of latency is taken pair by pair: versions that are alike on the whole are distinguished',
  async (t) => {
    const slowMs = 60;
    const slowFor =
      (odd: number): Answer =>
      (received, response) =>
        void setTimeout(
          () => response.end('ok\n'),
          Number(fieldOf(received, 'x-index')) % 2 === odd ? slowMs : 0,
        );
    const [v1, v2] = await origins(t, slowFor(0), slowFor(1));
    const umbra = await started(t, reviews(v1!.port, v2!.port));
    await askMany(umbra.port, 100, 8, (index) => ({ headers: { 'x-index': String(index) } }));
    await lawHolds(t, umbra);
    // The outcome of the primary's side may be the last thing to arrive.
    const pairedDeltaUs = await until(async () => {
      const deltas = mirrorTo(await umbra.stats(), 'v2').pairedDeltaUs;
      return deltas.count === 100 && deltas;
    }, 'every copy has its pair');
    t.ok(pairedDeltaUs.p99 > (slowMs * 1000) / 2, `p99 of the differences: ${pairedDeltaUs.p99} us`);
    const metrics = await umbra.metrics();
    const least = /^umbra_mirror_delta_seconds\{[^}]*quantile="0\.01"[^}]*\} (\S+)$/m.exec(metrics)?.[1];
    if (least !== undefined) t.ok(Number(least) < 0, `and one in a hundred: ${least} s`);
  },
);

const keys: readonly [
  sample: string,
  agentOf: (key: number) => Agent,
  headersOf: (key: number) => Record<string, string>,
][] = [
  ['cookie:session', () => new Agent({ keepAlive: true }), (key) => ({ cookie: `a=1; session=s${key}` })],
  ['client', (key) => new Agent({ keepAlive: true, localAddress: `127.0.1.${key + 1}` }), () => ({})],
];
for (const [sample, agentOf, headersOf] of keys) {
  t.test(
    `by ${sample} the same key is always copied or never, and a larger share keeps those of the smaller`,
    { skip: process.platform !== 'linux' && 'clients here have no addresses of their own' },
    async (t) => {
      const [v1, v2] = await origins(t, answerOk, answerOk);
      const umbra = await started(t, reviews(v1!.port, v2!.port, { mirror: { percent: 30, sample } }));
      const agents = Array.from({ length: 60 }, (_, key) => agentOf(key));
      t.teardown(() => {
        for (const agent of agents) agent.destroy();
      });
      const copied = async (): Promise<Map<string, number>> => {
        const from = v2!.received.length;
        for (let times = 0; times < 2; times++)
          for (const [key, agent] of agents.entries())
            await ask(umbra.port, { agent, target: `/${key}`, headers: headersOf(key) });
        await lawHolds(t, umbra);
        const counts = new Map<string, number>();
        for (const { target } of v2!.received.slice(from)) counts.set(target, (counts.get(target) ?? 0) + 1);
        return counts;
      };
      const small = await copied();
      t.ok(small.size > 0 && small.size < 60, `${small.size} of 60 keys`);
      t.ok([...small.values()].every((count) => count === 2));
      await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent: 80 });
      const large = await copied();
      t.ok(large.size > small.size && large.size < 60, `${large.size} of 60 keys`);
      t.ok([...small.keys()].every((key) => large.has(key)));
    },
  );
}

t.test(
  'what is secret by its name is hidden unasked, wherever differences and configuration are shown',
  async (t) => {
    const secret = 'hunter2';
    const answer =
      (version: string): Answer =>
      (_, response) => {
        response.setHeader('content-type', 'application/json');
        response.setHeader('set-cookie', `session=${secret}-${version}`);
        response.end(
          JSON.stringify({
            version,
            accessToken: `${secret}-${version}`,
            user: { password: `${secret}${version}` },
          }),
        );
      };
    const [v1, v2] = await origins(t, answer('v1'), answer('v2'));
    const umbra = await started(
      t,
      reviews(v1!.port, v2!.port, {
        mirror: { compare: { sample: '100%' }, headers: { set: { authorization: `Bearer ${secret}` } } },
      }),
    );
    for (let i = 0; i < 10; i++) await ask(umbra.port, { target: `/?api_key=${secret}` });
    const groups = await until(async () => {
      const diffs = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
      return diffs.mirrors[0]?.compared === 10 && diffs.groups;
    }, 'all are compared');
    t.same(groups.map(({ path }) => path).sort(), [
      '$.accessToken',
      '$.user.password',
      '$.version',
      'set-cookie session',
    ]);
    t.equal(fieldOf(v2!.received[0]!, 'authorization'), `Bearer ${secret}`, 'the shadow gets it');
    const report = await runHere('report', '--admin', umbra.adminUrl, '-o', '-');
    const shown = [report.out, umbra.err, umbra.out];
    for (const path of ['/api/diffs', '/api/config', '/api/stats', '/metrics'])
      shown.push((await umbra.admin('GET', path)).text);
    for (const text of shown) t.notMatch(text, secret);
    t.match(shown.join(), '[redacted]');
  },
);
