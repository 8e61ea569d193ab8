import fc from 'fast-check';
import { Drop } from '../../../core/errors.js';
import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { HIGHEST_US } from '../../../core/record/hdr-layout.js';
import { Histogram } from '../../../core/record/histogram.js';
import { MirrorCounters } from '../../../core/record/mirror-counters.js';
import { ThreadCounters } from '../../../core/record/thread-counters.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import { coarse, live } from '../../../core/report/live.js';
import { openObserved } from '../../../core/report/observed.js';
import { read } from '../../../core/report/reading.js';
import t from '../../support/tap.js';
import { plan, STARTED_US, sample } from './sample.js';

const BEGIN_US = STARTED_US + 1_000_000;
const END_US = BEGIN_US + 2_000_000;

t.test('rates are what happened between the readings, per second', (t) => {
  const { blocks, observed } = sample();
  const earlier = read(observed, BEGIN_US);
  const v1 = new VersionCounters(blocks.versions[0].blocks[0]);
  for (let i = 0; i < 10; i++) v1.requestStarted();
  for (let i = 0; i < 6; i++) v1.response(200);
  v1.response(404);
  v1.response(500);
  v1.latency.record(700);
  const mirror = new MirrorCounters(blocks.mirrors[0].blocks[0]);
  for (let i = 0; i < 3; i++) mirror.eligible();
  mirror.dropped(Drop.RATE, 2);
  const later = read(observed, END_US);
  const point = live(earlier, later, plan, 1234);
  t.match(point, { atMs: 1234, seconds: 2 });
  t.match(point.versions[0], {
    name: 'v1',
    role: 'primary',
    rate: 5,
    ended: 4,
    errors: 0.5,
    inFlight: 2,
    connections: { busy: 2, idle: 2 },
    latencyUs: { count: 1, p50: 700, p99: 700 },
  });
  t.match(point.mirrors[0], { route: 'reviews', to: 'v2', primary: 'v1', eligible: 1.5, inFlight: 1 });
  t.strictSame(point.mirrors[0].dropped, { rate: 1 }, 'reasons at rest are left out');
  t.strictSame(
    point.mirrors[1].primary,
    null,
    'a mirror that has left the configuration compares with nothing',
  );
  t.strictSame(point.rings, [{ name: 'proxy-0/shadow-0', usedBytes: 4096, capacityBytes: 1 << 20 }]);
  t.end();
});

t.test('what the earlier reading does not know began at 0', (t) => {
  const { blocks, observed } = sample();
  const before = openObserved({ ...blocks, versions: [], mirrors: [] }, () => 0);
  const point = live(read(before, BEGIN_US), read(observed, END_US), plan, 0);
  t.equal(point.versions[0].rate, 50);
  t.equal(point.mirrors[0].eligible, 2);
  t.end();
});

t.test('threads report how busy and how late they are', (t) => {
  const { blocks, observed } = sample();
  new ThreadCounters(blocks.threads[2].block).setPulse(0.25, 0.0015);
  const point = live(read(observed, BEGIN_US), read(observed, END_US), plan, 0);
  t.match(point.threads[2], { name: 'shadow-0', kind: 'shadow', busy: 0.25, loopDelayUs: 1500, restarts: 2 });
  t.end();
});

t.test('coarse steps keep every count and are 3 % wide at most', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: HIGHEST_US }), { maxLength: 50 }), (values) => {
      const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
      for (const value of values) counts.record(value);
      const pairs = coarse(Histogram.read([counts]));
      const tops = pairs.filter((_, i) => i % 2 === 0);
      const sorted = values.toSorted((a, b) => a - b);
      let seen = 0;
      for (let i = 0; i < pairs.length; i += 2) {
        for (const end = seen + pairs[i + 1]; seen < end; seen++) {
          const value = sorted[seen];
          if (!(value <= pairs[i] && pairs[i] <= value * (1 + 1 / 32) + 1)) return false;
        }
      }
      return seen === values.length && tops.every((top, i) => i === 0 || top > tops[i - 1]);
    }),
  );
  t.end();
});

t.test(
  'a mirror is shown beside the other primaries that answer, or, when its shadow answers all, beside those that did',
  async (t) => {
    const { observed } = sample();
    const [route] = plan.routes;
    const of = (weights: readonly number[]) => {
      const primaries = weights.map((weight, version) => ({ version, weight, headers: null }));
      const versions = [...plan.versions, { ...plan.versions[0], name: 'v3' }];
      const weighted = { ...plan, versions, routes: [{ ...route, primaries }] };
      const reading = read({ ...observed, plan: weighted }, END_US);
      t.equal(
        reading.mirrors[0].primary,
        live(reading, { ...reading, uptimeS: reading.uptimeS + 1 }, weighted, 0).mirrors[0].primary,
      );
      return reading.mirrors[0].primaries;
    };
    t.strictSame(of([99, 1, 0]), ['v1']);
    t.strictSame(of([98, 1, 1]), ['v1', 'v3']);
    t.strictSame(of([0, 1, 0]), ['v1', 'v3']);
  },
);
