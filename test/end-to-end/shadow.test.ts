// Runs over one engine: NATS lies behind the engines.
import { AckPolicy } from '@nats-io/jetstream';
import { dropReasons, failureReasons } from '../../core/errors.js';
import { total } from '../../core/record/snapshot.js';
import { type Figures, openFigures } from '../../workers/commands/figures.js';
import { streamSoak, streamVerdict } from '../soak/stream.js';
import { askMany } from '../support/client.js';
import { lawHolds, listed } from '../support/law.js';
import { NatsServer, noNats } from '../support/nats.js';
import { fieldOf, Origin } from '../support/origin.js';
import { freePort } from '../support/ports.js';
import { ShadowProcess } from '../support/shadow.js';
import t, { type Test } from '../support/tap.js';
import { ConfigFile, reviews, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const skip = { skip: noNats };
const subject = 'umbra.reviews';
const stream = 'umbra-reviews';

async function startNats(t: Test): Promise<NatsServer> {
  const nats = await NatsServer.start();
  t.teardown(() => nats.stop());
  return nats;
}

async function startOrigin(t: Test): Promise<Origin> {
  const origin = await Origin.listen();
  t.teardown(() => origin.close());
  return origin;
}

async function startUmbra(
  t: Test,
  nats: NatsServer,
  v1: Origin,
  settings: object = {},
): Promise<UmbraProcess> {
  const route = { mirrors: [{ to: nats.stream(subject), stream: settings }] };
  const umbra = await UmbraProcess.start(reviews(v1.port, null, { route }));
  t.teardown(() => umbra.stop());
  return umbra;
}

/** Makes a stream with so many requests in it; nobody takes them yet. */
async function filled(t: Test, nats: NatsServer, count: number, mark = 'r'): Promise<UmbraProcess> {
  const umbra = await startUmbra(t, nats, await startOrigin(t));
  await ask(umbra, count, mark);
  await lawHolds(t, umbra);
  return umbra;
}

function ask(umbra: UmbraProcess, count: number, mark = 'r'): Promise<unknown> {
  return askMany(umbra.port, count, 8, (i) => ({ target: `/${mark}/${i}` }));
}

function urlOf(origin: Origin): string {
  return `http://127.0.0.1:${origin.port}`;
}

function byReason(counts: readonly number[], reasons: readonly string[]): string {
  return listed(Object.fromEntries(reasons.map((reason, i) => [reason, counts[i]])));
}

function messagesLeft(nats: NatsServer): Promise<number> {
  return nats.with(async ({ streams }) => (await streams.info(stream)).state.messages);
}

async function fleet(nats: NatsServer): Promise<Figures> {
  const place = { nats: nats.place, bucket: 'umbra', instance: null };
  const source = await openFigures({ admin: '', token: null, fleet: place });
  try {
    return await source.look(true);
  } finally {
    await source.close();
  }
}

t.test(
  'a shadow elsewhere takes each request, compares with the primary, and is seen in the fleet',
  skip,
  async (t) => {
    const nats = await startNats(t);
    const v1 = await startOrigin(t);
    const v2 = await startOrigin(t);
    v2.answer = (received, response) => {
      if (received.target === '/r/7') response.statusCode = 500;
      response.end('ok\n');
    };
    const umbra = await startUmbra(t, nats, v1, { primary: 'digest' });
    const shadow = await ShadowProcess.start(
      nats.stream(subject),
      urlOf(v2),
      '--name',
      'away',
      '--max-diff',
      '50%',
    );
    await ask(umbra, 200);
    await lawHolds(t, umbra);
    await v2.untilReceived(200);
    t.strictSame(
      v2.received.map(({ target }) => target).sort(),
      v1.received.map(({ target }) => target).sort(),
    );
    t.ok(v2.received.every((one) => fieldOf(one, 'x-umbra-mirror') === '1' && fieldOf(one, 'host') !== null));
    const seen = await until(async () => {
      const figures = await fleet(nats).catch(() => null);
      return figures !== null && figures.reading.mirrors[0]?.counts.completed === 200 ? figures : null;
    }, 'the fleet reports all');
    t.match(
      seen.members?.map(({ name }) => name),
      ['away'],
    );
    const [mirror] = seen.reading.mirrors;
    t.match(mirror, {
      route: subject,
      to: 'shadow',
      counts: { paired: 200, equal: 199, statusDifferent: 1 },
    });
    t.ok(mirror.counts.deltaSlower.count + mirror.counts.deltaFaster.count === 200, 'latencies are paired');
    const verdict = await runToEnd(
      'verdict',
      '--fleet',
      nats.fleet('umbra'),
      '--min-samples',
      '100',
      '--max-diff',
      '50%',
    );
    t.match(verdict.out, /shadow/);
    t.equal(await messagesLeft(nats), 0, 'what is done is out of the stream');
    t.equal(await shadow.stop(), 0, shadow.err);
    t.match(shadow.out, /took 200 deliveries of nats:\/\/127.0.0.1:\d+\/umbra.reviews/);
    t.match(shadow.out, /shadow against the primary/);
    t.match((await fleet(nats)).members?.[0], { name: 'away', left: true });
  },
);

t.test('SIGTERM finishes what is under way and leaves the rest to others', skip, async (t) => {
  const nats = await startNats(t);
  await filled(t, nats, 60);
  const v2 = await startOrigin(t);
  const held: (() => void)[] = [];
  v2.answer = (_received, response) => void held.push(() => response.end('late'));
  const words = ['--no-fleet', '--in-flight', '10', '--connections', '20', '--ack-wait', '20s'];
  const first = await ShadowProcess.start(nats.stream(subject), urlOf(v2), ...words);
  await v2.untilReceived(10);
  first.signal('SIGTERM');
  await first.says(/nothing more is taken; 10 requests are under way/);
  for (const answer of held.splice(0)) answer();
  t.equal(await first.ended, 0, first.err);
  t.equal(v2.received.length, 10, 'never more than it may');
  t.match(first.out, /took 10 deliveries .*; 10 were answered/);
  t.equal(await messagesLeft(nats), 50);
  v2.answer = (_received, response) => response.end('ok');
  const second = ShadowProcess.spawn(nats.stream(subject), urlOf(v2), ...words, '--until-empty');
  t.equal(await second.ended, 0, second.err);
  t.strictSame([v2.received.length, new Set(v2.received.map(({ target }) => target)).size], [60, 60]);
});

t.test('a group shares the messages, and those of one that dies go to the others', skip, async (t) => {
  const nats = await startNats(t);
  const umbra = await filled(t, nats, 20, 'first');
  const v2 = await startOrigin(t);
  const stuck = await startOrigin(t);
  stuck.answer = () => {};
  const words = ['--no-fleet', '--timeout', '1s', '--ack-wait', '1500ms', '--in-flight', '20'];
  const dying = await ShadowProcess.start(nats.stream(subject), urlOf(stuck), ...words);
  await stuck.untilReceived(20);
  dying.signal('SIGKILL');
  await dying.ended;
  const others = await Promise.all(
    [1, 2].map(() => ShadowProcess.start(nats.stream(subject), urlOf(v2), ...words)),
  );
  await ask(umbra, 180);
  const reached = () => new Set(v2.received.map(({ target }) => target)).size;
  await until(() => reached() === 200, 'each request reaches v2');
  await until(async () => (await messagesLeft(nats)) === 0, 'all is acknowledged');
  for (const other of others) t.equal(await other.stop(), 0, other.err);
  for (const { out } of others) t.match(out, /took [1-9]\d* deliveries/, 'both had some');
});

t.test('what can not be delivered goes back, and is given up in the end, counted', skip, async (t) => {
  const nats = await startNats(t);
  await filled(t, nats, 2);
  await nats.with(async (_manager, connection) => {
    connection.publish(subject, 'no request');
    await connection.flush();
  });
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const shadow = ShadowProcess.spawn(
    nats.stream(subject),
    nobody,
    ...['--deliveries', '2', '--until-empty', '--in-flight', '4', '--ack-wait', '20s', '--name', 'lonely'],
  );
  t.equal(await shadow.ended, 0, shadow.err);
  t.match(shadow.err, /message 3 is given up: not a request that can be sent/);
  const { reading } = await fleet(nats);
  const { counts } = reading.mirrors[0];
  t.strictSame(
    [counts.eligible, byReason(counts.dropped, dropReasons), byReason(counts.failed, failureReasons)],
    [5, '2 requeued, 1 unreadable', '2 connect'],
    'each of 2 twice, and one that is not a request',
  );
  t.equal(counts.eligible, counts.sent + total(counts.dropped));
  t.equal(await messagesLeft(nats), 0);
});

t.test('a version of a configuration is a target by its name', skip, async (t) => {
  const nats = await startNats(t);
  await filled(t, nats, 5);
  const v2 = await startOrigin(t);
  const file = new ConfigFile(reviews(1, v2.port));
  t.teardown(() => file.remove());
  const words = ['-c', file.path, '--until-empty', '--no-fleet'];
  const shadow = ShadowProcess.spawn(nats.stream(subject), 'v2', ...words);
  t.equal(await shadow.ended, 0, shadow.err);
  t.match(shadow.out, /umbra shadow ready stream=umbra-reviews group=v2 to=v2 pid=/);
  t.equal(v2.received.length, 5);
  const unknown = ShadowProcess.spawn(nats.stream(subject), 'v3', ...words);
  t.equal(await unknown.ended, 1);
  t.match(unknown.err, /umbra.yaml has no version v3; versions: v1, v2/);
  // A work queue has one group for a subject; those of its other subjects are not to be shared.
  await nats.with(async ({ streams, consumers }) => {
    const { config } = await streams.info(stream);
    await streams.update(stream, { ...config, subjects: [subject, 'umbra.else'] });
    const ofElse = { durable_name: 'else', ack_policy: AckPolicy.Explicit, filter_subject: 'umbra.else' };
    await consumers.add(stream, ofElse);
  });
  const other = ShadowProcess.spawn(
    nats.stream(subject),
    urlOf(v2),
    '--group',
    'other',
    '--until-empty',
    '--no-fleet',
  );
  t.equal(await other.ended, 1);
  t.match(
    other.err,
    /umbra-reviews is a work queue, and the group v2 has its messages: --group v2 shares them/,
  );
});

t.test('wrong words are refused with what is right', async (t) => {
  const from = 'nats://127.0.0.1:4222/umbra.reviews';
  const printed = async (...words: string[]) => {
    const { code, err } = await runToEnd('shadow', ...words);
    t.equal(code, 2);
    return err;
  };
  t.match(await printed('--to', 'http://127.0.0.1:1'), /required option '--from <url>' not specified/);
  t.match(
    await printed('--from', 'nats://127.0.0.1', '--to', 'v2'),
    /Expected an address such as nats:.*umbra.reviews/,
  );
  t.match(
    await printed('--from', from, '--to', 'v2'),
    /--to v2 names a version: name its configuration with -c/,
  );
  t.match(await printed('--from', from, '--to', 'http://x/y'), /Expected a server such as/);
  t.match(
    await printed('--from', from, '--to', 'http://x', '--mirror', 'reviews'),
    /--mirror needs the configuration of the mirror: -c FILE/,
  );
  t.match(
    await printed('--from', from, '--to', 'http://x', '--timeout', '9s', '--ack-wait', '9s'),
    /--ack-wait must be longer than --timeout/,
  );
});

t.test(
  'a shadow that comes before the stream waits for it, and one without NATS says so',
  skip,
  async (t) => {
    const nats = await startNats(t);
    const v2 = await startOrigin(t);
    const shadow = ShadowProcess.spawn(nats.stream(subject), urlOf(v2), '--no-fleet');
    await shadow.says(/there is no stream for umbra.reviews yet; it is tried again/);
    const umbra = await startUmbra(t, nats, await startOrigin(t));
    await ask(umbra, 10);
    await v2.untilReceived(10);
    t.equal(await shadow.stop(), 0, shadow.err);
    const alone = ShadowProcess.spawn(`nats://127.0.0.1:${await freePort()}/a`, urlOf(v2), '--no-fleet');
    await alone.says(/cannot reach NATS at 127.0.0.1:\d+: ECONNREFUSED; it is tried again/);
    t.equal(await alone.stop(), 0);
  },
);

t.test('a time that is over before NATS was ever reached is a failure, and says why', async (t) => {
  const from = `nats://127.0.0.1:${await freePort()}/a`;
  const { code, out, err } = await runToEnd(
    'shadow',
    '--from',
    from,
    '--to',
    'http://127.0.0.1:1',
    '--no-fleet',
    '--for',
    '1s',
  );
  t.equal(code, 1, err);
  t.match(err, /umbra shadow: cannot reach NATS at 127\.0\.0\.1:\d+: ECONNREFUSED$/m);
  t.equal(out, '', 'no figures');
});

t.test(
  'two instances, three shadows, one killed and back, the server restarted: all published is acknowledged or counted, and reached v2',
  skip,
  async (t) => {
    const result = await streamSoak({ requests: 4000, log: (line) => t.comment(line) });
    t.strictSame(streamVerdict(result), [], JSON.stringify(result.mirrors));
  },
);

t.test(
  'metrics are served, JSON has standard output to itself, and rules of a configuration hold',
  skip,
  async (t) => {
    const nats = await startNats(t);
    const [v1, v2] = [await startOrigin(t), await startOrigin(t)];
    for (const [origin, price] of [
      [v1, 100],
      [v2, 100.4],
    ] as const)
      origin.answer = (_, response) =>
        void response.setHeader('content-type', 'application/json').end(JSON.stringify({ price, name: 'x' }));
    const umbra = await startUmbra(t, nats, v1, { primary: 'response' });
    await ask(umbra, 20);
    await lawHolds(t, umbra);
    const config = new ConfigFile(
      reviews(v1.port, v2.port, { mirror: { compare: { rules: [{ path: '$.price', tolerance: '1%' }] } } }),
    );
    t.teardown(() => config.remove());
    const shadow = ShadowProcess.spawn(
      nats.stream(subject),
      urlOf(v2),
      ...[
        '-c',
        config.path,
        '--ignore',
        'header:date',
        '--metrics',
        '127.0.0.1:0',
        '-o',
        'json',
        '--no-fleet',
      ],
    );
    const [, port] = await shadow.says(/^umbra shadow ready .* metrics=(\d+)/m);
    const text = async (path: string): Promise<string> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    await until(
      async () => /^umbra_compare_examined_total\{.*\} 20$/m.test(await text('/metrics')),
      'all are compared',
    );
    t.match(await text('/metrics'), /^umbra_mirror_completed_total\{.*\} 20$/m);
    t.equal(await text('/healthz'), 'ok\n');
    t.equal((await fetch(`http://127.0.0.1:${port}/api/config`)).status, 404);
    t.equal(await shadow.stop(), 0);
    const { deliveries, answered, diffs } = JSON.parse(shadow.out);
    t.strictSame([deliveries, answered], [20, 20]);
    t.match(diffs.mirrors, [{ compared: 20, different: 0 }]);
  },
);

t.test('metrics that other machines can reach need a token', skip, async (t) => {
  const nats = await startNats(t);
  const words = ['--from', nats.stream(subject), '--to', 'http://127.0.0.1:1', '--metrics', '0.0.0.0:0'];
  const { code, err } = await runToEnd('shadow', ...words);
  t.equal(code, 1);
  t.match(err, /needs a token where other machines can reach it/);
});
