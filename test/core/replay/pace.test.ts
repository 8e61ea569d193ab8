import { Framing } from '../../../core/http/message.js';
import type { RecordedExchange } from '../../../core/recording/recorded.js';
import { type Pace, schedule } from '../../../core/replay/pace.js';
import t from '../../support/tap.js';

function at(timeUs: number): RecordedExchange {
  const body = Buffer.alloc(0);
  const request = { method: 'GET', target: `/${timeUs}`, host: 'h', fields: '', framing: Framing.NONE };
  return {
    timeUs,
    route: '',
    order: '',
    request: { ...request, lengthZero: false, body, trailers: '', grpc: false, messageTimes: '' },
    response: null,
    primaryFailure: -1,
  };
}

const recording = [at(1000), at(2000), at(4000)];

/** The times of the first so many. */
function times(pace: Pace, loop: boolean, count: number, exchanges = recording) {
  const found: number[] = [];
  for (const { afterUs } of schedule(() => exchanges, pace, loop)) {
    found.push(afterUs);
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

t.test('a recording without requests ends, also in a loop', async (t) => {
  t.strictSame(times({ kind: 'recorded', speed: 1 }, true, 9, []), []);
});
