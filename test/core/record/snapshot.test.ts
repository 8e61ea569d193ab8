import { Drop, Failure } from '../../../core/errors.js';
import { Differs, MirrorCounters } from '../../../core/record/mirror-counters.js';
import {
  readMirror,
  readThread,
  readVersion,
  subtractMirror,
  subtractVersion,
} from '../../../core/record/snapshot.js';
import { ThreadCounters, ThreadField, threadTable } from '../../../core/record/thread-counters.js';
import { VersionCounters, VersionField } from '../../../core/record/version-counters.js';
import t from '../../support/tap.js';

t.test('a version adds up over threads', async (t) => {
  const counters = [
    new VersionCounters(VersionCounters.create()),
    new VersionCounters(VersionCounters.create()),
  ];
  counters.forEach((counters, i) => {
    counters.requestStarted();
    counters.response(200);
    counters.add(VersionField.retries);
    counters.add(VersionField.bytesSent, 10);
    counters.add(VersionField.bytesReceived, 100);
    counters.add(VersionField.connectionsOpen, 2);
    counters.add(VersionField.connectionsIdle, 1);
    counters.latency.record(1000 * (i + 1));
    counters.firstByte.record(500);
  });
  counters[1].failure(Failure.PROTOCOL);
  const version = readVersion(counters);
  t.match(version, {
    requests: 2,
    retries: 2,
    bytesSent: 20,
    bytesReceived: 200,
    connectionsOpen: 4,
    connectionsIdle: 2,
  });
  t.strictSame([...version.responses], [[200, 2]]);
  t.equal(version.failures[Failure.PROTOCOL], 1);
  t.equal(version.latency.meanUs, 1500);
  t.equal(version.firstByte.count, 2);
});

t.test('every code from 100 to 599 has its own counter, and all others share one', async (t) => {
  const counters = new VersionCounters(VersionCounters.create());
  for (let code = 100; code <= 599; code++) counters.response(code);
  for (const code of [0, 99, 600, 999]) counters.response(code);
  const version = readVersion([counters]);
  t.equal(version.responses.size, 500);
  t.ok([...version.responses.values()].every((count) => count === 1));
  t.equal(version.responsesOther, 4);
  t.equal(counters.finished, 504);
  t.equal(version.latency.count, 0, 'the latency block behind the codes is untouched');
});

t.test('reasons do not run into each other or into the codes', async (t) => {
  const version = new VersionCounters(VersionCounters.create());
  const mirror = new MirrorCounters(MirrorCounters.create());
  for (const reason of Object.values(Failure)) {
    version.failure(reason);
    mirror.sent();
    mirror.failed(reason);
  }
  for (const reason of Object.values(Drop)) mirror.dropped(reason);
  t.ok(readVersion([version]).failures.every((count) => count === 1));
  t.equal(readVersion([version]).responses.size, 0);
  t.ok(readMirror([mirror]).failed.every((count) => count === 1));
  t.ok(readMirror([mirror]).dropped.every((count) => count === 1));
  t.equal(readMirror([mirror]).inFlight, 0);
});

t.test('a pair counts as equal or different, and its delta by sign', async (t) => {
  const counters = new MirrorCounters(MirrorCounters.create());
  counters.paired(0);
  counters.paired(Differs.STATUS | Differs.SIZE);
  counters.paired(Differs.BODY);
  counters.recordDelta(-250);
  counters.recordDelta(0);
  counters.recordDelta(700);
  const mirror = readMirror([counters]);
  t.match(mirror, { paired: 3, equal: 1, different: 2, statusDifferent: 1 });
  t.equal(mirror.deltaFaster.maxUs, 250);
  t.strictSame([mirror.deltaSlower.minUs, mirror.deltaSlower.maxUs], [0, 700]);
});

t.test('an interval has the counters of the time between, and the gauges of its end', async (t) => {
  const version = new VersionCounters(VersionCounters.create());
  const mirror = new MirrorCounters(MirrorCounters.create());
  const work = () => {
    version.requestStarted();
    version.response(200);
    version.failure(Failure.TIMEOUT);
    version.add(VersionField.connectionsOpen, 1);
    version.latency.record(300);
    mirror.eligible();
    mirror.offered();
    mirror.received();
    mirror.sent();
    mirror.dropped(Drop.RATE);
    mirror.queue.record(50);
  };
  work();
  const versionBefore = readVersion([version]);
  const mirrorBefore = readMirror([mirror]);
  work();
  version.response(500);
  const versionBetween = subtractVersion(readVersion([version]), versionBefore);
  const mirrorBetween = subtractMirror(readMirror([mirror]), mirrorBefore);
  t.match(versionBetween, { requests: 1, connectionsOpen: 2 });
  t.strictSame(
    [...versionBetween.responses],
    [
      [200, 1],
      [500, 1],
    ],
  );
  t.equal(versionBetween.failures[Failure.TIMEOUT], 1);
  t.equal(versionBetween.latency.count, 1);
  t.match(mirrorBetween, { eligible: 1, offered: 1, received: 1, sent: 1, inFlight: 2 });
  t.equal(mirrorBetween.dropped[Drop.RATE], 1);
  t.equal(mirrorBetween.queue.count, 1);
});

t.test("a thread's gauges fall to zero when it dies", async (t) => {
  const counters = new ThreadCounters(ThreadCounters.create());
  counters.add(ThreadField.connections, 3);
  counters.add(ThreadField.connections, -1);
  counters.add(ThreadField.accepted);
  counters.set(ThreadField.refused, 9);
  t.equal(readThread(counters)[ThreadField.connections], 2);
  counters.resetGauges();
  const left = threadTable.rows.map(() => 0);
  left[ThreadField.accepted] = 1;
  left[ThreadField.refused] = 9;
  t.strictSame(readThread(counters), left);
});
