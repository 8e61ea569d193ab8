/** The times of the messages of a gRPC call: kept while pieces pass, as text, and as what is sent when. */
import fc from 'fast-check';
import { framedMessage } from '../../../core/grpc/message-counter.js';
import { checkedTimes, MessageTimes, timedPieces } from '../../../core/grpc/message-times.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';

const bodyOf = (sizes: readonly number[]) =>
  Buffer.concat(sizes.map((size) => framedMessage(Buffer.alloc(size))));

t.test('a message has the time of its last byte, wherever pieces are cut', async (t) => {
  const calls = fc.record({
    sizes: fc.array(fc.nat(300), { maxLength: 12 }),
    cuts: fc.array(fc.nat(4000), { maxLength: 12 }),
    gaps: fc.array(fc.nat(1e6), { minLength: 13, maxLength: 13 }),
  });
  fc.assert(
    fc.property(calls, ({ sizes, cuts, gaps }) => {
      const body = bodyOf(sizes);
      const ends = sizes.map((_, i) => bodyOf(sizes.slice(0, i + 1)).byteLength);
      const at = [...new Set(cuts.filter((cut) => cut < body.byteLength)), body.byteLength].sort(
        (a, b) => a - b,
      );
      const times = new MessageTimes();
      let [from, nowUs] = [0, 0];
      const arrivals = at.map((to, i) => {
        nowUs += gaps[i];
        times.take(body.subarray(from, to), nowUs);
        from = to;
        return { to, us: nowUs };
      });
      const text = times.end(nowUs + 5);
      t.equal(checkedTimes(text), text);
      const pieces = timedPieces(body, text, 1)!;
      t.strictSame(
        pieces.map(({ afterUs }) => afterUs),
        [...ends.map((end) => arrivals.find(({ to }) => to >= end)!.us), nowUs + 5],
      );
      t.ok(Buffer.concat(pieces.flatMap(({ message }) => message ?? [])).equals(body));
      t.equal(pieces.at(-1)!.message, null);
    }),
  );
});

t.test('a speed divides the times, and a clock that goes back moves nothing back', async (t) => {
  const times = new MessageTimes();
  times.take(bodyOf([1]), 1000);
  times.take(bodyOf([1]), 500);
  const text = times.end(3000);
  t.equal(text, '1000 0 2000');
  t.strictSame(
    timedPieces(bodyOf([1, 1]), text, 2)!.map(({ afterUs }) => afterUs),
    [500, 500, 1500],
  );
});

t.test('times are bounded, and messages without one come with the last known', async (t) => {
  const times = new MessageTimes();
  const count = limits.recordedMessageTimes + 100;
  for (let i = 0; i < count; i++) times.take(bodyOf([0]), i);
  const text = times.end(5000);
  t.equal(text.split(' ').length, limits.recordedMessageTimes + 1);
  const pieces = timedPieces(bodyOf(Array(count).fill(0)), checkedTimes(text), 1)!;
  t.equal(pieces.length, count + 1);
  t.equal(pieces[count - 1].afterUs, limits.recordedMessageTimes - 1);
  t.equal(pieces[count].afterUs, 5000);
});

t.test('what is no times is left out, and nothing is paced without whole messages', async (t) => {
  for (const given of [null, undefined, '', ' ', '1,2', '-1', '1  2', '1 2 ', '12345678901234', 'x']) {
    t.equal(checkedTimes(given), '', String(given));
  }
  t.equal(
    checkedTimes(
      Array(limits.recordedMessageTimes + 2)
        .fill('1')
        .join(' '),
    ),
    '',
  );
  t.equal(timedPieces(bodyOf([3]), '', 1), null);
  t.equal(timedPieces(bodyOf([3]).subarray(0, 7), '1 1', 1), null);
  t.equal(timedPieces(bodyOf([3]).subarray(0, 4), '1 1', 1), null);
  const far = '9999999999999';
  t.ok(timedPieces(bodyOf([3]), `${far} ${far}`, 1)![1].afterUs < 1e12, 'a damaged time ends');
});
