import t from 'tap';
import { Framing } from '../../../core/http/message.js';
import type { RecordedExchange } from '../../../core/recording/reader.js';
import { type Pace, scheduled } from '../../../core/replay/pace.js';

function at(timeUs: number): RecordedExchange {
  const body = Buffer.alloc(0);
  const request = { method: 'GET', target: `/${timeUs}`, host: 'h', fields: '', framing: Framing.NONE };
  return {
    offset: 0,
    timeUs,
    route: '',
    order: '',
    request: { ...request, lengthZero: false, body, trailers: '' },
    response: null,
    primaryFailure: -1,
  };
}

const recording = [at(1000), at(2000), { offset: 7, reason: 'damaged' }, at(4000)];
const all = () => true;

/** The times of the first so many. */
function times(pace: Pace, loop: boolean, count: number, filter = all as (one: RecordedExchange) => boolean) {
  const found: number[] = [];
  for (const one of scheduled(() => recording, pace, loop, filter)) {
    if ('reason' in one) continue;
    found.push(one.afterUs);
    if (found.length === count) break;
  }
  return found;
}

t.test('requests are due as far apart as they were, or as many times closer', async (t) => {
  t.strictSame(times({ kind: 'recorded', speed: 1 }, false, 9), [0, 1000, 3000]);
  t.strictSame(times({ kind: 'recorded', speed: 10 }, false, 9), [0, 100, 300]);
  t.strictSame(times({ kind: 'rate', perSecond: 1000 }, false, 9), [0, 1000, 2000]);
  t.strictSame(times({ kind: 'max' }, false, 9), [-1, -1, -1]);
});

t.test('a loop follows the one before at the average distance of requests', async (t) => {
  t.strictSame(times({ kind: 'recorded', speed: 1 }, true, 7), [0, 1000, 3000, 4500, 5500, 7500, 9000]);
  t.strictSame(times({ kind: 'rate', perSecond: 1000 }, true, 5), [0, 1000, 2000, 3000, 4000]);
});

t.test('times count from the first request that passes, and what passes nothing ends', async (t) => {
  const later = ({ timeUs }: RecordedExchange) => timeUs > 1000;
  t.strictSame(times({ kind: 'recorded', speed: 1 }, false, 9, later), [0, 2000]);
  t.strictSame(
    times({ kind: 'recorded', speed: 1 }, true, 9, () => false),
    [],
  );
});

t.test('what was skipped is told in its place', async (t) => {
  const found = [...scheduled(() => recording, { kind: 'max' }, false, all)];
  t.strictSame(found[2], { offset: 7, reason: 'damaged' });
});
