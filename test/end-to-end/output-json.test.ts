// Runs over one engine: commands have no engine.
/** Every command that prints figures prints them as JSON too, on standard output and nothing else there. */
import { ask } from '../support/client.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { ConfigFile, reviews, runToEnd, UmbraProcess } from '../support/umbra.js';

t.test('figures as JSON, from every command', async (t) => {
  const [v1, v2] = await Promise.all([Origin.listen(), Origin.listen()]);
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  for (let i = 0; i < 5; i++) await ask(umbra.port);
  await umbra.atRest();
  const json = async (...words: string[]) => {
    const { out, code } = await runToEnd(...words);
    return { code, value: JSON.parse(out) as Record<string, never> };
  };
  const admin = ['--admin', umbra.adminUrl];

  const verdict = await json('verdict', ...admin, '--output', 'json');
  t.equal(verdict.code, 3);
  t.match(verdict.value, { outcome: 'undecided', mirrors: [{ route: 'reviews' }] });

  const top = await json('top', ...admin, '--output', 'json');
  t.equal(top.code, 0);
  t.match(top.value, { total: { versions: { v1: { primary: { requests: 5 } } } }, window: { versions: {} } });

  const report = await json('report', ...admin, '-o', 'json');
  t.match(report.value, { versions: [{ name: 'v1', latency: { count: 5 } }, {}], mirrors: [{ to: 'v2' }] });

  const mirror = await json('mirror', 'reviews', 'v2', '--percent', '50', ...admin, '--output', 'json');
  t.match(mirror.value, { generation: 2, warnings: [] });

  const load = await json('load', umbra.url, '--duration', '300ms', '--rate', '20', '--output', 'json');
  t.equal(load.code, 0);
  t.match(load.value, { url: `${umbra.url}/`, rate: 20, errors: 0, latencyUs: { p99: Number } });

  const check = await json('check', umbra.file.path, '--output', 'json');
  t.match(check.value, { ok: true, versions: 2, routes: 1, mirrors: 1, problems: [] });
  const wrong = new ConfigFile('routes: 1');
  const refused = await json('check', wrong.path, '--output', 'json');
  t.equal(refused.code, 2);
  t.match(refused.value, { ok: false, problems: [/umbra\.yaml:1:\d+: /] });
  wrong.remove();
});
