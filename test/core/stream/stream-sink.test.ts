import fc from 'fast-check';
import { Drop, Failure, none } from '../../../core/errors.js';
import { Framing } from '../../../core/http/message.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import type { StreamLinkEvents } from '../../../core/stream/stream-link.js';
import { StreamSink } from '../../../core/stream/stream-sink.js';
import { copyOf } from '../../support/copies.js';
import t, { type Test } from '../../support/tap.js';
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

t.test('every copy is settled once, whatever the server says and however often it goes', async (t) => {
  const step = fc.constantFrom('put', 'stored', 'full', 'refused', 'again', 'lost', 'turn', 'room');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat()), { maxLength: 120 }), async (steps) => {
      const one = rig(t, { outstandingMax: 8 });
      let put = 0;
      let answered = 0;
      let isReady = true;
      for (const [what, nat] of steps) {
        const tokens = [...new Set(one.published)];
        const token = tokens[nat % Math.max(1, tokens.length)] ?? 'none';
        if (what === 'put' && one.sink.refuses() === none) {
          one.put(1);
          put++;
        } else if (what === 'lost' && isReady) {
          isReady = false;
          one.events.onDown('lost');
        } else if (what === 'again' && !isReady) {
          isReady = true;
          one.events.onReady();
        } else if (what === 'room') one.events.onRoom(nat);
        else if (what === 'turn') await new Promise(setImmediate);
        else if (isReady && (what === 'stored' || what === 'full' || what === 'refused')) {
          const before = one.settled.length;
          one.events.onAnswer(token, what, 'why');
          answered += one.settled.length - before;
          // An answer to what was settled before changes nothing.
          one.events.onAnswer(token, what, 'why');
          t.equal(one.settled.length, answered);
        }
        t.ok(put - one.settled.length <= 8, 'no more wait than may');
        one.nowUs += seconds / 10;
      }
      if (!isReady) one.events.onReady();
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
      for (const token of new Set(one.published)) one.events.onAnswer(token, 'stored', '');
      t.equal(one.settled.length, put);
      const firsts = [...new Set(one.published)].map((token) => Number.parseInt(token, 36));
      t.strictSame(
        firsts,
        [...firsts].sort((a, b) => a - b),
        'published in the order in which they were put',
      );
    }),
    { numRuns: 60 },
  );
});

t.test('what a lost connection may have taken along is published again under its name', async (t) => {
  const one = rig(t);
  one.put(3);
  await until(() => one.published.length === 3, 'they are published');
  one.events.onDown('lost');
  one.put(1);
  await new Promise(setImmediate);
  t.equal(one.published.length, 3, 'nothing is published to nobody');
  one.events.onReady();
  await until(() => one.published.length === 7, 'all are published');
  t.strictSame(one.published.slice(3, 6), one.published.slice(0, 3));
  one.answer('stored');
  t.strictSame(one.settled, [none, none, none, none]);
});

t.test('a message that is larger than the server takes is not put', async (t) => {
  const one = rig(t);
  const body = Buffer.alloc(2000);
  const large = copyOf({ framing: Framing.LENGTH, body: [body], bodyBytes: 2000, settled: () => t.fail() });
  t.equal(one.sink.put(large), Drop.MESSAGE_TOO_LARGE);
});
