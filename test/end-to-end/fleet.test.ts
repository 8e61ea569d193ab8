// Runs over one engine: NATS lies behind the engines.
import { gzipSync } from 'node:zlib';
import { Kvm } from '@nats-io/kv';
import { limits } from '../../core/limits.js';
import { decodeReading } from '../../core/report/raw-reading.js';
import type { Reading, VersionReading } from '../../core/report/reading.js';
import { type Figures, openFigures } from '../../workers/commands/figures.js';
import { askMany } from '../support/client.js';
import { runHere } from '../support/here.js';
import { NatsServer, noNats } from '../support/nats.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const skip = { skip: noNats };
const intervalMs = 100;

async function startNats(t: Test): Promise<NatsServer> {
  const nats = await NatsServer.start();
  t.teardown(() => nats.stop());
  return nats;
}

/** Instances of one configuration. */
async function startFleet(t: Test, nats: NatsServer, ...names: string[]): Promise<UmbraProcess[]> {
  const first = await Origin.listen();
  const second = await Origin.listen();
  t.teardown(() => Promise.all([first.close(), second.close()]));
  return Promise.all(
    names.map(async (name) => {
      const fleet = { nats: nats.fleet('umbra'), name, interval: `${intervalMs}ms` };
      const umbra = { fleet, threads: { proxy: 1, shadow: 1 } };
      const process = await UmbraProcess.start(
        reviews(first.port, second.port, { mirror: { inFlight: 4096 }, umbra }),
      );
      t.teardown(() => process.stop());
      return process;
    }),
  );
}

/** Looks until it is as wanted. */
async function lookUntil(nats: NatsServer, isIt: (figures: Figures) => boolean): Promise<Figures> {
  const source = await openFigures({
    admin: '',
    token: null,
    fleet: { nats: nats.place, bucket: 'umbra', instance: null },
  });
  try {
    return await until(async () => {
      const figures = await source.look(true).catch(() => null);
      return figures !== null && isIt(figures) ? figures : null;
    }, 'the fleet reports it');
  } finally {
    await source.close();
  }
}

async function readingOf(umbra: UmbraProcess): Promise<Reading> {
  return decodeReading((await umbra.admin('GET', '/api/histograms')).json);
}

/** By version, role and slot, without the sums that are under test. */
function slotsOf(...readings: Reading[]): Record<string, number> {
  const slots: Record<string, number> = {};
  for (const { versions } of readings) {
    for (const { name, role, counts } of versions) {
      for (const kind of ['latency', 'firstByte'] as const) {
        counts[kind].forEachSlot((_, count, slot) => {
          const key = `${name} ${role} ${kind} ${slot}`;
          slots[key] = (slots[key] ?? 0) + count;
        });
      }
    }
  }
  return slots;
}

function valuesOf(reading: Reading): number {
  return Object.values(slotsOf(reading)).reduce((a, b) => a + b, 0);
}

function requestsOf({ versions }: Reading, role: VersionReading['role']): number {
  return versions.filter((one) => one.role === role).reduce((sum, { counts }) => sum + counts.requests, 0);
}

t.test(
  'two instances merge to exactly the histograms of the union, bucket by bucket, and stay distinct',
  skip,
  async (t) => {
    const nats = await startNats(t);
    const [one, two] = await startFleet(t, nats, 'one', 'two');
    await Promise.all([
      askMany(one.port, 300, 4, () => ({ target: '/a' })),
      askMany(two.port, 200, 4, () => ({ target: '/b' })),
    ]);
    const stats = await Promise.all([one.atRest(), two.atRest()]);
    t.same(
      stats.map(({ fleet }) => [fleet.publishing?.name, fleet.publishing?.connected]),
      [
        ['one', true],
        ['two', true],
      ],
    );
    // Of every request and copy, with its answer: a snapshot may have been taken while some were under way.
    const { reading, members } = await lookUntil(
      nats,
      ({ reading }) => requestsOf(reading, 'primary') === 500 && valuesOf(reading) === 2000,
    );
    const apart = [await readingOf(one), await readingOf(two)];
    t.same(slotsOf(reading), slotsOf(...apart));
    t.equal(valuesOf(reading), 2000, 'four histograms of 500 values');
    for (const [i, version] of reading.versions.entries()) {
      const sums = apart.map(({ versions }) => versions[i].counts.latency.sumUs);
      t.equal(version.counts.latency.sumUs, sums[0] + sums[1]);
    }
    t.same([reading.mirrors[0].counts.eligible, reading.mirrors[0].counts.completed], [500, 500]);
    t.same(
      members?.map(({ name, reading }) => [name, requestsOf(reading, 'primary')]),
      [
        ['one', 300],
        ['two', 200],
      ],
    );

    const fleet = ['--fleet', nats.fleet('umbra')];
    const loose = [
      '--max-p99-delta',
      'off',
      '--max-shift',
      'off',
      '--max-error-delta',
      '5%',
      '--max-diff',
      '5%',
    ];
    const verdict = await runHere('verdict', ...fleet, '--min-samples', '400', ...loose);
    t.equal(verdict.code, 0, verdict.out + verdict.err);
    const alone = await runHere('verdict', ...fleet, '--instance', 'two', '--min-samples', '400', ...loose);
    t.equal(alone.code, 3, alone.out + alone.err);
    const nobody = await runHere('report', ...fleet, '--instance', 'three', '-o', '-');
    t.equal(nobody.code, 4);
    t.match(nobody.err, /there is no instance three; instances: one, two/);
    const report = await runHere('report', ...fleet, '-o', '-');
    t.equal(report.code, 0, report.err);
    t.match(report.out, /instance one running for [^;]*300 requests/);
    t.match(report.out, /v1 primary +500 /);
    t.equal(report.err, '', 'nobody is stale or otherwise configured');

    two.signal('SIGKILL');
    await two.ended;
    await one.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent: 25 });
    const left = await lookUntil(nats, ({ notes }) => notes.length >= 2);
    t.match(left.notes.join('\n'), /two was last heard .* ago; its counts until then are included/);
    t.match(left.notes.join('\n'), /runs another configuration \(generation \d\)/);
    t.equal(requestsOf(left.reading, 'primary'), 500, 'what the dead one counted is not lost');
    const top = await runToEnd('top', '--once', ...fleet);
    t.equal(top.code, 0, top.err);
    t.match(top.out, /^one .* serving/m);
    t.match(top.out, /^two .* stale/m);
  },
);

t.test(
  'without NATS, and while it is killed and comes back, clients are served and it is said once',
  skip,
  async (t) => {
    const nats = await startNats(t);
    await nats.kill();
    const [umbra] = await startFleet(t, nats, 'one');
    await umbra.logged(
      /no snapshots go to [^"]*cannot reach NATS[^"]*ECONNREFUSED; it is tried again for ever/,
    );
    await askMany(umbra.port, 50, 2, () => ({}));
    await nats.startAgain();
    await lookUntil(nats, ({ reading }) => requestsOf(reading, 'primary') === 50);
    await nats.kill();
    await umbra.logged(/the connection to NATS was (lost|closed)/);
    const answers = await askMany(umbra.port, 50, 2, () => ({}));
    t.ok(answers.every(({ status }) => status === 200));
    t.match(await umbra.metrics(), /^umbra_fleet_connected 0$/m);
    const skipped = async (): Promise<number> => (await umbra.stats()).fleet.publishing!.skipped;
    const before = await skipped();
    await until(async () => (await skipped()) > before + 2, 'snapshots are skipped and counted');
    t.equal(umbra.err.match(/no snapshots go to/g)?.length, 2, 'a line for each change of state');
    await nats.startAgain();
    await lookUntil(nats, ({ reading }) => requestsOf(reading, 'primary') === 100);
    t.equal(umbra.err.match(/"snapshots go to/g)?.length, 2);
    t.match(await umbra.metrics(), /^umbra_fleet_connected 1$/m);

    t.equal((await umbra.stop()).code, 0);
    const last = await lookUntil(nats, ({ members }) => members![0].left);
    t.match(last.notes[0], /^one left .* ago; its counts are included/);
  },
);

t.test('a server that hangs costs snapshots, which are counted, and no request', skip, async (t) => {
  const nats = await startNats(t);
  const [umbra] = await startFleet(t, nats, 'one');
  await lookUntil(nats, ({ members }) => members?.length === 1);
  nats.signal('SIGSTOP');
  const before = (await umbra.stats()).fleet.publishing!.skipped;
  await until(
    async () => (await umbra.stats()).fleet.publishing!.skipped > before + 3,
    'snapshots are skipped while one is under way',
  );
  const answers = await askMany(umbra.port, 100, 4, () => ({}));
  t.ok(answers.every(({ status }) => status === 200));
  nats.signal('SIGCONT');
  await lookUntil(nats, ({ reading }) => requestsOf(reading, 'primary') === 100);
});

t.test('what others wrote into the bucket is reported and left out', skip, async (t) => {
  const nats = await startNats(t);
  const [umbra] = await startFleet(t, nats, 'one');
  await lookUntil(nats, ({ members }) => members?.length === 1);
  const connection = await nats.connect();
  t.teardown(() => connection.close());
  const bucket = await new Kvm(connection).open('umbra');
  await bucket.put('foreign.1', 'not packed');
  await bucket.put('foreign.2', gzipSync('{"name":"x"}'));
  await bucket.put('foreign.3', gzipSync('\0'.repeat(limits.fleetSnapshotBytes + 1)));
  const { members, notes } = await lookUntil(nats, ({ notes }) => notes.length === 3);
  t.equal(members?.length, 1);
  t.match(notes.join('\n'), /foreign\.1 is left out: /);
  t.match(notes.join('\n'), /foreign\.2 is left out: this is not a snapshot of umbra/);
  t.match(notes.join('\n'), /foreign\.3 is left out: /);
  t.equal((await umbra.stop()).code, 0);
});

t.test('a name and a password are asked for and given, and are in no word of umbra', skip, async (t) => {
  const nats = await NatsServer.start('--user', 'me', '--pass', 'h1dden');
  t.teardown(() => nats.stop());
  const first = await Origin.listen();
  t.teardown(() => first.close());
  const address = nats.fleet('umbra').replace('//', '//me:h1dden@');
  const start = async (fleetAddress: string): Promise<UmbraProcess> => {
    const fleet = { nats: fleetAddress, name: 'one', interval: '100ms' };
    const umbra = await UmbraProcess.start(
      reviews(first.port, null, { umbra: { fleet, threads: { proxy: 1, shadow: 1 } } }),
    );
    t.teardown(() => umbra.stop());
    return umbra;
  };
  const right = await start(address);
  await right.logged(/snapshots go to/);
  const told = [right.err, (await right.admin('GET', '/api/config')).text, await right.metrics()];
  t.notMatch(told.join(''), /h1dden/);
  t.match(told[1], /"nats:\/\/\[redacted\]@127/);
  const wrong = await start(address.replace('h1dden', 'wr0ng'));
  await wrong.logged(/no snapshots go to [^"]*Authorization Violation/);
  t.notMatch(wrong.err, /wr0ng/);
  const report = await runHere('report', '-o', '-', '--fleet', address);
  t.equal(report.code, 0, report.err);
  t.notMatch(report.out, /h1dden/);
});

/** Words for node: a client of NATS that can't be loaded, in any thread. */
function withoutClient(): string[] {
  // The threads of the bundle require the client, which hooks of the module loader do not see.
  const hook = `import Module from 'node:module';
    const load = Module._load;
    Module._load = function (name, ...rest) {
      if (name.includes('@nats-io/')) throw new Error('the client was asked for');
      return load.call(this, name, ...rest);
    };`;
  return ['--import', `data:text/javascript;base64,${Buffer.from(hook).toString('base64')}`];
}

t.test('an umbra without an address on NATS never loads its client', async (t) => {
  const first = await Origin.listen();
  t.teardown(() => first.close());
  const umbra = { threads: { proxy: 1, shadow: 1 } };
  const plain = await UmbraProcess.start(reviews(first.port, null, { umbra }), withoutClient());
  t.teardown(() => plain.stop());
  t.equal((await askMany(plain.port, 1, 1, () => ({})))[0].status, 200);
  t.same((await plain.stats()).fleet, { publishing: null, plan: null });
  t.notMatch(plain.err, /the client was asked for/);
  const fleet = { nats: 'nats://127.0.0.1:1/umbra', name: 'one', interval: '100ms' };
  const other = await UmbraProcess.start(
    reviews(first.port, null, { umbra: { ...umbra, fleet } }),
    withoutClient(),
  );
  t.teardown(() => other.stop());
  await other.logged(/the client was asked for/);
});

t.test('a fleet that is not there, or where nobody publishes, is an error of one line', skip, async (t) => {
  const nats = await startNats(t);
  const empty = await runToEnd('top', '--once', '--fleet', nats.fleet('nobody'));
  t.equal(empty.code, 4);
  t.match(empty.err, /^umbra top: no instance publishes to nats:\/\/127\.0\.0\.1:\d+\/nobody\n$/);
  await nats.kill();
  const gone = await runHere('verdict', '--fleet', nats.fleet('nobody').replace('//', '//me:hidden@'));
  t.equal(gone.code, 4);
  t.match(gone.err, /^umbra verdict: cannot reach NATS at 127\.0\.0\.1:\d+: ECONNREFUSED\n$/);
  const wrong = await runToEnd('top', '--instance', 'one');
  t.equal(wrong.code, 2);
  t.match(wrong.err, /--instance needs --fleet/);
});
