// Runs over one engine: checks lie behind the engines.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

/** A version's server whose health is set, and which counts what is no check. */
class Place {
  isWell = true;
  requests = 0;
  checks = 0;
  readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      if (request.url !== '/healthz') {
        this.requests++;
        response.end('ok');
        return;
      }
      this.checks++;
      response.statusCode = this.isWell ? 200 : 500;
      response.end();
    });
  }

  async listen(where: string | number = 0, host = '127.0.0.1'): Promise<this> {
    if (typeof where === 'string') this.server.listen(where);
    else this.server.listen(where, host);
    await once(this.server, 'listening');
    t.teardown(() => {
      this.server.closeAllConnections();
      this.server.close();
    });
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

const health = { path: '/healthz', interval: '100ms', healthyThreshold: 1, unhealthyThreshold: 2 };

async function states(umbra: UmbraProcess, version: string): Promise<string[]> {
  return (await umbra.stats()).versions[version]!.endpoints.map(({ health }) => health!.state);
}

t.test('an endpoint that fails its checks gets no request until it passes them again', async (t) => {
  const [one, other] = [await new Place().listen(), await new Place().listen()];
  const umbra = await UmbraProcess.start(
    reviews(0, null, { v1: { endpoints: [one.url, other.url], health, slowStart: '0s' } }),
  );
  t.teardown(() => umbra.stop());
  await until(async () => (await states(umbra, 'v1')).every((state) => state === 'healthy'), 'both are well');
  one.isWell = false;
  await until(async () => (await states(umbra, 'v1'))[0] === 'unhealthy', 'one is seen to be ill');
  await umbra.logged(/127\.0\.0\.1:\d+ .* of v1 is unhealthy: status 500/);
  const { requests } = one;
  for (let i = 0; i < 20; i++) t.equal((await ask(umbra.port)).status, 200);
  t.equal(one.requests, requests);
  t.match(await umbra.metrics(), /umbra_upstream_endpoint_healthy\{version="v1",[^}]*\} 0\n/);
  t.match(await umbra.metrics(), /umbra_upstream_health_checks_total\{[^}]*result="failed"\} [1-9]/);
  one.isWell = true;
  await until(async () => (await states(umbra, 'v1'))[0] === 'healthy', 'one is well again');
  for (let i = 0; i < 20; i++) await ask(umbra.port);
  t.ok(one.requests > requests);
});

t.test('when all are unhealthy the primary is tried all the same, and copies are dropped', async (t) => {
  const [v1, v2] = [await new Place().listen(), await new Place().listen()];
  v1.isWell = false;
  v2.isWell = false;
  const umbra = await UmbraProcess.start(
    reviews(0, 0, { v1: { endpoints: v1.url, health }, v2: { endpoints: v2.url, health } }),
  );
  t.teardown(() => umbra.stop());
  await until(
    async () =>
      [...(await states(umbra, 'v1')), ...(await states(umbra, 'v2'))].every((s) => s === 'unhealthy'),
    'both are ill',
  );
  for (let i = 0; i < 20; i++) t.equal((await ask(umbra.port)).status, 200);
  const { eligible, dropped } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.equal(eligible, 20);
  t.equal(dropped['no-endpoint'], 20);
  t.equal(v2.requests, 0);
  t.equal(v1.requests, 20);
  v2.isWell = true;
  await until(async () => (await states(umbra, 'v2'))[0] === 'healthy', 'the shadow is well');
  await ask(umbra.port);
  await until(() => v2.requests === 1, 'and is sent copies');
});

t.test('one prober asks for all threads, and continues when it is replaced', async (t) => {
  const place = await new Place().listen();
  const config = reviews(0, null, { v1: { endpoints: place.url, health: { ...health, interval: '1h' } } });
  const umbra = await UmbraProcess.startBreakable({ ...config, threads: { proxy: 2, shadow: 2 } });
  t.teardown(() => umbra.stop());
  await until(async () => (await states(umbra, 'v1'))[0] === 'healthy', 'it is well');
  t.equal(place.checks, 1);
  place.isWell = false;
  await umbra.makeThrow('control');
  await until(() => place.checks === 2, 'its successor checks');
  t.equal((await ask(umbra.port)).status, 200);
  t.notMatch(umbra.err, /unhealthy/, 'one failure after the first verdict does not turn it');
});

t.test('IPv6 literals and sockets are endpoints like any other, checks included', async (t) => {
  const path = join(tmpdir(), `umbra-endpoint-${process.pid}.sock`);
  t.teardown(() => rmSync(path, { force: true }));
  const v1 = await new Place().listen(0, '::1');
  const v2 = await new Place().listen(path);
  const { port } = v1.server.address() as AddressInfo;
  const umbra = await UmbraProcess.start(
    reviews(0, 0, {
      v1: { endpoints: `http://[::1]:${port}`, health },
      v2: { endpoints: `unix:${path}`, health },
    }),
  );
  t.teardown(() => umbra.stop());
  for (let i = 0; i < 10; i++) t.equal((await ask(umbra.port)).status, 200);
  const stats = await lawHolds(t, umbra);
  t.equal(mirrorTo(stats, 'v2').completed, 10);
  t.equal(v1.requests, 10);
  t.equal(v2.requests, 10);
  await until(async () => (await states(umbra, 'v1'))[0] === 'healthy', 'the first is well');
  await until(async () => (await states(umbra, 'v2'))[0] === 'healthy', 'the second is well');
  t.same(
    (await umbra.stats()).versions.v2!.endpoints.map(({ endpoint, address }) => [endpoint, address]),
    [[`unix:${path}`, `unix:${path}`]],
  );
});
