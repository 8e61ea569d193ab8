// Runs over one engine: the choice of an endpoint lies behind the engines.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { RawServer, refusedPort } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

/** Answers with a status, and counts. */
async function place(status: number): Promise<{ url: string; requests: number }> {
  const server = createServer((_request, response) => {
    told.requests++;
    response.statusCode = status;
    response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const told = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: 0 };
  return told;
}

const one = { threads: { proxy: 1, shadow: 1 } };
/** So long that none is over before its test is. */
const ejection = { failures: 3, baseTime: '1h', maxTime: '1h' };

t.test(
  'endpoints that refuse or keep answering 503 are left out, in both roles, and it is reported',
  async (t) => {
    const good = await place(200);
    const bad = await place(503);
    const dead = `http://127.0.0.1:${await refusedPort()}`;
    const endpoints = [bad.url, good.url, dead];
    const umbra = await UmbraProcess.start(
      reviews(0, 0, { v1: { endpoints, ejection }, v2: { endpoints, ejection }, umbra: one }),
    );
    t.teardown(() => umbra.stop());
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) statuses.push((await ask(umbra.port)).status);
    t.same(
      statuses.filter((status) => status !== 200),
      [503, 503, 503],
      'a refusal costs the client nothing, a failed answer is passed on until the endpoint is out',
    );
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, 40);
    t.equal(bad.requests, 6);
    for (const role of [stats.versions.v1!.primary!, stats.versions.v2!.shadow!]) {
      t.same(role.ejection, { ejected: 2, ejections: 2 });
    }
    const metrics = await umbra.metrics();
    t.match(metrics, /umbra_upstream_ejected_endpoints\{version="v1",role="primary"\} 2\n/);
    t.match(metrics, /umbra_upstream_ejections_total\{version="v2",role="shadow"\} 2\n/);
  },
);

t.test('a queue that is full or too slow answers 503 and is counted', async (t) => {
  const server = await RawServer.listen(() => undefined);
  t.teardown(() => server.close());
  const connections = { max: 1, queue: { max: 1, timeout: '100ms' } };
  const umbra = await UmbraProcess.start(
    reviews(server.port, null, { v1: { connections }, route: { timeout: '2s' }, umbra: one }),
  );
  t.teardown(() => umbra.stop());
  const answers = await Promise.all([ask(umbra.port), ask(umbra.port), ask(umbra.port)]);
  t.same(answers.map(({ status }) => status).sort(), [503, 503, 504]);
  t.match(
    answers.find(({ status }) => status === 503)!.body.toString(),
    /^too many requests are waiting for the upstream/,
  );
  const { queue } = (await umbra.atRest()).versions.v1!.primary!;
  t.same(queue, { length: 0, full: 1, timeouts: 1 });
});

t.test('a primary that takes the request and says nothing is a 504 at the first-byte timeout', async (t) => {
  const server = await RawServer.listen(() => undefined);
  const v2 = await RawServer.listen(() => undefined);
  t.teardown(() => Promise.all([server.close(), v2.close()]));
  const route = { timeout: '1h', firstByteTimeout: '100ms' };
  const mirror = { timeout: '1h', firstByteTimeout: '100ms' };
  const umbra = await UmbraProcess.start(reviews(server.port, v2.port, { route, mirror, umbra: one }));
  t.teardown(() => umbra.stop());
  t.equal((await ask(umbra.port)).status, 504);
  t.equal((await ask(umbra.port, { method: 'POST', body: Buffer.alloc(100_000, 'x') })).status, 504);
  const stats = await lawHolds(t, umbra);
  t.equal(stats.versions.v1!.primary!.failures.timeout, 2);
  t.equal(mirrorTo(stats, 'v2').failed.timeout, 2);
});
