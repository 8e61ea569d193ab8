import fc from 'fast-check';
import { Drop, dropReasons, Failure, failureReasons } from '../../../core/errors.js';
import {
  accountingGap,
  settleDeadProxy,
  settleDeadShadow,
  settleDeadVersion,
} from '../../../core/record/law.js';
import { MirrorCounters, MirrorField } from '../../../core/record/mirror-counters.js';
import { readMirror, readVersion, total } from '../../../core/record/snapshot.js';
import { VersionCounters, VersionField } from '../../../core/record/version-counters.js';
import t from '../../support/tap.js';

const PROXIES = 2;
const SHADOWS = 2;

/**
 * Threads that do whatever they can do next, in any order, and die at any moment. Beside the counters it
 * keeps the truth: how many requests stand at each place.
 */
class House {
  readonly proxies = Array.from({ length: PROXIES }, () => new MirrorCounters(MirrorCounters.create()));
  readonly shadows = Array.from({ length: SHADOWS }, () => new MirrorCounters(MirrorCounters.create()));
  readonly chosen = [0, 0];
  readonly inRing = [0, 0];
  readonly received = [0, 0];
  readonly open = [0, 0];

  choose(i: number): void {
    this.proxies[i].eligible();
    this.chosen[i]++;
  }

  dropAtProxy(i: number, reason: Drop): void {
    if (take(this.chosen, i)) this.proxies[i].dropped(reason);
  }

  offer(i: number, shadow: number): void {
    if (!take(this.chosen, i)) return;
    this.proxies[i].offered();
    this.inRing[shadow]++;
  }

  receive(i: number): void {
    if (!take(this.inRing, i)) return;
    this.shadows[i].received();
    this.received[i]++;
  }

  dropAtShadow(i: number, reason: Drop): void {
    if (take(this.received, i)) this.shadows[i].dropped(reason);
  }

  send(i: number): void {
    if (!take(this.received, i)) return;
    this.shadows[i].sent();
    this.open[i]++;
  }

  complete(i: number): void {
    if (take(this.open, i)) this.shadows[i].completed();
  }

  fail(i: number, reason: Failure): void {
    if (take(this.open, i)) this.shadows[i].failed(reason);
  }

  killProxy(i: number): void {
    settleDeadProxy(this.proxies[i]);
    this.chosen[i] = 0;
  }

  killShadow(i: number): void {
    settleDeadShadow(this.shadows[i]);
    this.received[i] = 0;
    this.open[i] = 0;
  }

  /** The successors of dead shadow threads read on where the dead ones stopped, and drop what they find. */
  emptyRings(): void {
    for (let i = 0; i < SHADOWS; i++) {
      while (this.inRing[i] > 0) this.receive(i);
      while (this.received[i] > 0) this.dropAtShadow(i, Drop.DRAINING);
    }
  }

  read() {
    return readMirror([...this.proxies, ...this.shadows]);
  }
}

function take(places: number[], i: number): boolean {
  if (places[i] === 0) return false;
  places[i]--;
  return true;
}

const proxy = fc.nat(PROXIES - 1);
const shadow = fc.nat(SHADOWS - 1);
const drop = fc.constantFrom(...Object.values(Drop));
const failure = fc.constantFrom(...Object.values(Failure));
type Step = (house: House) => void;
const living: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: proxy.map(
      (i): Step =>
        (house) =>
          house.choose(i),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(proxy, drop).map(
      ([i, r]): Step =>
        (house) =>
          house.dropAtProxy(i, r),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(proxy, shadow).map(
      ([i, s]): Step =>
        (house) =>
          house.offer(i, s),
    ),
  },
  {
    weight: 4,
    arbitrary: shadow.map(
      (i): Step =>
        (house) =>
          house.receive(i),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(shadow, drop).map(
      ([i, r]): Step =>
        (house) =>
          house.dropAtShadow(i, r),
    ),
  },
  {
    weight: 4,
    arbitrary: shadow.map(
      (i): Step =>
        (house) =>
          house.send(i),
    ),
  },
  {
    weight: 2,
    arbitrary: shadow.map(
      (i): Step =>
        (house) =>
          house.complete(i),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(shadow, failure).map(
      ([i, r]): Step =>
        (house) =>
          house.fail(i, r),
    ),
  },
);
const dying: fc.Arbitrary<Step> = fc.oneof(
  proxy.map(
    (i): Step =>
      (house) =>
        house.killProxy(i),
  ),
  shadow.map(
    (i): Step =>
      (house) =>
        house.killShadow(i),
  ),
);
const steps = fc.array(fc.oneof({ weight: 12, arbitrary: living }, { weight: 1, arbitrary: dying }), {
  maxLength: 200,
});

t.test(
  'at every moment the gap is what waits between choice and sending, whatever threads do and die',
  async () => {
    fc.assert(
      fc.property(steps, (run) => {
        const house = new House();
        for (const step of run) {
          step(house);
          const gap = accountingGap(house.read());
          const waiting = total(house.chosen) + total(house.inRing) + total(house.received);
          if (gap.unsent !== waiting || gap.unfinished !== 0) return false;
          if (house.read().inFlight !== total(house.open)) return false;
        }
        return true;
      }),
    );
  },
);

t.test('when every thread has died in the middle of its work, both sums hold exactly', async (t) => {
  fc.assert(
    fc.property(steps, (run) => {
      const house = new House();
      for (const step of run) step(house);
      for (let i = 0; i < PROXIES; i++) house.killProxy(i);
      for (let i = 0; i < SHADOWS; i++) house.killShadow(i);
      house.emptyRings();
      const mirror = house.read();
      return (
        mirror.eligible === mirror.sent + total(mirror.dropped) &&
        mirror.sent === mirror.completed + total(mirror.failed) &&
        mirror.inFlight === 0 &&
        mirror.offered === mirror.received &&
        mirror.dropped.every((count) => count >= 0) &&
        mirror.failed.every((count) => count >= 0)
      );
    }),
  );
  t.pass('for every example');
});

t.test('settling counters twice changes nothing', async (t) => {
  const house = new House();
  house.choose(0);
  house.choose(0);
  house.offer(0, 0);
  house.receive(0);
  house.send(0);
  house.killProxy(0);
  house.killShadow(0);
  const once = house.read();
  house.killProxy(0);
  house.killShadow(0);
  t.strictSame(house.read(), once);
  t.equal(once.dropped[dropReasons.indexOf('thread-ended')], 1);
  t.equal(once.failed[failureReasons.indexOf('thread-ended')], 1);
});

t.test('a request that nobody accounts for shows as a gap', async (t) => {
  const counters = new MirrorCounters(MirrorCounters.create());
  counters.eligible();
  t.strictSame(accountingGap(readMirror([counters])), { unsent: 1, unfinished: 0 });
});

t.test('a thread ended between the two stores of a send is settled exactly', async (t) => {
  const shared = MirrorCounters.create();
  const counters = new MirrorCounters(shared);
  counters.received();
  counters.sent();
  const words = new Float64Array(shared);
  // The gauge is the only word of the block that the second store touches: the one that `failInFlight`
  // empties.
  const before = words.slice(0, 64);
  counters.failInFlight(Failure.RESET);
  const gauge = before.findIndex((value, i) => value === 1 && words[i] === 0);
  const cut = MirrorCounters.create();
  new Float64Array(cut).set(before);
  new Float64Array(cut)[gauge] = 0;
  const again = new MirrorCounters(cut);
  settleDeadShadow(again);
  t.equal(again.wordAt(MirrorField.failed + Failure.THREAD_ENDED), 1);
  t.equal(again.get(MirrorField.inFlight), 0);
});

t.test(
  'requests that a dead thread had begun with a version are failed, and its connections are gone',
  async (t) => {
    const counters = new VersionCounters(VersionCounters.create());
    for (let i = 0; i < 5; i++) counters.requestStarted();
    counters.response(200);
    counters.response(999);
    counters.failure(Failure.TIMEOUT);
    counters.add(VersionField.connectionsOpen, 3);
    counters.add(VersionField.connectionsIdle, 1);
    settleDeadVersion(counters);
    const version = readVersion([counters]);
    t.equal(version.failures[Failure.THREAD_ENDED], 2);
    t.equal(version.requests, 2 + total(version.failures));
    t.strictSame([version.connectionsOpen, version.connectionsIdle], [0, 0]);
  },
);
