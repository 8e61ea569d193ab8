import fc from 'fast-check';
import { Drop, Failure } from '../../../core/errors.js';
import { Framing, RequestHead } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import { allExchanges, CopySource, FrameFlag, Numbers, Outcome } from '../../../core/mirror/codec.js';
import { accepted, MirrorPort } from '../../../core/mirror/port.js';
import { WaitingBudget } from '../../../core/mirror/waiting-frames.js';
import { MirrorCounters, MirrorField } from '../../../core/record/mirror-counters.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { FrameType } from '../../../core/ring/frame.js';
import { createRing } from '../../../core/ring/layout.js';
import { type FrameHandler, RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';
import t from '../../support/tap.js';

const ringBytes = 4096;
/** Longer than the test: what ends a wait is a bell. */
const LONG_MS = 60_000;

interface Seen {
  type: number;
  flags: number;
  id: number;
  bytes: string;
  status?: number;
}

function setUp(budget = new WaitingBudget()) {
  const ring = createRing(ringBytes);
  let flushes = 0;
  const doorbell = new Doorbell(createDoorbell());
  const count = (): void => {
    flushes++;
  };
  const port = new MirrorPort(new RingWriter(ring, doorbell), count, budget);
  port.setGeneration(7);
  const reader = new RingReader(ring);
  const counters = new MirrorCounters(MirrorCounters.create());
  const drain = (): Seen[] => {
    const seen: Seen[] = [];
    const handler: FrameHandler = {
      onFrame({ type, flags, exchangeId: id, bytes, start, end }) {
        const frame: Seen = { type, flags, id, bytes: bytes.toString('latin1', start, end) };
        if (type === FrameType.OUTCOME) {
          const outcome = new Outcome();
          outcome.read(new Numbers(bytes), start);
          frame.status = outcome.status;
        }
        seen.push(frame);
      },
    };
    while (reader.drain(handler, 1000) > 0);
    return seen;
  };
  return { port, drain, counters, doorbell, flushes: () => flushes };
}

function source(fieldsBytes = 10): CopySource {
  const head = Object.assign(new RequestHead(), {
    host: 'h',
    fields: 'x'.repeat(fieldsBytes),
    framing: Framing.CHUNKED,
  });
  const made = new CopySource();
  made.take(head);
  return made;
}

/** Offers heads until the ring refuses one; returns how many it took. */
function fill(port: MirrorPort, counters: MirrorCounters): number {
  for (let count = 0; ; count++) {
    const refused = port.offerHead(0, 1000 + count, source(200), FrameFlag.LAST, counters);
    if (refused !== accepted) return count;
  }
}

t.test('nothing is visible, and nothing counts as offered, before the turn ends', async (t) => {
  const { port, drain, counters, flushes } = setUp();
  t.equal(port.offerHead(3, 1, source(), FrameFlag.LAST, counters), accepted);
  t.equal(port.offerHead(3, 2, source(), 0, counters), accepted);
  t.equal(flushes(), 1, 'one flush is asked for in a turn');
  t.strictSame(drain(), []);
  t.equal(counters.get(MirrorField.offered), 0);
  t.notOk(port.flush());
  t.equal(counters.get(MirrorField.offered), 2);
  t.strictSame(
    drain().map(({ type, flags, id }) => [type, flags, id]),
    [
      [FrameType.HEAD, FrameFlag.LAST, 1],
      [FrameType.HEAD, 0, 2],
    ],
  );
});

t.test('a piece larger than a frame goes out in several, and the last one says so', async (t) => {
  const { port, drain } = setUp();
  const piece = Buffer.from('0123456789abcdef'.repeat(70));
  t.equal(port.offerBody(0, 5, piece, true), accepted);
  port.flush();
  const frames = drain();
  t.ok(frames.length > 1);
  t.equal(frames.map((frame) => frame.bytes).join(''), piece.toString());
  t.strictSame(
    frames.map((frame) => frame.flags),
    frames.map((_, index) => (index === frames.length - 1 ? FrameFlag.LAST : 0)),
  );
});

t.test('a body that ends with an empty piece ends with an END frame', async (t) => {
  const { port, drain } = setUp();
  port.offerBody(0, 5, Buffer.alloc(0), false);
  port.offerBody(0, 5, Buffer.alloc(0), true);
  port.flush();
  t.strictSame(
    drain().map(({ type, id }) => [type, id]),
    [[FrameType.END, 5]],
  );
});

t.test('a head that finds no room waits, and so many heads wait at most', async (t) => {
  const { port, drain, counters } = setUp();
  const taken = fill(port, counters);
  t.ok(taken > limits.waitingHeads + 3);
  t.ok(port.flush(), 'frames wait');
  t.ok(counters.get(MirrorField.offered) < taken, 'what waits does not count as offered');
  let seen = 0;
  for (let waiting = true; waiting; ) {
    seen += drain().length;
    waiting = port.flush();
  }
  t.equal(seen + drain().length, taken);
  t.equal(counters.get(MirrorField.offered), taken);
  t.equal(port.offerHead(0, 1, source(), FrameFlag.LAST, counters), accepted);
});

t.test('bodies wait within the budget of their thread, whatever their ring', async (t) => {
  const budget = new WaitingBudget();
  const [one, other] = [setUp(budget), setUp(budget)];
  const piece = Buffer.alloc(1024 * 1024);
  const pieces = limits.waitingBytes / piece.byteLength;
  let taken = 0;
  while (one.port.offerBody(0, 1, piece, false) === accepted) taken++;
  t.ok(taken > pieces / 2 && taken < pieces, `${taken} pieces`);
  t.equal(other.port.offerBody(0, 1, piece, false), Failure.RING_FULL);
  t.ok(budget.bytes <= limits.waitingBytes);
});

t.test('a head that no frame can hold is refused as too large', async (t) => {
  const { port, counters } = setUp();
  t.equal(port.offerHead(0, 1, source(ringBytes), FrameFlag.LAST, counters), Drop.FRAME_TOO_LARGE);
});

t.test('an abort and an outcome find room although nothing else does, and keep their order', async (t) => {
  const { port, drain, counters } = setUp();
  const taken = fill(port, counters);
  port.abort(1, Failure.BODY_TOO_LARGE);
  const outcome = new Outcome();
  outcome.status = 201;
  port.outcome(1, outcome);
  outcome.status = 500;
  t.equal(port.offerHead(0, 2, source(), FrameFlag.LAST, counters), Drop.RING_FULL);
  const seen: Seen[] = [];
  for (let waiting = true; waiting; ) {
    waiting = port.flush();
    seen.push(...drain());
  }
  t.equal(seen.filter((frame) => frame.type === FrameType.HEAD).length, taken);
  t.strictSame(
    seen.slice(taken).map(({ type, flags, id, status }) => [type, flags, id, status]),
    [
      [FrameType.ABORT, Failure.BODY_TOO_LARGE, 1, undefined],
      [FrameType.OUTCOME, 0, 1, 201],
    ],
    'the outcome is the one of its time, not what the scratch object held later',
  );
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('head' as const) }),
  fc.record({ kind: fc.constant('body' as const), of: fc.nat(5), bytes: fc.nat(6000), last: fc.boolean() }),
  fc.record({ kind: fc.constant('trailers' as const), of: fc.nat(5) }),
  fc.record({ kind: fc.constant('flush' as const) }),
  fc.record({ kind: fc.constant('drain' as const) }),
);

t.test('what is offered arrives whole and in order, however small the ring is', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { port, drain, counters } = setUp();
      const sent: string[] = [];
      const open: number[] = [];
      const seen: Seen[] = [];
      for (const one of steps) {
        if (one.kind === 'flush') port.flush();
        else if (one.kind === 'drain') seen.push(...drain());
        else if (one.kind === 'head') {
          sent.push('');
          open.push(sent.length - 1);
          port.offerHead(0, sent.length - 1, source(), 0, counters);
        } else if (open.length > 0) {
          const id = open[one.of % open.length];
          if (one.kind === 'trailers') {
            sent[id] += 'x: y';
            port.offerTrailers(0, id, 'x: y');
          } else {
            const piece = String.fromCharCode(97 + (one.bytes % 26)).repeat(one.bytes);
            sent[id] += one.last ? `${piece}!` : piece;
            port.offerBody(0, id, Buffer.from(piece), one.last);
            if (one.last) open.splice(open.indexOf(id), 1);
          }
        }
      }
      for (let waiting = true; waiting; ) {
        waiting = port.flush();
        seen.push(...drain());
      }
      const arrived = sent.map(() => '');
      for (const { type, flags, id, bytes } of seen) {
        if (type === FrameType.BODY || type === FrameType.TRAILERS) arrived[id] += bytes;
        if (type === FrameType.END || (type === FrameType.BODY && flags === FrameFlag.LAST))
          arrived[id] += '!';
      }
      return arrived.every((text, id) => text === sent[id]);
    }),
  );
});

t.test('a replaced producer announces itself before anything else', async (t) => {
  const { port, drain, counters } = setUp();
  port.announceReplacement();
  port.offerHead(0, 1, source(), FrameFlag.LAST, counters);
  port.flush();
  t.strictSame(
    drain().map(({ type, id }) => [type, id]),
    [
      [FrameType.ABORT, allExchanges],
      [FrameType.HEAD, 1],
    ],
  );
});

t.test(
  'a captured response never takes the last half of the ring, and reports that it found no room',
  async (t) => {
    const ring = createRing(ringBytes);
    const writer = new RingWriter(ring, new Doorbell(createDoorbell()));
    const port = new MirrorPort(writer, () => {});
    const counters = new MirrorCounters(MirrorCounters.create());
    const piece = Buffer.alloc(ringBytes / 16);
    while (port.offerResponse(FrameType.RESPONSE_BODY, 1, piece));
    t.ok(writer.usedBytes() > ringBytes / 4);
    t.ok(writer.usedBytes() <= ringBytes / 2 + 64, 'up to the headers of the frames');
    t.equal(port.offerHead(0, 2, source(), FrameFlag.LAST, counters), accepted, 'a copy still finds room');
  },
);

t.test('a captured response may be longer than a frame', async (t) => {
  const ring = createRing(ringBytes);
  const port = new MirrorPort(new RingWriter(ring, new Doorbell(createDoorbell())), () => {});
  const body = Buffer.from(Array.from({ length: ringBytes / 4 }, (_, i) => i & 0xff));
  t.ok(port.offerResponse(FrameType.RESPONSE_BODY, 7, body));
  port.flush();
  const pieces: Buffer[] = [];
  const onFrame: FrameHandler['onFrame'] = ({ type, exchangeId, bytes, start, end }) => {
    t.strictSame([type, exchangeId], [FrameType.RESPONSE_BODY, 7]);
    pieces.push(Buffer.from(bytes.subarray(start, end)));
  };
  new RingReader(ring).drain({ onFrame }, 1000);
  t.ok(pieces.length > 1);
  t.ok(Buffer.concat(pieces).equals(body));
});

t.test('a request wakes its shadow thread; an outcome alone is there and wakes nobody', async (t) => {
  const { port, drain, counters, doorbell } = setUp();
  let woken = 0;
  const park = (): Promise<void> =>
    new Promise((resolve) =>
      doorbell.park(
        () => true,
        LONG_MS,
        () => {
          woken++;
          resolve();
        },
      ),
    );
  const first = park();
  port.offerHead(0, 1, source(), 0, counters);
  port.flush();
  await first;
  t.equal(drain().length, 1);

  const second = park();
  port.outcome(1, new Outcome());
  port.flush();
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  t.equal(woken, 1);
  t.match(drain(), [{ type: FrameType.OUTCOME, id: 1 }]);

  port.abort(2, Failure.ABORTED);
  port.flush();
  await second;
  t.equal(woken, 2);
});
