import { type AlarmInput, alarmOf } from '../../../core/rollout/alarm.js';
import { noSide, type ReleaseCounts, type SideCounts } from '../../../core/rollout/release-counts.js';
import t from '../../support/tap.js';

const errorsMax = 0.1;
const none: ReleaseCounts = { old: noSide, fresh: noSide };

function side(ended: number, errors: number): SideCounts {
  return { ...noSide, ended, errors };
}

function alarm(fresh: SideCounts, old: SideCounts, more: Partial<AlarmInput> = {}): string | null {
  const about = { old: 'v1', fresh: 'v2', endpoints: 0, unhealthy: 0, isAlone: false, guard: null };
  return alarmOf({ ...about, look: none, second: none, seconds: { old, fresh }, ...more }, errorsMax);
}

/** The probability that at least `hits` of `of` requests fail, where each fails with `share`. */
function binomialTail(of: number, hits: number, share: number): number {
  let [term, sum] = [(1 - share) ** of, 0];
  for (let i = 0; i <= of; i++) {
    if (i >= hits) sum += term;
    term *= ((of - i) / (i + 1)) * (share / (1 - share));
  }
  return sum;
}

t.test('a share at the bound ends no rollout by chance, however few requests it is in', async (t) => {
  for (const ended of [20, 30, 52, 100, 300, 1000, 3000]) {
    const errors = Array.from({ length: ended + 1 }, (_, i) => i);
    const least = errors.find((one) => alarm(side(ended, one), side(5000, 5)) !== null)!;
    t.ok(binomialTail(ended, least, errorsMax) < 1e-6, `${least} of ${ended}`);
    t.ok(least > errorsMax * ended, `${least} of ${ended} are above the bound`);
  }
});

t.test('a burst of errors below the bound ends no rollout: 7 of 52 are no proof', async (t) => {
  t.equal(alarm(side(52, 7), side(950, 0)), null);
});

t.test('errors that are surely above the bound end it at once', async (t) => {
  t.match(alarm(side(20, 20), side(1000, 1)), /v2 failed 20 of 20 requests .*100 %, allowed 10 %.*v1 0.1 %/);
  t.match(alarm(side(50, 25), side(1000, 0)), /v2 failed 25 of 50/);
  t.match(alarm(side(1000, 160), side(1000, 0)), /v2 failed 160/);
  t.match(alarm(side(95, 95), side(5, 0)), /v2 failed 95 of 95/, 'although few requests go to v1');
});

t.test(
  'errors that the old version has too end nothing, however few of its requests show them',
  async (t) => {
    t.equal(alarm(side(1000, 900), side(1000, 800)), null);
    t.equal(alarm(side(990, 198), side(5, 0)), null, 'v1 may fail as much and show none of 5');
    t.equal(alarm(side(1000, 200), noSide), null, 'nothing is known of v1');
  },
);

t.test('where the new version answers everything, the bound alone counts', async (t) => {
  t.match(alarm(side(1000, 200), noSide, { isAlone: true }), /20 %, allowed 10 %\)$/);
  t.equal(alarm(side(1000, 110), noSide, { isAlone: true }), null);
});

t.test(
  'a version without a usable endpoint, and the guard of the route, end it without errors',
  async (t) => {
    const unreachable = { ...side(4, 4), unreachable: 3 };
    t.match(alarm(noSide, noSide, { endpoints: 2, unhealthy: 2 }), /no usable endpoint/);
    t.match(alarm(noSide, noSide, { look: { old: noSide, fresh: unreachable } }), /can not be reached/);
    t.equal(alarm(noSide, noSide, { guard: 'held' }), 'held');
    t.equal(alarm(noSide, noSide), null);
  },
);
