import type { EndpointPlan } from '../../../core/plan.js';
import { Health, HealthBlock } from '../../../core/upstream/health-block.js';
import type { Target } from '../../../core/upstream/target.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, endpointOn, TestPool } from './exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function at(port: number, health: SharedArrayBuffer | null = null): Target {
  const endpoint = endpointOn(port);
  return { endpoint, address: endpoint.address, health };
}

/** Answers all but its first `holds` requests, which are answered on request. */
function holding(holds: number): { script: (peer: RawPeer) => Promise<void>; answers: (() => void)[] } {
  const answers: (() => void)[] = [];
  const script = async (peer: RawPeer): Promise<void> => {
    for (;;) {
      await peer.head();
      if (answers.length < holds) answers.push(() => peer.send(OK));
      else peer.send(OK);
    }
  };
  return { script, answers };
}

t.test(
  'of an address that is gone idle connections close at once, and busy ones when they are done',
  async (t) => {
    const held = holding(1);
    const old = await RawServer.listen(held.script);
    const next = await RawServer.listen(holding(0).script);
    t.teardown(() => Promise.all([old.close(), next.close()]));
    const pool = new TestPool([]);
    pool.follow([at(old.port)]);
    const busy = new Exchange().get(pool);
    await busy.until('sent');
    await new Exchange().get(pool).end();
    t.equal(pool.idle, 1);

    pool.follow([at(next.port)]);
    t.equal(pool.idle, 0);
    t.same(
      pool.endpoints.map((endpoint) => endpoint.address),
      [at(next.port).address],
    );
    t.equal(
      (await new Exchange().get(pool).end()).call.figures.endpoint!.plan.authority,
      `127.0.0.1:${next.port}`,
    );
    held.answers[0]!();
    t.equal((await busy.end()).body, 'ok', 'what was under way is finished');
    t.match(pool.counted, { opened: 3, closed: 2, idle: 1 });
  },
);

t.test('an address that stays keeps its connections', async (t) => {
  const server = await RawServer.listen(holding(0).script);
  t.teardown(() => server.close());
  const pool = new TestPool([]);
  pool.follow([at(server.port)]);
  await new Exchange().get(pool).end();
  pool.follow([at(1), at(server.port)]);
  t.equal(pool.idle, 1);
  pool.follow([at(server.port), at(server.port)]);
  t.equal(pool.idle, 1, 'and is not shared by a second one of the same address');
  t.equal(pool.endpoints.length, 2);
});

t.test('a call that waited for an address that is gone is served by the next', async (t) => {
  const held = holding(1);
  const old = await RawServer.listen(held.script);
  const next = await RawServer.listen(holding(0).script);
  t.teardown(() => Promise.all([old.close(), next.close()]));
  const pool = new TestPool([], { connectionsMax: 1 });
  pool.follow([at(old.port)]);
  const first = await new Exchange().get(pool).until('sent');
  const second = new Exchange().get(pool);
  t.equal(pool.waiting, 1);
  pool.follow([at(next.port)]);
  t.equal((await second.end()).body, 'ok');
  first.call.cancel();
});

t.test('without an address calls fail with no-endpoint, and a pool is out of service', async (t) => {
  const server = await RawServer.listen(holding(0).script);
  t.teardown(() => server.close());
  const pool = new TestPool([]);
  t.ok(pool.outOfService);
  t.equal((await new Exchange().get(pool).end()).failure, 'no-endpoint');
  pool.follow([at(server.port)]);
  t.equal((await new Exchange().get(pool).end()).body, 'ok');
});

/** Answers one request. `again` resolves when the connection has the next one, and `kill` resets it. */
async function dyingOnReuse() {
  let kill: () => void = () => undefined;
  let arrived: () => void = () => undefined;
  const again = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const old = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send(OK);
    await peer.head();
    kill = () => peer.reset();
    arrived();
  });
  return { old, again, kill: () => kill() };
}

t.test('a request that died on a reused connection of an address that is gone goes to another', async (t) => {
  const { old, again, kill } = await dyingOnReuse();
  const next = await RawServer.listen(holding(0).script);
  t.teardown(() => Promise.all([old.close(), next.close()]));
  const pool = new TestPool([]);
  pool.follow([at(old.port)]);
  await new Exchange().get(pool).end();
  const e = new Exchange().get(pool);
  await again;
  pool.follow([at(next.port)]);
  kill();
  t.equal((await e.end()).body, 'ok');
  t.equal(pool.counted.retried, 1);
});

t.test('and fails when there is none, or no room in the queue', async (t) => {
  for (const [next, failure] of [
    [false, 'no-endpoint'],
    [true, 'overloaded'],
  ] as const) {
    const { old, again, kill } = await dyingOnReuse();
    const silent = await RawServer.listen(() => undefined);
    const pool = new TestPool([], { queueMax: 0, connectionsMax: 1 });
    pool.follow([at(old.port)]);
    await new Exchange().get(pool).end();
    const e = new Exchange().get(pool);
    await again;
    pool.follow(next ? [at(silent.port)] : []);
    const blocking = next ? await new Exchange().get(pool).until('sent') : null;
    kill();
    t.equal((await e.end()).failure, failure);
    blocking?.call.cancel();
    await Promise.all([old.close(), silent.close()]);
  }
});

t.test('an address that is ejected and gone is no longer counted as ejected', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.reset();
  });
  t.teardown(() => server.close());
  const pool = new TestPool([]);
  pool.follow([at(server.port)]);
  t.equal((await new Exchange().get(pool).end()).failure, 'reset');
  t.equal(pool.counted.ejected, 1);
  pool.follow([]);
  t.equal(pool.counted.ejected, 0);
  t.equal(pool.resources.deadlines.count, 0);
});

t.test('an unhealthy address gets nothing while another is left, and requests when none is', async (t) => {
  const servers = [await RawServer.listen(holding(0).script), await RawServer.listen(holding(0).script)];
  t.teardown(() => Promise.all(servers.map((server) => server.close())));
  const blocks = servers.map(() => HealthBlock.create());
  const pool = new TestPool([]);
  pool.follow(servers.map((server, i) => at(server.port, blocks[i]!)));
  new HealthBlock(blocks[0]!).set(Health.UNHEALTHY, 0);
  for (let i = 0; i < 10; i++) await new Exchange().get(pool).end();
  t.same(
    servers.map((server) => server.connections),
    [0, 1],
  );
  t.notOk(pool.outOfService);
  new HealthBlock(blocks[1]!).set(Health.UNHEALTHY, 0);
  t.ok(pool.outOfService, 'a shadow is sent nothing');
  t.equal((await new Exchange().get(pool).end()).body, 'ok', 'whoever asks all the same is served');
});

t.test('calls that wait are not given a connection of an address that became unhealthy', async (t) => {
  const held = holding(2);
  const servers = [await RawServer.listen(held.script), await RawServer.listen(held.script)];
  t.teardown(() => Promise.all(servers.map((server) => server.close())));
  const block = HealthBlock.create();
  const pool = new TestPool([], { connectionsMax: 1 });
  pool.follow([at(servers[0]!.port, block), at(servers[1]!.port)]);
  const first = await new Exchange().get(pool).until('sent');
  const second = await new Exchange().get(pool).until('sent');
  const third = new Exchange().get(pool);
  new HealthBlock(block).set(Health.UNHEALTHY, 0);
  const [toFirst, toSecond] = [first, second].map((e) => e.call.figures.endpoint!.plan.authority);
  t.not(toFirst, toSecond);
  while (held.answers.length < 2) await new Promise(setImmediate);
  for (const answer of held.answers) answer();
  await Promise.all([first.end(), second.end()]);
  t.equal((await third.end()).call.figures.endpoint!.plan.authority, `127.0.0.1:${servers[1]!.port}`);
});

t.test('TLS asks for the name at whatever address it is', async (t) => {
  const endpoint: EndpointPlan = {
    address: { kind: 'tcp', host: 'reviews.internal', port: 443 },
    authority: 'reviews.internal',
    secure: true,
    weight: 1,
  };
  let hello = '';
  const server = await RawServer.listen(async (peer) => {
    hello = await peer.take('reviews.internal');
    peer.reset();
  });
  t.teardown(() => server.close());
  const pool = new TestPool([]);
  pool.follow([{ endpoint, address: { kind: 'tcp', host: '127.0.0.1', port: server.port }, health: null }]);
  const e = new Exchange();
  e.send(pool);
  t.equal((await e.end()).failure, 'tls');
  t.match(hello, /reviews\.internal$/);
});
