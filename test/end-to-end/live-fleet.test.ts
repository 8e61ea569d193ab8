// Runs over one engine: NATS lies behind the engines.
/** The instances of a fleet share live changes through the bucket of their plan, and one of them leads. */
import { type KV, Kvm } from '@nats-io/kv';
import { NatsServer, noNats } from '../support/nats.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

interface Status {
  readonly live: readonly { readonly what: string; readonly by: string }[];
  readonly state: { readonly keptIn: string; readonly problem: string | null; readonly unshared: number };
  readonly fleet: { readonly name: string; readonly leader: string | null };
}

async function start(t: Test) {
  const nats = await NatsServer.start();
  const connection = await nats.connect();
  const bucket = await new Kvm(connection).create('plans');
  const [v1, v2] = await Promise.all([Origin.listen(), Origin.listen()]);
  t.teardown(async () => {
    await connection.close().catch(() => {});
    await nats.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  const umbra = { threads: { proxy: 1, shadow: 1 } };
  const plan = reviews(v1.port, v2.port, { mirror: { percent: 50 }, umbra });
  await bucket.put('edge', JSON.stringify(plan));
  const address = `nats-kv://127.0.0.1:${nats.port}/plans/edge`;
  return { nats, bucket, address, plan };
}

async function status(umbra: UmbraProcess): Promise<Status> {
  return (await umbra.admin('GET', '/api/status')).json as Status;
}

/** The mirror and the weights in force, as in the configuration. */
async function inForce(umbra: UmbraProcess): Promise<string> {
  const { json } = await umbra.admin('GET', '/api/config');
  const [{ primary, mirrors }] = (
    json as { routes: { primary: unknown; mirrors: { enabled: boolean; percent: number }[] }[] }
  ).routes;
  return `${JSON.stringify(primary)} ${mirrors.map(({ enabled, percent }) => `${enabled} ${percent}`)}`;
}

async function both(umbras: readonly UmbraProcess[], expected: string): Promise<void> {
  await until(async () => {
    const words = await Promise.all(umbras.map(inForce));
    return words.every((word) => word === expected);
  }, `all instances have ${expected}`);
}

const clean = '"v1" true 50';

t.test(
  'a change of one instance reaches the others, and outlasts all of them',
  { skip: noNats },
  async (t) => {
    const { bucket, address, plan } = await start(t);
    let [a, b] = await Promise.all([UmbraProcess.startFrom(address), UmbraProcess.startFrom(address)]);
    await both([a, b], clean);
    t.match(await a.admin('PATCH', '/api/routes/reviews', { primary: { v1: 95, v2: 5 } }), {
      status: 200,
      json: { kept: true, warnings: [] },
    });
    await both([a, b], '{"v1":95,"v2":5} true 50');
    await b.admin('PATCH', '/api/mirrors', { enabled: false });
    await both([a, b], '{"v1":95,"v2":5} false 50');
    // Both at a time: the one that comes second is made on top of the first.
    const answers = await Promise.all([
      a.admin('PATCH', '/api/routes/reviews', { primary: { v2: 10 } }),
      b.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent: 20 }),
    ]);
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200],
    );
    await both([a, b], '{"v1":95,"v2":10} false 20');
    t.match((await status(b)).state, {
      keptIn: /^nats-kv:.*\/plans\/edge\.live$/,
      problem: null,
      unshared: 0,
    });

    // A revision of the plan that changes the same value wins, on all of them.
    const routes = [{ ...plan.routes[0], primary: { v1: 1, v2: 1 } }];
    await bucket.put('edge', JSON.stringify({ ...plan, routes }));
    await both([a, b], '{"v1":1,"v2":1} false 20');

    await Promise.all([a.stop(), b.stop()]);
    [a, b] = await Promise.all([UmbraProcess.startFrom(address), UmbraProcess.startFrom(address)]);
    t.teardown(() => Promise.all([a.stop(), b.stop()]));
    await both([a, b], '{"v1":1,"v2":1} false 20');
    await a.admin('PATCH', '/api/mirrors', { reset: true });
    await both([a, b], '{"v1":1,"v2":1} true 50');
  },
);

t.test(
  'without NATS a change is made on its instance alone, and shared when NATS is back',
  { skip: noNats },
  async (t) => {
    const { nats, address } = await start(t);
    const [a, b] = await Promise.all([UmbraProcess.startFrom(address), UmbraProcess.startFrom(address)]);
    t.teardown(() => Promise.all([a.stop(), b.stop()]));
    await a.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent: 20 });
    await both([a, b], '"v1" true 20');
    await nats.kill();
    const off = await a.admin('PATCH', '/api/mirrors', { enabled: false });
    t.match(off, {
      status: 200,
      json: { kept: false, warnings: [/^the change is not shared with other instances: /] },
    });
    t.equal(await inForce(a), '"v1" false 20');
    t.equal(await inForce(b), '"v1" true 20');
    t.equal((await status(a)).state.unshared, 1);
    await until(
      async () => (await Promise.all([a, b].map(status))).every(({ fleet }) => fleet.leader === null),
      'nobody leads without NATS',
    );
    await nats.startAgain();
    await both([a, b], '"v1" false 20');
    t.equal((await status(a)).state.unshared, 0);
    await a.logged(/1 live changes that were made here alone are shared now/);
  },
);

t.test('the leader is killed, and the other instance leads', { skip: noNats }, async (t) => {
  const { address } = await start(t);
  const [a, b] = await Promise.all([UmbraProcess.startFrom(address), UmbraProcess.startFrom(address)]);
  t.teardown(() => Promise.all([a, b].map((umbra) => umbra.stop())));
  const leads = (umbra: UmbraProcess) => /this instance leads the fleet/.test(umbra.err);
  await until(() => leads(a) || leads(b), 'one leads');
  const [first, second] = leads(a) ? [a, b] : [b, a];
  t.equal(leads(second), false);
  first.signal('SIGKILL');
  await first.ended;
  await second.logged(/this instance leads the fleet/);
  t.match((await status(second)).fleet, { leader: (await status(second)).fleet.name });
});

t.test('an entry of a newer umbra is left alone', { skip: noNats }, async (t) => {
  const { bucket, address } = await start(t);
  const a = await UmbraProcess.startFrom(address);
  t.teardown(() => a.stop());
  const text = '{"version":99}';
  await bucket.put('edge.live', text);
  await a.logged(/edge\.live has version 99, and this umbra reads up to 1; it is left alone/);
  t.match(await a.admin('PATCH', '/api/mirrors', { enabled: false }), { status: 200, json: { kept: false } });
  t.equal(await inForce(a), '"v1" false 50');
  t.equal(await value(bucket), text);
});

async function value(bucket: KV): Promise<string> {
  return (await bucket.get('edge.live'))!.string();
}
