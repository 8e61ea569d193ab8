import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { ask } from '../support/client.js';
import { missing, run } from '../support/command.js';
import { Origin } from '../support/origin.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const docs = (name: string): string => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
const promtool = missing('promtool');

/** A scrape of a real umbra that has mirrored a little. */
async function scrape(t: Test): Promise<string> {
  const [v1, v2] = await Promise.all([Origin.listen(), Origin.listen()]);
  t.teardown(() => Promise.all([v1.close(), v2.close()]));
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
  t.teardown(() => umbra.stop());
  for (let i = 0; i < 5; i++) await ask(umbra.port, { target: '/reviews' });
  await umbra.atRest();
  return umbra.metrics();
}

t.test('every metric that the dashboard and the alert rules name is in a real scrape', async (t) => {
  const page = await scrape(t);
  const names = new Set([...page.matchAll(/^([a-z_]+)[{ ]/gm)].map(([, name]) => name));
  for (const file of ['grafana-dashboard.json', 'alerts.yaml']) {
    const text = readFileSync(docs(file), 'utf8');
    const named = new Set([...text.matchAll(/\b(?:umbra|process)_[a-z_]+/g)].map(([name]) => name));
    t.ok(named.size > 5, `${file} names ${named.size} metrics`);
    for (const name of named) t.ok(names.has(name), `${file}: ${name}`);
  }
});

t.test('promtool finds nothing wrong with the metrics page', { skip: promtool }, async (t) => {
  const page = await scrape(t);
  const { code, out, err } = await run('promtool', ['check', 'metrics'], { input: Buffer.from(page) });
  t.equal(code, 0, `${out}${err}`);
  t.equal(`${out}${err}`, '');
});

t.test('promtool finds nothing wrong with the alert rules', { skip: promtool }, async (t) => {
  const { code, out, err } = await run('promtool', ['check', 'rules', '--lint-fatal', docs('alerts.yaml')]);
  t.equal(code, 0, `${out}${err}`);
});
