import t, { type Test } from 'tap';
import { Drop, Failure, none } from '../../../core/errors.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import type { StreamLinkEvents } from '../../../core/stream/stream-link.js';
import { StreamSink } from '../../../core/stream/stream-sink.js';
import { copyOf } from '../../support/copies.js';
import { until } from '../../support/umbra.js';

const seconds = 1_000_000;

/** A sink whose server is the test, at a time that the test sets. */
function rig(t: Test, { outstandingMax = 100 } = {}) {
  let events!: StreamLinkEvents;
  const one = {
    nowUs: 3600 * seconds,
    /** Tokens, in the order in which they were published. */
    published: [] as string[],
    settled: [] as (Failure | typeof none)[],
    sink: undefined as unknown as StreamSink,
    get events() {
      return events;
    },
    put(count: number): void {
      for (let i = 0; i < count; i++) {
        const copy = copyOf({
          offeredUs: one.nowUs,
          target: '/',
          host: 'a',
          fields: '',
          settled: (failure) => void one.settled.push(failure),
        });
        t.equal(one.sink.put(copy), none);
      }
      one.sink.flush();
    },
    answer(answer: 'stored' | 'full'): void {
      for (const token of new Set(one.published)) events.onAnswer(token, answer, '');
    },
  };
  one.sink = new StreamSink({ outstandingMax, timeoutMs: 30_000 }, new Redactor(redactNothingMore), {
    clock: () => one.nowUs,
    wallClockMs: () => 0,
    name: 'test',
    open: (given) => {
      events = given;
      return {
        messageBytesMax: 1024,
        lag: 7,
        publish: (_id, token) => void one.published.push(token),
        close: async () => {},
      };
    },
    onTrouble: () => {},
    onReady: () => {},
  });
  events.onReady();
  t.teardown(async () => {
    one.sink.abort();
    await one.sink.close();
  });
  return one;
}

t.test(
  'a server that answers nothing is asked again with one message, and with all when it answers again',
  async (t) => {
    const one = rig(t);
    one.put(20);
    await until(() => one.published.length === 20, 'all are published');
    one.nowUs += 6 * seconds;
    await until(() => one.published.length > 20, 'one is published again');
    one.nowUs += 6 * seconds;
    await until(() => one.published.length > 21, 'and once more');
    t.strictSame(one.published.slice(20), [one.published[0], one.published[0]], 'the oldest alone');
    one.events.onAnswer(one.published[0], 'stored', '');
    await until(() => one.published.length === 22 + 19, 'the others are published again');
    one.answer('stored');
    t.strictSame(one.settled, new Array(20).fill(none));
  },
);

t.test('a full stream that says nothing any more is one that is down', async (t) => {
  const one = rig(t);
  one.put(1);
  await until(() => one.published.length === 1, 'it is published');
  one.answer('full');
  t.strictSame(one.settled, [Failure.STREAM_FULL]);
  t.equal(one.sink.refuses(), Drop.STREAM_FULL);
  one.nowUs += seconds;
  t.equal(one.sink.refuses(), none, 'one may try it');
  one.put(1);
  t.equal(one.sink.refuses(), Drop.STREAM_FULL, 'and one alone');
  one.nowUs += 2 * seconds;
  t.equal(one.sink.refuses(), Drop.STREAM_DOWN);
});

t.test('a full stream that has room again is up without a message', async (t) => {
  const one = rig(t);
  one.put(1);
  await until(() => one.published.length === 1, 'it is published');
  one.answer('full');
  t.equal(one.sink.trouble(), Drop.STREAM_FULL);
  one.events.onRoom(10);
  t.equal(one.sink.trouble(), Drop.STREAM_FULL, 'the message would not have fitted');
  one.events.onRoom(4096);
  t.equal(one.sink.trouble(), none);
  t.equal(one.sink.refuses(), none);
});
