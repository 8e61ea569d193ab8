// Runs over one engine: NATS lies behind the engines.
import { type KV, Kvm } from '@nats-io/kv';
import { hostName } from '../../config/host-name.js';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { NatsServer, noNats } from '../support/nats.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const skip = { skip: noNats };

interface Ack {
  readonly name: string;
  readonly revision: number;
  readonly generation: number;
  readonly result: string;
  readonly problems: readonly string[];
}

async function startNats(t: Test): Promise<{ nats: NatsServer; bucket: KV; address: string }> {
  const nats = await NatsServer.start();
  const connection = await nats.connect();
  const bucket = await new Kvm(connection).create('plans');
  t.teardown(async () => {
    await connection.close();
    await nats.stop();
  });
  return { nats, bucket, address: `nats-kv://127.0.0.1:${nats.port}/plans/edge` };
}

async function startOrigin(t: Test, text: string): Promise<Origin> {
  const origin = await Origin.listen((_, response) => response.end(text));
  t.teardown(() => origin.close());
  return origin;
}

function planOf(origin: Origin): string {
  const umbra = { threads: { proxy: 1, shadow: 1 }, fleet: undefined };
  return JSON.stringify(reviews(origin.port, null, { umbra }));
}

async function acknowledged(bucket: KV, revision: number): Promise<Ack> {
  return until(async () => {
    const entry = await bucket.get(`edge.ack.${hostName()}`).catch(() => null);
    const ack = entry === null ? null : entry.json<Ack>();
    return ack?.revision === revision ? ack : null;
  }, `revision ${revision} is acknowledged`);
}

async function textFrom({ port }: UmbraProcess): Promise<string> {
  return (await ask(port)).body.toString();
}

t.test(
  'a plan in a bucket is served, followed, refused where it is bad, and acknowledged',
  skip,
  async (t) => {
    const { nats, bucket, address } = await startNats(t);
    const [first, second, third] = [
      await startOrigin(t, 'first'),
      await startOrigin(t, 'second'),
      await startOrigin(t, 'third'),
    ];
    const revision = await bucket.put('edge', planOf(first));
    const checked = await runHere('check', address);
    t.equal(checked.code, 0, checked.err);
    const umbra = await UmbraProcess.startFrom(address);
    t.teardown(() => umbra.stop());
    t.equal(await textFrom(umbra), 'first');
    t.match(await acknowledged(bucket, revision), { generation: 1, result: 'taken', problems: [] });

    const next = await bucket.put('edge', planOf(second));
    t.match(await acknowledged(bucket, next), { generation: 2, result: 'taken' });
    t.equal(await textFrom(umbra), 'second');

    const bad = await bucket.put('edge', planOf(third).replace('"primary"', '"primry"'));
    const refused = await acknowledged(bucket, bad);
    t.match(refused, { generation: 2, result: 'refused' });
    t.match(refused.problems[0], /^nats-kv:.*\/plans\/edge:1:\d+: routes\[0\]: `primary` is missing/);
    await umbra.logged(/revision \d+ of nats-kv:[^ ]* was refused/);
    t.equal(await textFrom(umbra), 'second', 'the last good one continues');
    t.match((await umbra.stats()).fleet.plan, {
      source: address,
      connected: true,
      revision: next,
      refused: { revision: bad },
      taken: 1,
      refusals: 1,
    });
    const top = await runToEnd('top', '--once', '--admin', umbra.adminUrl);
    t.match(
      top.out,
      new RegExp(
        `plan ${address}  revision ${next}\\n  revision ${bad} refused: 1:\\d+: routes\\[0\\]: \`primary\``,
      ),
    );

    await nats.kill();
    await umbra.logged(/can't be followed: [^"]*; the last plan stays in force/);
    t.equal(await textFrom(umbra), 'second', 'it serves on without NATS');
    await nats.startAgain();
    const last = await until(
      () => bucket.put('edge', planOf(third)).catch(() => null),
      'the server takes it',
    );
    t.match(await acknowledged(bucket, last), { generation: 3, result: 'taken' });
    t.equal(await textFrom(umbra), 'third');
    t.match(await umbra.metrics(), new RegExp(`^umbra_plan_revision ${last}$`, 'm'));
  },
);

t.test('a start waits for NATS, and without a plan says why and ends', skip, async (t) => {
  const { nats, bucket, address } = await startNats(t);
  const missing = await runToEnd('run', '-c', address);
  t.equal(missing.code, 2);
  t.match(missing.err, /^umbra: nats-kv:.*\/plans\/edge: there is no such key\n$/);
  await bucket.put('edge', 'nonsense: 1');
  const wrong = await runHere('check', address);
  t.equal(wrong.code, 2);
  t.match(wrong.err, /plans\/edge:1:1: unknown key `nonsense`/);
  const malformed = await runToEnd('run', '-c', 'nats-kv://127.0.0.1');
  t.equal(malformed.code, 2);
  t.match(malformed.err, /expected an address such as nats-kv:/);
  const gone = await runHere('check', 'nats-kv://me:hidden@127.0.0.1:1/plans/edge');
  t.equal(gone.code, 2);
  t.match(gone.err, /^cannot reach NATS at 127\.0\.0\.1:1: ECONNREFUSED\n$/);

  await bucket.put('edge', planOf(await startOrigin(t, 'late')));
  await nats.kill();
  const starting = UmbraProcess.startFrom(address);
  await nats.startAgain();
  const umbra = await starting;
  t.equal(await textFrom(umbra), 'late');
  t.equal((await umbra.stop()).code, 0);
});
