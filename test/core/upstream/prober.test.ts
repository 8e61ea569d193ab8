import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nowUs } from '../../../core/clock.js';
import type { EndpointPlan, HealthPlan, VersionPlan } from '../../../core/plan.js';
import { Health, HealthBlock } from '../../../core/upstream/health-block.js';
import { Prober } from '../../../core/upstream/prober.js';
import type { Target } from '../../../core/upstream/target.js';
import { RawClient } from '../../support/client.js';
import { type GrpcAnswer, GrpcOrigin } from '../../support/grpc-origin.js';
import { type RawPeer, RawServer, refusedPort } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { endpointOn, planFor } from './exchange.js';

const health: HealthPlan = {
  grpc: null,
  path: '/healthz',
  host: null,
  intervalMs: 60_000,
  timeoutMs: 5_000,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
  statuses: [[200, 399]],
};

/** A prober with a clock of the test's, or a real one. */
class Rig {
  offsetUs = 0;
  readonly told: string[] = [];
  readonly prober: Prober;
  #wake: () => void = () => undefined;

  constructor() {
    this.prober = new Prober(
      () => nowUs() + this.offsetUs,
      () => 0.5,
      {
        onChange: (version, target, isHealthy, why) => {
          this.told.push(
            `${version} ${target.endpoint.authority} ${isHealthy ? 'healthy' : 'unhealthy'} ${why}`,
          );
          this.#wake();
        },
      },
    );
  }

  follow(version: VersionPlan, targets: readonly Target[]): void {
    this.prober.follow([version], new Map([[version.name, targets]]));
  }

  /** Time passes. */
  pass(ms: number): void {
    this.offsetUs += ms * 1e3;
    this.prober.advance();
  }

  async changes(count: number): Promise<void> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function targetOf(endpoint: EndpointPlan, host?: string): Target {
  const { address } = endpoint;
  const at = address.kind === 'tcp' && host !== undefined ? { ...address, host } : address;
  return { endpoint, address: at, health: HealthBlock.create() };
}

function stateOf(target: Target): Health {
  return new HealthBlock(target.health!).state;
}

function versionWith(changes: Partial<HealthPlan> = {}): VersionPlan {
  return planFor([], { health: { ...health, ...changes } });
}

/** Answers each check with the status that is due; `asked` counts them. */
class Checked {
  status = 200;
  asked = 0;
  readonly heads: string[] = [];
  #wake: () => void = () => undefined;
  readonly script = async (peer: RawPeer): Promise<void> => {
    this.heads.push(await peer.head());
    peer.send(`HTTP/1.1 ${this.status} X\r\nContent-Length: 2\r\n\r\nok`);
    await peer.closed();
    this.asked++;
    this.#wake();
  };
  /** Resolves when this many checks are over. */
  async over(count: number): Promise<void> {
    while (this.asked < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A server that is the one address of a version, and checked. */
async function oneChecked(t: Test) {
  const checked = new Checked();
  const server = await RawServer.listen(checked.script);
  const rig = new Rig();
  t.teardown(() => {
    rig.prober.stop();
    return server.close();
  });
  const target = targetOf(endpointOn(server.port));
  rig.follow(versionWith(), [target]);
  return { checked, server, rig, target };
}

t.test('an address is asked at once and then at its interval, each time on a new connection', async (t) => {
  const { checked, server, rig, target } = await oneChecked(t);
  await rig.changes(1);
  await checked.over(1);
  t.equal(stateOf(target), Health.HEALTHY);
  t.match(checked.heads[0], /^GET \/healthz HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);

  checked.status = 503;
  rig.pass(56_000);
  t.equal(server.connections, 1, 'a tenth of the interval is jitter, of which this one has a half');
  rig.pass(2_000);
  await checked.over(2);
  t.equal(stateOf(target), Health.HEALTHY, 'one failure is not enough');
  rig.pass(58_000);
  await rig.changes(2);
  t.equal(stateOf(target), Health.UNHEALTHY);
  checked.status = 302;
  await checked.over(3);
  rig.pass(58_000);
  await checked.over(4);
  rig.pass(58_000);
  await rig.changes(3);
  t.equal(stateOf(target), Health.HEALTHY);
  t.equal(server.connections, 5);
  t.same(
    rig.told.map((line) => line.replace(/127\S+ /, '')),
    ['v1 healthy status 200', 'v1 unhealthy status 503', 'v1 healthy status 302'],
  );
});

t.test('a refused connection, silence, and what is not HTTP are failures', async (t) => {
  const silent = await RawServer.listen(() => undefined);
  const noHttp = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send('hello\r\n\r\n');
  });
  const rig = new Rig();
  t.teardown(() => {
    rig.prober.stop();
    return Promise.all([silent.close(), noHttp.close()]);
  });
  const ports = [await refusedPort(), noHttp.port, silent.port];
  const targets = ports.map((port) => targetOf(endpointOn(port)));
  rig.follow(versionWith({ timeoutMs: 300 }), targets);
  await rig.changes(3);
  t.same(rig.told.map((line) => line.split(' ').slice(2).join(' ')).sort(), [
    'unhealthy connect',
    'unhealthy protocol',
    'unhealthy timeout',
  ]);
  t.same(targets.map(stateOf), [Health.UNHEALTHY, Health.UNHEALTHY, Health.UNHEALTHY]);
});

t.test('the statuses that pass and the Host are configured', async (t) => {
  const checked = new Checked();
  checked.status = 404;
  const server = await RawServer.listen(checked.script);
  const rig = new Rig();
  t.teardown(() => {
    rig.prober.stop();
    return server.close();
  });
  rig.follow(versionWith({ statuses: [[404, 404]], host: 'reviews.internal' }), [
    targetOf(endpointOn(server.port)),
  ]);
  await rig.changes(1);
  t.match(rig.told[0], /healthy status 404/);
  t.match(checked.heads[0], /\r\nHost: reviews\.internal\r\n/);
});

t.test('a name is asked for by its name at each of its addresses, IPv6 and sockets too', async (t) => {
  const hosts: string[] = [];
  const answer = createServer((request, response) => {
    hosts.push(`${request.headers.host}`);
    response.end('ok');
  });
  answer.listen(0, '::1');
  await once(answer, 'listening');
  const { port } = answer.address() as { port: number };
  const path = join(tmpdir(), `umbra-health-${process.pid}.sock`);
  const local = createServer((_request, response) => response.end('ok'));
  local.listen(path);
  await once(local, 'listening');
  const rig = new Rig();
  t.teardown(async () => {
    rig.prober.stop();
    answer.close();
    local.close();
    await rm(path, { force: true });
  });
  const named: EndpointPlan = {
    address: { kind: 'tcp', host: 'reviews.internal', port },
    authority: `reviews.internal:${port}`,
    secure: false,
    weight: 1,
  };
  const socket: EndpointPlan = {
    address: { kind: 'unix', path },
    authority: 'localhost',
    secure: false,
    weight: 1,
  };
  rig.follow(versionWith(), [targetOf(named, '::1'), targetOf(socket)]);
  await rig.changes(2);
  t.same(rig.told.sort(), [
    'v1 localhost healthy status 200',
    `v1 reviews.internal:${port} healthy status 200`,
  ]);
  t.same(hosts, [`reviews.internal:${port}`]);
});

t.test('what stays is not asked anew by a new plan; what has left is asked no more', async (t) => {
  const { checked, server, rig, target } = await oneChecked(t);
  await checked.over(1);
  // As it comes from another thread: a new object over the same memory.
  rig.follow(versionWith(), [structuredClone(target)]);
  // Connections are taken in the order of their coming: a check that had begun now would be before this one.
  const mine = await RawClient.connect(server.port);
  mine.send('GET /mine HTTP/1.1\r\nHost: h\r\n\r\n');
  await mine.until('HTTP/1.1 200');
  mine.close();
  t.equal(server.connections, 2);
  rig.pass(58_000);
  await checked.over(3);
  t.equal(server.connections, 3);
  rig.follow(versionWith({ path: '/other' }), [target]);
  await checked.over(4);
  t.match(checked.heads[3], /^GET \/other /, 'another way of checking begins at once');
  rig.follow(versionWith(), []);
  rig.pass(600_000);
  rig.follow(versionWith(), [target]);
  await checked.over(5);
  t.equal(server.connections, 5);
});

t.test('a check that timed out while the prober stood still is asked again, not counted', async (t) => {
  let arrived: () => void = () => undefined;
  let connections = 0;
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    connections++;
    arrived();
  });
  const nextCheck = () =>
    new Promise<void>((resolve) => {
      arrived = resolve;
    });
  const rig = new Rig();
  t.teardown(() => {
    rig.prober.stop();
    return server.close();
  });
  const target = targetOf(endpointOn(server.port));
  const first = nextCheck();
  rig.follow(versionWith({ timeoutMs: 5000 }), [target]);
  await first;
  const second = nextCheck();
  rig.pass(60_000);
  await second;
  t.equal(stateOf(target), Health.UNKNOWN);
  t.equal(new HealthBlock(target.health!).failed, 0);
  rig.pass(5_050);
  await rig.changes(1);
  t.equal(stateOf(target), Health.UNHEALTHY);
  t.equal(connections, 2);
});

t.test('checks over gRPC ask for a service, and only SERVING passes', async (t) => {
  let answer: GrpcAnswer = { messages: [Buffer.from([8, 1])] };
  const server = await GrpcOrigin.listen(() => answer);
  const rig = new Rig();
  t.teardown(() => {
    rig.prober.stop();
    return server.close();
  });
  const target = targetOf(endpointOn(server.port));
  rig.follow(
    { ...versionWith({ grpc: 'shop.Shop', unhealthyThreshold: 1, healthyThreshold: 1 }), protocol: 'http2' },
    [target],
  );
  await rig.changes(1);
  t.equal(stateOf(target), Health.HEALTHY);
  t.match(server.called, [
    {
      path: '/grpc.health.v1.Health/Check',
      fields: { 'content-type': 'application/grpc', te: 'trailers', ':method': 'POST' },
      messages: [Buffer.from('\n\x09shop.Shop')],
    },
  ]);
  const next = async (given: GrpcAnswer, changes: number) => {
    answer = given;
    rig.pass(60_000);
    await rig.changes(changes);
  };
  await next({ messages: [Buffer.from([8, 2])] }, 2);
  await next({ messages: [Buffer.from([8, 1])] }, 3);
  await next({ status: 5, trailersOnly: true }, 4);
  await next({ messages: [Buffer.from([8, 1])] }, 5);
  await next({ messages: [] }, 6);
  t.strictSame(
    rig.told.map((line) => line.replace(/127\S+ /, '')),
    [
      'v1 healthy SERVING',
      'v1 unhealthy NOT_SERVING',
      'v1 healthy SERVING',
      'v1 unhealthy status NOT_FOUND',
      'v1 healthy SERVING',
      'v1 unhealthy UNKNOWN',
    ],
  );
});
