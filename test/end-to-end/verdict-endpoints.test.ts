// Runs over one engine: pairs are made and compared behind the engines.
/** Latency, errors and differences by endpoint, between real servers: one endpoint is slow, another fails. */
import { Agent } from 'node:http';
import type { MirrorEndpoints } from '../../core/report/endpoints.js';
import type { Verdict } from '../../core/verdict/verdict.js';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { type Answer, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const requests = 1200;
const connections = 4;
const targets = ['/reviews/fine', '/reviews/slow/17', '/reviews/failing', '/reviews/other?x=1'];
const perTarget = requests / targets.length;

/** `isSecond`: what v2 does otherwise. */
function version(isSecond: boolean): Answer {
  let failing = 0;
  return ({ target }, response) => {
    const is = (word: string): boolean => isSecond && target.includes(word);
    const status = is('failing') && ++failing % 10 === 0 ? 500 : 200;
    const body = is('other') ? 'other\n' : 'ok\n';
    setTimeout(() => response.writeHead(status).end(body), is('slow') ? 60 : 2);
  };
}

t.test('each endpoint has its figures in the API, the report and the verdict', async (t) => {
  const origins = await Promise.all([Origin.listen(version(false)), Origin.listen(version(true))]);
  t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
  const [v1, v2] = origins.map(({ port }) => port);
  const umbra = await UmbraProcess.start(reviews(v1, v2, { mirror: { inFlight: 4096 } }));
  t.teardown(() => umbra.stop());
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const work = async (first: number): Promise<void> => {
    for (let i = first; i < requests; i += connections)
      await ask(umbra.port, { agent, target: targets[Math.floor(i / connections) % targets.length] });
  };
  await Promise.all(Array.from({ length: connections }, (_, i) => work(i)));
  await umbra.atRest();

  const { endpoints, lost } = await until(async () => {
    const { mirrors } = (await umbra.admin('GET', '/api/endpoints')).json as { mirrors: MirrorEndpoints[] };
    return mirrors[0].endpoints.reduce((sum, { pairs }) => sum + pairs, 0) === requests && mirrors[0];
  }, 'every pair is counted by its endpoint');
  t.equal(lost, 0);
  t.strictSame(endpoints.map(({ endpoint }) => endpoint).sort(), [
    'GET /reviews/failing',
    'GET /reviews/fine',
    'GET /reviews/other',
    'GET /reviews/slow/*',
  ]);
  const of = (name: string) => endpoints.find(({ endpoint }) => endpoint === `GET /reviews/${name}`)!;
  t.match(of('failing'), { pairs: perTarget, primaryErrors: 0, shadowErrors: perTarget / 10 });
  t.match(of('fine'), { pairs: perTarget, shadowErrors: 0, different: 0 });
  t.match(of('other'), { different: perTarget, statusDifferent: 0 });
  t.ok(of('slow/*').slower! > 2, String(of('slow/*').slower));
  t.ok(of('slow/*').shadowUs.p50 > 55_000);

  const words = ['--min-samples', '200', '--output', 'json'];
  const { out } = await runHere('verdict', '--admin', umbra.adminUrl, ...words);
  const [mirror] = (JSON.parse(out) as Verdict).mirrors;
  const named = (check: string) =>
    mirror.endpoints.filter((one) => one.check === check).map(({ endpoint }) => endpoint);
  t.strictSame(named('errors'), ['GET /reviews/failing'], out);
  t.strictSame(named('differences'), ['GET /reviews/other']);
  const text = await runHere('verdict', '--admin', umbra.adminUrl, '--min-samples', '200');
  t.match(text.out, /endpoint +errors: GET \/reviews\/failing: v2 failed 30 of 300 pairs and v1 0/);

  const report = await runHere('report', '--admin', umbra.adminUrl, '-o', '-');
  t.match(report.out, /pairs by endpoint:\n +endpoint +pairs +v1 errors +v2 errors/);
  t.match(report.out, /GET \/reviews\/failing +300 +0 +30 /);
  const page = `${t.testdir()}/report.html`;
  t.equal((await runHere('report', '--admin', umbra.adminUrl, '-o', page)).code, 0);

  // A window knows the endpoints of its time alone.
  const window = runHere('verdict', '--admin', umbra.adminUrl, '--for', '4s', '--min-samples', '50');
  let over = false;
  void window.then(() => {
    over = true;
  });
  while (!over) await ask(umbra.port, { agent, target: '/reviews/failing' });
  const { out: watched } = await window;
  t.match(watched, /endpoint +errors: GET \/reviews\/failing/);
  t.notMatch(watched, /GET \/reviews\/other/);
});
