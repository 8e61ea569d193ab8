import t from 'tap';
import { Drop, Failure } from '../../../core/errors.js';
import { Framing, RequestHead } from '../../../core/http/message.js';
import { allExchanges, CopySource, FrameFlag, Numbers, Outcome } from '../../../core/mirror/codec.js';
import { accepted, MirrorPort } from '../../../core/mirror/port.js';
import { MirrorCounters, MirrorField } from '../../../core/record/mirror-counters.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { FrameType } from '../../../core/ring/frame.js';
import { createRing } from '../../../core/ring/layout.js';
import { type FrameHandler, RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';

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

function setUp() {
  const ring = createRing(ringBytes);
  let flushes = 0;
  const doorbell = new Doorbell(createDoorbell());
  const port = new MirrorPort(new RingWriter(ring, doorbell), () => {
    flushes++;
  });
  port.setGeneration(7);
  const reader = new RingReader(ring);
  const counters = new MirrorCounters(MirrorCounters.create());
  const drain = (): Seen[] => {
    const seen: Seen[] = [];
    const handler = {
      onFrame(
        type: number,
        flags: number,
        _slot: number,
        id: number,
        _gen: number,
        bytes: Buffer,
        start: number,
        end: number,
      ) {
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

t.test('a full ring refuses heads and bodies at once', async (t) => {
  const { port, counters } = setUp();
  t.ok(fill(port, counters) > 3);
  t.equal(port.offerHead(0, 1, source(200), FrameFlag.LAST, counters), Drop.RING_FULL);
  t.equal(port.offerBody(0, 1, Buffer.alloc(400), false), Failure.RING_FULL);
});

t.test('a head that no frame can hold is refused as too large', async (t) => {
  const { port, counters } = setUp();
  t.equal(port.offerHead(0, 1, source(ringBytes), FrameFlag.LAST, counters), Drop.FRAME_TOO_LARGE);
});

t.test(
  'an abort and an outcome wait for room, in order, and no exchange begins before they are out',
  async (t) => {
    const { port, drain, counters } = setUp();
    const taken = fill(port, counters);
    while (port.offerBody(0, 1, Buffer.alloc(8), false) === accepted);
    port.abort(1, Failure.BODY_TOO_LARGE);
    const outcome = new Outcome();
    outcome.status = 201;
    port.outcome(1, outcome);
    outcome.status = 500;
    t.ok(port.flush(), 'frames still wait');
    t.equal(port.offerHead(0, 2, source(), FrameFlag.LAST, counters), Drop.RING_FULL);
    const first = drain();
    t.equal(first.filter((frame) => frame.type === FrameType.HEAD).length, taken);

    t.notOk(port.flush(), 'now they are out');
    const late = [...first, ...drain()].filter((frame) => frame.id === 1 && frame.type !== FrameType.BODY);
    t.strictSame(
      late.map(({ type, flags, id, status }) => [type, flags, id, status]),
      [
        [FrameType.ABORT, Failure.BODY_TOO_LARGE, 1, undefined],
        [FrameType.OUTCOME, 0, 1, 201],
      ],
      'the outcome is the one of its time, not what the scratch object held later',
    );
    t.equal(port.offerHead(0, 2, source(), FrameFlag.LAST, counters), accepted);
  },
);

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
  'a captured response never takes the last half of the ring, and tells when it found no room',
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
  const onFrame: FrameHandler['onFrame'] = (type, _flags, _slot, id, _generation, bytes, start, end) => {
    t.strictSame([type, id], [FrameType.RESPONSE_BODY, 7]);
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
