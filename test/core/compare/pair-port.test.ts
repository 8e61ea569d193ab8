import fc from 'fast-check';
import { CaptureBudget, PairCapture } from '../../../core/compare/capture.js';
import { type Pair, PairFrames, PairPort } from '../../../core/compare/pair-port.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing } from '../../../core/ring/layout.js';
import { RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';
import t from '../../support/tap.js';

const ringBytes = 64 * 1024;
const bodyMax = 16 * 1024;

function ends() {
  const ring = createRing(ringBytes);
  const port = new PairPort(new RingWriter(ring, new Doorbell(createDoorbell())), () => {});
  const pairs: Pair[] = [];
  const reader = new RingReader(ring);
  const frames = new PairFrames((pair) => pairs.push(pair));
  return {
    ring,
    port,
    pairs,
    drain: (framesMax = 1000) => reader.drain(frames, framesMax),
  };
}

function captured(primary: Buffer[], shadow: Buffer[], budget = new CaptureBudget(ringBytes)): PairCapture {
  const pair = new PairCapture(budget, bodyMax, 'id-1', 'GET', '/a?b');
  pair.primaryHead(Buffer.from('200 OK\r\nx-a: 1'));
  for (const piece of primary) pair.primaryBody(piece);
  for (const piece of shadow) pair.shadowBody(piece);
  pair.primary.status = 200;
  pair.shadow.status = 503;
  return pair;
}

t.test('any pair arrives as it was, in pieces of any size', async () => {
  const { port, pairs, drain } = ends();
  const pieces = fc.array(
    fc.uint8Array({ maxLength: 9000 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(pieces, pieces, fc.boolean(), (primary, shadow, truncated) => {
      const capture = captured(primary, shadow);
      capture.primary.truncated = truncated;
      if (!port.offer(3, 7, capture)) return false;
      port.flush();
      drain();
      const pair = pairs.pop()!;
      return (
        pairs.length === 0 &&
        pair.slot === 3 &&
        pair.generation === 7 &&
        pair.id === 'id-1' &&
        pair.target === '/a?b' &&
        pair.primary.status === 200 &&
        pair.shadow.status === 503 &&
        pair.primary.truncated === truncated &&
        Buffer.from(pair.primary.head).toString() === '200 OK\r\nx-a: 1' &&
        Buffer.concat(primary).equals(pair.primary.body) &&
        Buffer.concat(shadow).subarray(0, bodyMax).equals(pair.shadow.body)
      );
    }),
  );
});

t.test('a ring without room takes nothing, and takes again when it was read', async (t) => {
  const { port, pairs, drain } = ends();
  const large = () => captured([Buffer.alloc(8000, 'a')], [Buffer.alloc(8000, 'b')]);
  let taken = 0;
  while (port.offer(0, 1, large())) taken++;
  t.ok(taken > 0);
  t.notOk(port.offer(0, 1, large()));
  port.flush();
  drain();
  t.equal(pairs.length, taken);
  t.ok(pairs.every(({ shadow }) => Buffer.from(shadow.body).equals(Buffer.alloc(8000, 'b'))));
  t.ok(port.offer(0, 1, large()));
});

t.test('a reader that takes over in the middle of a pair passes over the rest of it', async (t) => {
  const { ring, port, drain } = ends();
  port.offer(0, 1, captured([Buffer.alloc(9000, 'a')], [Buffer.alloc(9000, 'b')]));
  port.offer(5, 1, captured([Buffer.from('next')], []));
  port.flush();
  t.equal(drain(1), 1);
  const pairs: Pair[] = [];
  new RingReader(ring).drain(new PairFrames((pair) => pairs.push(pair)), 1000);
  t.match(pairs, [{ slot: 5 }]);
});

t.test('captures share a bound, and one that finds no room gives back what it held', async (t) => {
  const budget = new CaptureBudget(1000);
  const first = captured([Buffer.alloc(600)], [], budget);
  t.notOk(first.lost);
  const second = captured([Buffer.alloc(300)], [Buffer.alloc(300)], budget);
  t.ok(second.lost);
  first.release();
  t.equal(budget.bytes, 0);
  t.notOk(captured([Buffer.alloc(600)], [], budget).lost);
});

t.test('a body is captured up to its bound, and given to be longer', async (t) => {
  const pair = captured([], [Buffer.alloc(bodyMax), Buffer.alloc(1)]);
  t.match(pair.shadow, { bodyBytes: bodyMax, truncated: true });
  t.match(captured([], [Buffer.alloc(bodyMax)]).shadow, { truncated: false });
});
