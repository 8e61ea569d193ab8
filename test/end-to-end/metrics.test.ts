// Runs over one engine: the admin server has no engine.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kvm } from '@nats-io/kv';
import { serverKey, serverPem } from '../support/authority.js';
import { ask } from '../support/client.js';
import { missing, run } from '../support/command.js';
import { NatsServer, noNats } from '../support/nats.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { engine, reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

const docs = (name: string): string => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
const promtool = missing('promtool');
/** Metrics of streams, fleets and plans in buckets. */
const withNatsAlone = /^umbra_(fleet|plan)_|^umbra_sink_lag_/;

/**
 * A scrape of a real umbra that has mirrored and recorded a little, and where there is a NATS is one of a
 * fleet.
 */
async function scrape(t: Test): Promise<string> {
  const [v1, v2] = await Promise.all([Origin.listen(), Origin.listen()]);
  const directory = mkdtempSync(join(tmpdir(), 'umbra-metrics-'));
  t.teardown(async () => {
    await Promise.all([v1.close(), v2.close()]);
    rmSync(directory, { recursive: true, force: true });
  });
  const mirrors: object[] = [
    { to: 'v2', order: 'client', breaker: { failures: '50%' } },
    { to: `file:${directory}` },
  ];
  writeFileSync(join(directory, 'server.pem'), serverPem);
  writeFileSync(join(directory, 'server.key'), serverKey);
  const tls = { cert: join(directory, 'server.pem'), key: join(directory, 'server.key') };
  const listen = [
    { address: '127.0.0.1:0', engine },
    { address: '127.0.0.1:0', engine: 'node', tls },
  ];
  const umbra =
    noNats === false
      ? await startInFleet(t, v1, v2, mirrors, listen)
      : await UmbraProcess.start(
          reviews(v1.port, v2.port, {
            v2: checked,
            route: { mirrors },
            umbra: { listen, threads: twoProxies },
          }),
        );
  t.teardown(() => umbra.stop());
  for (let i = 0; i < 5; i++) await ask(umbra.port, { target: '/reviews' });
  await umbra.atRest();
  const begun = await umbra.admin('POST', '/api/rollouts', { route: 'reviews', to: 'v2' });
  t.equal(begun.status, 201, JSON.stringify(begun.json));
  if (noNats === false)
    await until(async () => /^umbra_sink_lag_messages\{/m.test(await umbra.metrics()), 'the lag is known');
  return umbra.metrics();
}

/** A version with health checks has metrics of its endpoints. */
const checked = { health: { path: '/healthz' } };

async function startInFleet(
  t: Test,
  v1: Origin,
  v2: Origin,
  mirrors: readonly object[],
  listen: readonly object[],
): Promise<UmbraProcess> {
  const nats = await NatsServer.start();
  t.teardown(() => nats.stop());
  const route = { mirrors: [...mirrors, { to: nats.stream('umbra.reviews') }] };
  const fleet = { nats: nats.fleet('umbra'), name: 'edge-1' };
  const plan = JSON.stringify(
    reviews(v1.port, v2.port, { v2: checked, route, umbra: { fleet, listen, threads: twoProxies } }),
  );
  await nats.with(async (_, connection) => (await new Kvm(connection).create('plans')).put('edge', plan));
  return UmbraProcess.startFrom(`nats-kv://127.0.0.1:${nats.port}/plans/edge`);
}

t.test(
  'every metric that the dashboard, the alert rules and troubleshooting name is in a real scrape',
  async (t) => {
    const page = await scrape(t);
    const names = new Set([...page.matchAll(/^([a-z_]+)[{ ]/gm)].map(([, name]) => name));
    if (noNats !== false) t.comment(`metrics of streams and fleets are not looked for: ${noNats}`);
    for (const file of ['grafana-dashboard.json', 'alerts.yaml', 'troubleshooting.md']) {
      const text = readFileSync(docs(file), 'utf8');
      const named = new Set([...text.matchAll(/\b(?:umbra|process)_[a-z_]+/g)].map(([name]) => name));
      t.ok(named.size > 5, `${file} names ${named.size} metrics`);
      for (const name of named) {
        if (noNats === false || !withNatsAlone.test(name)) t.ok(names.has(name), `${file}: ${name}`);
      }
    }
  },
);

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

t.test('the alert rules of sinks and fleets fire when they should', { skip: promtool }, async (t) => {
  const { code, out, err } = await run('promtool', ['test', 'rules', docs('alerts-test.yaml')]);
  t.equal(code, 0, `${out}${err}`);
});
