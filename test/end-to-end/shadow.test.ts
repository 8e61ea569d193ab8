// Runs over one engine: NATS lies behind the engines.
import { AckPolicy } from '@nats-io/jetstream';
import { dropReasons, failureReasons } from '../../core/errors.js';
import { total } from '../../core/record/snapshot.js';
import { type Figures, openFigures } from '../../workers/commands/figures.js';
import { streamSoak, streamVerdict } from '../soak/stream.js';
import { askMany } from '../support/client.js';
import { runHere } from '../support/here.js';
import { lawHolds, listed } from '../support/law.js';
import { NatsServer, noNats } from '../support/nats.js';
import { type Answer, answerOk, fieldOf, Origin } from '../support/origin.js';
import { freePort } from '../support/ports.js';
import { ShadowProcess } from '../support/shadow.js';
import t, { type Test } from '../support/tap.js';
import { ConfigFile, type ConfigWords, plain, reviews, UmbraProcess, until } from '../support/umbra.js';

const skip = { skip: noNats, buffered: true };
// Most of their time is that of pulls that find nothing.
t.jobs = 4;

/** `stream` of each route's mirror. A route `x` has the requests below `/x/`, and its stream is `umbra.x`. */
const routes: Record<string, object> = {
  digest: { primary: 'digest' },
  response: { primary: 'response' },
  held: {},
  group: {},
  lonely: {},
  named: {},
};
const priced =
  (price: number): Answer =>
  (_, response) =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify({ price, name: 'x' }));
const v1 = await startOrigin(t);
v1.answer = (received, ...rest) =>
  (received.target.startsWith('/response/') ? priced(100) : answerOk)(received, ...rest);
/** Null where there is no nats-server; then the tests that need one are skipped with a word. */
const nats = noNats === false ? await NatsServer.start() : null!;
const umbra = noNats === false ? await UmbraProcess.start(configOf(routes)) : null!;
t.teardown(async () => {
  await umbra?.stop();
  await nats?.stop();
});

function configOf(all: Readonly<Record<string, object>>): ConfigWords {
  const mirrored = Object.entries(all).map(([name, stream]) => ({
    name,
    match: { path: { prefix: `/${name}/` } },
    primary: 'v1',
    mirrors: [{ to: nats.stream(`umbra.${name}`), stream }],
  }));
  return plain({ v1: urlOf(v1) }, mirrored);
}

async function startOrigin(t: Test): Promise<Origin> {
  const origin = await Origin.listen();
  t.teardown(() => origin.close());
  return origin;
}

/** Asks a route `count` times, until all of it is in its stream. */
async function ask(route: string, count: number, mark = 'r'): Promise<void> {
  await askMany(umbra.port, count, 8, (i) => ({ target: `/${route}/${mark}/${i}` }));
  await umbra.atRest();
}

function urlOf(origin: Origin): string {
  return `http://127.0.0.1:${origin.port}`;
}

function byReason(counts: readonly number[], reasons: readonly string[]): string {
  return listed(Object.fromEntries(reasons.map((reason, i) => [reason, counts[i]])));
}

function messagesLeft(route: string): Promise<number> {
  return nats.with(async ({ streams }) => (await streams.info(`umbra-${route}`)).state.messages);
}

async function fleet(bucket: string): Promise<Figures> {
  const place = { nats: nats.place, bucket, instance: null };
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
    const v2 = await startOrigin(t);
    v2.answer = (received, response) => {
      if (received.target === '/digest/r/7') response.statusCode = 500;
      response.end('ok\n');
    };
    const shadow = await ShadowProcess.start(
      nats.stream('umbra.digest'),
      urlOf(v2),
      ...['--name', 'away', '--max-diff', '50%'],
    );
    await ask('digest', 200);
    await v2.untilReceived(200);
    t.strictSame(
      v2.received.map(({ target }) => target).sort(),
      v1.received
        .map(({ target }) => target)
        .filter((target) => target.startsWith('/digest/'))
        .sort(),
    );
    t.ok(v2.received.every((one) => fieldOf(one, 'x-umbra-mirror') === '1' && fieldOf(one, 'host') !== null));
    const seen = await until(async () => {
      const figures = await fleet('umbra').catch(() => null);
      return figures !== null && figures.reading.mirrors[0]?.counts.completed === 200 ? figures : null;
    }, 'the fleet reports all');
    t.match(
      seen.members?.map(({ name }) => name),
      ['away'],
    );
    const [mirror] = seen.reading.mirrors;
    t.match(mirror, {
      route: 'umbra.digest',
      to: 'shadow',
      counts: { paired: 200, equal: 199, statusDifferent: 1 },
    });
    t.ok(mirror.counts.deltaSlower.count + mirror.counts.deltaFaster.count === 200, 'latencies are paired');
    const verdict = await runHere(
      'verdict',
      '--fleet',
      nats.fleet('umbra'),
      '--min-samples',
      '100',
      '--max-diff',
      '50%',
    );
    t.match(verdict.out, /shadow/);
    t.equal(await messagesLeft('digest'), 0, 'what is done is out of the stream');
    t.equal(await shadow.stop(), 0, shadow.err);
    t.match(shadow.out, /took 200 deliveries of nats:\/\/127.0.0.1:\d+\/umbra.digest/);
    t.match(shadow.out, /shadow against the primary/);
    t.match((await fleet('umbra')).members?.[0], { name: 'away', left: true });
  },
);

t.test('SIGTERM finishes what is under way and leaves the rest to others', skip, async (t) => {
  await ask('held', 60);
  const from = nats.stream('umbra.held');
  const v2 = await startOrigin(t);
  const held: (() => void)[] = [];
  v2.answer = (_received, response) => void held.push(() => response.end('late'));
  const words = ['--no-fleet', '--in-flight', '10', '--connections', '20', '--ack-wait', '20s'];
  const first = await ShadowProcess.start(from, urlOf(v2), ...words);
  await v2.untilReceived(10);
  first.signal('SIGTERM');
  await first.says(/nothing more is taken; 10 requests are under way/);
  for (const answer of held.splice(0)) answer();
  t.equal(await first.ended, 0, first.err);
  t.equal(v2.received.length, 10, 'never more than it may');
  t.match(first.out, /took 10 deliveries .*; 10 were answered/);
  t.equal(await messagesLeft('held'), 50);
  v2.answer = (_received, response) => response.end('ok');
  const second = ShadowProcess.spawn(from, urlOf(v2), ...words, '--until-empty');
  t.equal(await second.ended, 0, second.err);
  t.strictSame([v2.received.length, new Set(v2.received.map(({ target }) => target)).size], [60, 60]);
});

t.test('a group shares the messages, and those of one that dies go to the others', skip, async (t) => {
  await ask('group', 20, 'first');
  const from = nats.stream('umbra.group');
  const v2 = await startOrigin(t);
  const stuck = await startOrigin(t);
  stuck.answer = () => {};
  const words = ['--no-fleet', '--timeout', '1s', '--ack-wait', '1500ms', '--in-flight', '20'];
  const dying = await ShadowProcess.start(from, urlOf(stuck), ...words);
  await stuck.untilReceived(20);
  dying.signal('SIGKILL');
  await dying.ended;
  const others = await Promise.all([1, 2].map(() => ShadowProcess.start(from, urlOf(v2), ...words)));
  await ask('group', 180);
  const reached = () => new Set(v2.received.map(({ target }) => target)).size;
  await until(() => reached() === 200, 'each request reaches v2');
  await until(async () => (await messagesLeft('group')) === 0, 'all is acknowledged');
  for (const other of others) t.equal(await other.stop(), 0, other.err);
  for (const { out } of others) t.match(out, /took [1-9]\d* deliveries/, 'both had some');
});

t.test('what can not be delivered goes back, and is given up in the end, counted', skip, async (t) => {
  await ask('lonely', 2);
  await nats.with(async (_manager, connection) => {
    connection.publish('umbra.lonely', 'no request');
    await connection.flush();
  });
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const shadow = ShadowProcess.spawn(
    nats.stream('umbra.lonely'),
    nobody,
    ...['--fleet', nats.fleet('lonely')],
    ...['--deliveries', '2', '--until-empty', '--in-flight', '4', '--ack-wait', '20s', '--name', 'lonely'],
  );
  t.equal(await shadow.ended, 0, shadow.err);
  t.match(shadow.err, /message 3 is given up: not a request that can be sent/);
  const { reading } = await fleet('lonely');
  const { counts } = reading.mirrors[0];
  t.strictSame(
    [counts.eligible, byReason(counts.dropped, dropReasons), byReason(counts.failed, failureReasons)],
    [5, '2 requeued, 1 unreadable', '2 connect'],
    'each of 2 twice, and one that is not a request',
  );
  t.equal(counts.eligible, counts.sent + total(counts.dropped));
  t.equal(await messagesLeft('lonely'), 0);
});

t.test('a version of a configuration is a target by its name', skip, async (t) => {
  await ask('named', 5);
  const [from, stream] = [nats.stream('umbra.named'), 'umbra-named'];
  const v2 = await startOrigin(t);
  const file = new ConfigFile(reviews(1, v2.port));
  t.teardown(() => file.remove());
  const words = ['-c', file.path, '--until-empty', '--no-fleet'];
  const shadow = ShadowProcess.spawn(from, 'v2', ...words);
  t.equal(await shadow.ended, 0, shadow.err);
  t.match(shadow.out, /umbra shadow ready stream=umbra-named group=v2 to=v2 pid=/);
  t.equal(v2.received.length, 5);
  const unknown = ShadowProcess.spawn(from, 'v3', ...words);
  t.equal(await unknown.ended, 1);
  t.match(unknown.err, /umbra.yaml has no version v3; versions: v1, v2/);
  // A work queue has one group for a subject; those of its other subjects are not to be shared.
  await nats.with(async ({ streams, consumers }) => {
    const { config } = await streams.info(stream);
    await streams.update(stream, { ...config, subjects: ['umbra.named', 'umbra.else'] });
    const ofElse = { durable_name: 'else', ack_policy: AckPolicy.Explicit, filter_subject: 'umbra.else' };
    await consumers.add(stream, ofElse);
  });
  const other = ShadowProcess.spawn(from, urlOf(v2), '--group', 'other', '--until-empty', '--no-fleet');
  t.equal(await other.ended, 1);
  t.match(
    other.err,
    /umbra-named is a work queue, and the group v2 has its messages: --group v2 shares them/,
  );
});

t.test('wrong words are refused with what is right', async (t) => {
  const from = 'nats://127.0.0.1:4222/umbra.reviews';
  const printed = async (...words: string[]) => {
    const { code, err } = await runHere('shadow', ...words);
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
    const v2 = await startOrigin(t);
    const shadow = ShadowProcess.spawn(nats.stream('umbra.later'), urlOf(v2), '--no-fleet');
    await shadow.says(/there is no stream for umbra.later yet; it is tried again/);
    t.match(await umbra.admin('PUT', '/api/config', configOf({ ...routes, later: {} })), { status: 200 });
    await ask('later', 10);
    await v2.untilReceived(10);
    t.equal(await shadow.stop(), 0, shadow.err);
    const alone = ShadowProcess.spawn(`nats://127.0.0.1:${await freePort()}/a`, urlOf(v2), '--no-fleet');
    await alone.says(/cannot reach NATS at 127.0.0.1:\d+: ECONNREFUSED; it is tried again/);
    t.equal(await alone.stop(), 0);
  },
);

t.test('a time that is over before NATS was ever reached is a failure, and says why', async (t) => {
  const from = `nats://127.0.0.1:${await freePort()}/a`;
  const { code, out, err } = await runHere(
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
    const result = await streamSoak({ requests: 1600, log: (line) => t.comment(line) });
    t.strictSame(streamVerdict(result), [], JSON.stringify(result.mirrors));
  },
);

t.test(
  'metrics are served, JSON has standard output to itself, and rules of a configuration hold',
  skip,
  async (t) => {
    const v2 = await startOrigin(t);
    v2.answer = priced(100.4);
    await ask('response', 20);
    const config = new ConfigFile(
      reviews(v1.port, v2.port, { mirror: { compare: { rules: [{ path: '$.price', tolerance: '1%' }] } } }),
    );
    t.teardown(() => config.remove());
    const shadow = ShadowProcess.spawn(
      nats.stream('umbra.response'),
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
  const words = ['--from', nats.stream('umbra.a'), '--to', 'http://127.0.0.1:1', '--metrics', '0.0.0.0:0'];
  const { code, err } = await runHere('shadow', ...words);
  t.equal(code, 1);
  t.match(err, /needs a token where other machines can reach it/);
});

t.test('all copies are accounted for', { skip: noNats }, (t) => lawHolds(t, umbra));
