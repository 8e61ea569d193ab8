// Runs over one engine: weights are chosen behind the engines.
/** What happens to a rollout when documents change its route, and its hooks. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Origin } from '../support/origin.js';
import {
  isRolloutOver,
  keyedClients,
  type RolloutSeen,
  rolloutConfig,
  rolloutSettings,
  startRollout,
  twoVersions,
  untilRollout,
} from '../support/rollout.js';
import t from '../support/tap.js';
import { UmbraProcess, until } from '../support/umbra.js';

t.setTimeout(110_000);

/** The route `reviews` of documents, with a weight for each version. */
function virtualService(weights: Readonly<Record<string, number>>): string {
  const route = Object.entries(weights).map(([subset, weight]) => ({
    destination: { host: 'reviews', subset },
    weight,
  }));
  return JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews' },
    spec: { hosts: ['127.0.0.1'], http: [{ name: 'all', route }] },
  });
}

t.test('documents whose weights conflict with a running rollout pause it by name', async (t) => {
  const both = await twoVersions(t);
  const umbra = await UmbraProcess.start(withSubsets(both));
  t.teardown(() => umbra.stop());
  const apply = async (weights: Readonly<Record<string, number>>) => {
    const files = [{ file: 'reviews.yaml', text: virtualService(weights) }];
    return umbra.admin('POST', '/api/apply', { files });
  };
  const route = 'reviews_all';
  const shown = async (): Promise<RolloutSeen> =>
    (await umbra.admin('GET', `/api/rollouts/${route}`)).json as RolloutSeen;
  t.match(await apply({ v1: 100, v2: 0 }), { status: 200 });
  const settings = { ...rolloutSettings, steps: '10%:60s-120s,100%' };
  const begun = await umbra.admin('POST', '/api/rollouts', { route, to: 'reviews_v2', ...settings });
  t.equal(begun.status, 201, JSON.stringify(begun.json));
  await until(async () => (await shown()).percent === 10, 'the step is in force');
  t.match(await apply({ v1: 100, v2: 0 }), { status: 200 }, 'the same document changes nothing');
  t.match(await shown(), { state: 'running', percent: 10 });
  t.match(await apply({ v1: 60, v2: 40 }), { status: 200 });
  await until(async () => (await shown()).state === 'paused', 'the rollout is paused');
  t.match(await shown(), {
    reason:
      /^weights of reviews_all are reviews_v1=60% reviews_v2=40% by the configuration or by applied documents; resume or abort the rollout/,
  });
  t.match((await umbra.admin('GET', '/api/config')).json, {
    routes: [{ name: route, primary: { reviews_v1: 60, reviews_v2: 40 } }, { name: 'reviews' }],
  });
  t.equal((await umbra.admin('POST', `/api/rollouts/${route}/resume`, {})).status, 200);
  await until(async () => (await shown()).state === 'running', 'it continues');
  t.match((await umbra.admin('GET', '/api/config')).json, {
    routes: [{ name: route, primary: { reviews_v1: 90, reviews_v2: 10 } }, { name: 'reviews' }],
  });
});

t.test('hooks are called at each step and of the end', async (t) => {
  const heard: { event: string; state: string; step: number; percent: number }[] = [];
  const server = createServer(async (request, response) => {
    heard.push(JSON.parse(await text(request)));
    // A hook that never answers delays nothing.
    if (heard.length !== 1) response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close(() => {}).closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const umbra = await UmbraProcess.start(rolloutConfig(await twoVersions(t)));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  const hook = { url, timeout: '60s' };
  await startRollout(t, umbra, { steps: '20%:500ms-60s,100%', onStep: hook, onDone: hook });
  await untilRollout(umbra, isRolloutOver);
  await users.end();
  await until(() => heard.length === 3, 'all were heard');
  t.match(heard, [
    { event: 'step', route: 'reviews', from: 'v1', to: 'v2', state: 'running', step: 0, percent: 20 },
    { event: 'step', state: 'watching', step: 1, percent: 100 },
    { event: 'done', state: 'released', step: 1, percent: 100, reason: /watched against v1/ },
  ]);
});

function withSubsets([v1, v2]: readonly Origin[]): ReturnType<typeof rolloutConfig> {
  const url = (origin: Origin): string => `http://127.0.0.1:${origin.port}`;
  return { ...rolloutConfig([v1!, v2!]), subsets: { reviews: { v1: url(v1!), v2: url(v2!) } } };
}
