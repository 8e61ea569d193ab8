// Runs over one engine: NATS lies behind the engines.
// Runs in a network of its own, because it adds addresses to it.
import { Kvm } from '@nats-io/kv';
import type { MirrorStats } from '../../core/report/stats.js';
import { type Answered, askMany } from '../support/client.js';
import { type CutNats, ways } from '../support/cut.js';
import { lawHolds, listed, mirrorTo } from '../support/law.js';
import type { NatsAddress } from '../support/nats.js';
import { Origin } from '../support/origin.js';
import { ShadowProcess } from '../support/shadow.js';
import t, { type Test } from '../support/tap.js';
import { reviews, runToEnd, sum, UmbraProcess, until } from '../support/umbra.js';

const subject = 'umbra.reviews';
const stream = 'umbra-reviews';

async function startOrigin(t: Test): Promise<Origin> {
  const origin = await Origin.listen();
  t.teardown(() => origin.close());
  return origin;
}

/** Its requests go to a stream. */
function planOf(nats: NatsAddress, v1: Origin, settings: object, umbra: object = {}): object {
  const route = { mirrors: [{ to: nats.stream(subject), stream: settings }] };
  return reviews(v1.port, null, { route, umbra });
}

async function startUmbra(
  t: Test,
  { nats }: CutNats,
  v1: Origin,
  settings: object,
  more: object = {},
): Promise<UmbraProcess> {
  const umbra = await UmbraProcess.start(planOf(nats, v1, settings, more) as never);
  t.teardown(() => umbra.stop());
  return umbra;
}

async function mirrorOf(umbra: UmbraProcess, nats: NatsAddress): Promise<MirrorStats> {
  return mirrorTo(await umbra.stats(), nats.stream(subject));
}

/** Every one is answered as if there was no mirror. */
async function ask(t: Test, { port }: UmbraProcess, count: number, mark: string, bytes = 0): Promise<void> {
  const body = Buffer.alloc(bytes, 'x');
  const answers: Answered[] = await askMany(port, count, 8, (i) => ({
    method: 'POST',
    target: `/${mark}/${i}`,
    body,
  }));
  t.strictSame([answers.length, answers.filter(({ status }) => status !== 200)], [count, []]);
}

function messagesIn(nats: NatsAddress): Promise<number> {
  return nats.with(async ({ streams }) => (await streams.info(stream)).state.messages);
}

t.jobs = 4;

for (const { name, skip, start } of ways) {
  const beginning = async (t: Test): Promise<CutNats> => {
    const way = await start();
    t.teardown(() => way.stop());
    return way;
  };

  t.test(
    `${name}, for a moment: copies wait, the rest is dropped, and none is lost or doubled`,
    { skip, buffered: true },
    async (t) => {
      const way = await beginning(t);
      const { nats } = way;
      const umbra = await startUmbra(t, way, await startOrigin(t), { outstanding: 100 });
      await ask(t, umbra, 50, 'before');
      await until(async () => (await mirrorOf(umbra, nats)).completed === 50, 'all are acknowledged');
      way.cut();
      let asked = 50;
      await until(async () => {
        await ask(t, umbra, 100, 'meanwhile');
        asked += 100;
        return (await mirrorOf(umbra, nats)).dropped['stream-down'] > 0;
      }, 'the silence is noticed');
      const meanwhile = await until(async () => {
        const mirror = await mirrorOf(umbra, nats);
        return mirror.sent + sum(mirror.dropped) === asked ? mirror : null;
      }, 'all are decided');
      t.strictSame([meanwhile.sent, meanwhile.completed, meanwhile.inFlight], [150, 50, 100]);
      t.equal(
        (meanwhile.dropped['in-flight'] ?? 0) + meanwhile.dropped['stream-down'],
        asked - 150,
        listed(meanwhile.dropped),
      );
      way.heal();
      await until(async () => (await mirrorOf(umbra, nats)).inFlight === 0, 'what waited is acknowledged');
      await ask(t, umbra, 50, 'after');
      const mirror = mirrorTo(await lawHolds(t, umbra), nats.stream(subject));
      t.strictSame([mirror.completed, listed(mirror.failed)], [200, '0']);
      t.equal(await messagesIn(nats), 200, 'each once');
    },
  );

  t.test(
    `${name}, for long: it is reported, and delivery resumes by itself with the packets`,
    { skip, buffered: true },
    async (t) => {
      const way = await beginning(t);
      const { nats } = way;
      const v1 = await startOrigin(t);
      const v2 = await startOrigin(t);
      const more = { fleet: { nats: nats.fleet('umbra'), name: 'cut' } };
      const plan = planOf(nats, v1, { outstanding: 200 }, more);
      const plans = await nats.with(async (_, connection) =>
        (await new Kvm(connection).create('plans')).put('edge', JSON.stringify(plan)),
      );
      t.equal(plans, 1);
      const umbra = await UmbraProcess.startFrom(`nats-kv://${nats.host}:${nats.port}/plans/edge`);
      t.teardown(() => umbra.stop());
      const words = ['--fleet', nats.fleet('umbra'), '--name', 'away', '--timeout', '2s', '--ack-wait', '4s'];
      const shadow = await ShadowProcess.start(nats.stream(subject), `http://127.0.0.1:${v2.port}`, ...words);
      t.teardown(() => shadow.signal('SIGKILL'));
      await ask(t, umbra, 50, 'before');
      await v2.untilReceived(50);
      way.cut();
      // Together more than the kernel takes for a connection that says nothing.
      await ask(t, umbra, 250, 'meanwhile', 60_000);
      await umbra.logged(/publishing to [^"]*: the connection to NATS was lost/);
      await umbra.logged(/no snapshots go to [^"]*: the connection to NATS was lost/);
      await umbra.logged(/can't be followed: the connection to NATS was lost; the last plan stays in force/);
      await shadow.says(/the connection to NATS was lost/);
      t.match((await umbra.stats()).fleet, {
        publishing: { connected: false },
        plan: { connected: false, revision: 1 },
      });
      await ask(t, umbra, 50, 'later');
      way.heal(true);
      await until(async () => (await mirrorOf(umbra, nats)).inFlight === 0, 'what waited is acknowledged');
      await ask(t, umbra, 50, 'after');
      const { completed, failed, dropped } = mirrorTo(await lawHolds(t, umbra), nats.stream(subject));
      t.equal(completed + sum(failed) + sum(dropped), 400, `${listed(dropped)} ${listed(failed)}`);
      t.equal(completed, 300, 'none that waited is lost');
      const reached = () => new Set(v2.received.map(({ target }) => target)).size;
      await until(() => reached() === completed, 'each that is acknowledged reaches the shadow');
      await until(async () => (await messagesIn(nats)) === 0, 'the stream is empty');
      await nats.with(async (_, connection) =>
        (await new Kvm(connection).open('plans')).put('edge', JSON.stringify(plan)),
      );
      await until(async () => (await umbra.stats()).fleet.plan?.taken === 1, 'a new revision is taken');
      t.equal(await shadow.stop(), 0, shadow.err);
      t.equal((await umbra.stop()).code, 0);
    },
  );

  t.test(
    `${name}, of answers alone: what was stored and not acknowledged is published again and stored once`,
    { skip, buffered: true },
    async (t) => {
      const way = await beginning(t);
      const { nats } = way;
      const umbra = await startUmbra(t, way, await startOrigin(t), {});
      await ask(t, umbra, 50, 'before');
      await until(async () => (await mirrorOf(umbra, nats)).completed === 50, 'all are acknowledged');
      way.cut('answers');
      await ask(t, umbra, 100, 'meanwhile');
      await umbra.logged(/publishing to [^"]*: the connection to NATS was lost/);
      t.match(await mirrorOf(umbra, nats), { sent: 150, completed: 50, inFlight: 100 });
      if (way.beside !== null) t.equal(await messagesIn(way.beside), 150, 'all of it is there');
      way.heal(true);
      await until(async () => (await mirrorOf(umbra, nats)).inFlight === 0, 'what waited is acknowledged');
      const { completed, failed } = mirrorTo(await lawHolds(t, umbra), nats.stream(subject));
      t.strictSame([completed, listed(failed)], [150, '0']);
      t.equal(await messagesIn(nats), 150, 'each once');
    },
  );

  t.test(
    `${name}: a process that is stopped meanwhile ends, and one that starts says why it cannot`,
    { skip, buffered: true },
    async (t) => {
      const way = await beginning(t);
      const { nats } = way;
      const v1 = await startOrigin(t);
      const more = { fleet: { nats: nats.fleet('umbra'), name: 'cut' }, drain: '1s' };
      const umbra = await startUmbra(t, way, v1, {}, more);
      const shadow = await ShadowProcess.start(nats.stream(subject), `http://127.0.0.1:${v1.port}`);
      await ask(t, umbra, 10, 'before');
      await v1.untilReceived(20);
      way.cut();
      await ask(t, umbra, 10, 'meanwhile', 1000_000);
      const [starting, ended, code, top] = await Promise.all([
        runToEnd('run', '-c', `nats-kv://${nats.host}:${nats.port}/plans/edge`),
        umbra.stop(),
        shadow.stop(),
        runToEnd('top', '--once', '--fleet', nats.fleet('umbra')),
      ]);
      t.strictSame([ended.code, code], [0, 0], `${umbra.err}${shadow.err}`);
      t.strictSame([starting.code, top.code], [1, 4]);
      for (const { err } of [starting, top]) t.match(err, /cannot reach NATS at [^ ]+: timeout/);
    },
  );
}
