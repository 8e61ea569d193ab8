import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { FrameType } from '../../../core/ring/frame.js';
import { CONTROL_BYTES, Control, createRing, openRing, usedBytes } from '../../../core/ring/layout.js';
import { RingReader } from '../../../core/ring/reader.js';
import { Offer, RingWriter } from '../../../core/ring/writer.js';
import t from '../../support/tap.js';
import { Collector, HEADER, newRing, offer } from './support.js';

const RING_BYTES = 1024;
const FRAME_BYTES_MAX = RING_BYTES / 8;
const PAYLOAD_BYTES_MAX = FRAME_BYTES_MAX - HEADER;

t.test('a ring that is not a power of two, too small or too large is refused', async (t) => {
  for (const bytes of [0, -1024, 512, 1000, 1025, 1536, 2 ** 31, 1024.5, Number.NaN]) {
    t.throws(() => createRing(bytes), RangeError, `${bytes}`);
  }
  t.throws(() => createRing(RING_BYTES, 4), RangeError, 'start position between two frames');
  t.throws(() => new RingReader(new SharedArrayBuffer(1000)), RangeError, 'a buffer that is not a ring');
  t.throws(() => new Doorbell(new SharedArrayBuffer(8)), RangeError, 'a buffer that is not a doorbell');
});

t.test('every field of the header arrives as it was written, at both ends of its range', async (t) => {
  const headers = [
    [FrameType.HEAD, 0, 0, 0, 0],
    [FrameType.BODY, 1, 2, 3, 4],
    [FrameType.RECORD, 0xff, 0xffff, 0xffffffff, 0xffffffff],
    [FrameType.END, 0x80, 0x8000, 0x80000000, 0x80000000],
  ] as const;
  const { writer, reader } = newRing(RING_BYTES);
  for (const [type, flags, slot, exchangeId, generation] of headers) {
    t.ok(writer.claim(type, flags, slot, exchangeId, generation, 0) >= 0);
  }
  writer.publish();
  const seen = new Collector();
  reader.drain(seen, 10);
  const fields = seen.frames.map((f) => [f.type, f.flags, f.slot, f.exchangeId, f.generation]);
  t.same(fields, headers);
});

t.test('a payload arrives whole, also when it is empty or no multiple of the alignment', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  const payloads = ['', 'a', 'seven b', 'eight by', 'nine byte', 'x'.repeat(PAYLOAD_BYTES_MAX)];
  for (const payload of payloads) t.equal(offer(writer, FrameType.BODY, payload) % 8, 0, 'aligned');
  writer.publish();
  const seen = new Collector();
  t.equal(reader.drain(seen, 100), payloads.length);
  t.same(seen.payloads(), payloads);
});

t.test('a claimed frame is invisible until it is published', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  const seen = new Collector();
  offer(writer, FrameType.HEAD, 'one');
  offer(writer, FrameType.END, 'two');
  t.ok(reader.isEmpty());
  t.equal(reader.drain(seen, 10), 0);
  writer.publish();
  t.notOk(reader.isEmpty());
  t.equal(reader.drain(seen, 10), 2);
  t.same(seen.payloads(), ['one', 'two']);
  t.ok(reader.isEmpty());
});

t.test('publishing nothing changes nothing', async (t) => {
  const { shared, writer, reader } = newRing(RING_BYTES);
  const control = openRing(shared).control;
  writer.publish();
  t.equal(control[Control.TAIL], 0);
  offer(writer, FrameType.HEAD, 'one');
  writer.publish();
  const tail = control[Control.TAIL];
  writer.publish();
  t.equal(control[Control.TAIL], tail);
  t.equal(reader.drain(new Collector(), 10), 1);
});

t.test('the largest frame takes an eighth of the ring, and a larger one is refused for good', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  t.equal(writer.payloadBytesMax, PAYLOAD_BYTES_MAX);
  t.equal(writer.claim(FrameType.BODY, 0, 0, 0, 0, PAYLOAD_BYTES_MAX + 1), Offer.TOO_LARGE);
  t.equal(writer.claim(FrameType.BODY, 0, 0, 0, 0, 2 ** 40), Offer.TOO_LARGE);
  t.equal(writer.usedBytes(), 0, 'a refused offer leaves no trace');
  t.ok(writer.claim(FrameType.BODY, 0, 0, 0, 0, PAYLOAD_BYTES_MAX) >= 0);
  writer.publish();
  t.equal(reader.drain(new Collector(), 10), 1);
});

t.test('a payload of a negative or no number of bytes is misuse', async (t) => {
  const { writer } = newRing(RING_BYTES);
  t.throws(() => writer.claim(FrameType.BODY, 0, 0, 0, 0, -1), RangeError);
  t.throws(() => writer.claim(FrameType.BODY, 0, 0, 0, 0, Number.NaN), RangeError);
  t.equal(writer.usedBytes(), 0);
});

t.test('a ring can be filled to its last byte and then refuses', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  for (let i = 0; i < 8; i++) t.ok(writer.claim(FrameType.BODY, 0, 0, i, 0, PAYLOAD_BYTES_MAX) >= 0);
  t.equal(writer.usedBytes(), RING_BYTES);
  t.equal(writer.claim(FrameType.END, 0, 0, 8, 0, 0), Offer.FULL);
  writer.publish();
  t.equal(writer.claim(FrameType.END, 0, 0, 8, 0, 0), Offer.FULL);
  const seen = new Collector();
  t.equal(reader.drain(seen, 100), 8);
  t.same(
    seen.frames.map((f) => f.exchangeId),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

t.test('a full ring accepts again once the consumer has finished a batch', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  for (let i = 0; i < 8; i++) writer.claim(FrameType.BODY, 0, 0, i, 0, PAYLOAD_BYTES_MAX);
  writer.publish();
  let duringBatch = 0;
  reader.drain({ onFrame: () => (duringBatch = writer.claim(FrameType.END, 0, 0, 8, 0, 0)) }, 1);
  t.equal(duringBatch, Offer.FULL, 'the view of the frame is still in use');
  t.ok(writer.claim(FrameType.END, 0, 0, 8, 0, 0) >= 0);
});

t.test(
  'a frame that does not fit into the rest of the data area is put at its begin, behind padding',
  async (t) => {
    // Start positions that leave a rest of 8 bytes (a padding without room for a header), 16, 24 and 120.
    for (const restBytes of [8, 16, 24, 120]) {
      const { writer, reader } = newRing(RING_BYTES, RING_BYTES - restBytes);
      const payload = 'p'.repeat(PAYLOAD_BYTES_MAX);
      t.equal(offer(writer, FrameType.BODY, payload), HEADER, `rest ${restBytes}`);
      t.equal(writer.usedBytes(), restBytes + FRAME_BYTES_MAX);
      writer.publish();
      const seen = new Collector();
      t.equal(reader.drain(seen, 1), 1, 'padding is neither delivered nor counted');
      t.same(seen.payloads(), [payload]);
      t.ok(reader.isEmpty());
      t.equal(writer.usedBytes(), 0);
    }
  },
);

t.test('a frame that fills the rest exactly needs no padding', async (t) => {
  const { writer, reader } = newRing(RING_BYTES, RING_BYTES - FRAME_BYTES_MAX);
  const seen = new Collector();
  t.equal(offer(writer, FrameType.BODY, 'p'.repeat(PAYLOAD_BYTES_MAX)), RING_BYTES - PAYLOAD_BYTES_MAX);
  t.equal(offer(writer, FrameType.END, 'next'), HEADER);
  t.equal(writer.usedBytes(), FRAME_BYTES_MAX + HEADER + 8);
  writer.publish();
  t.equal(reader.drain(seen, 10), 2);
});

t.test('a frame is refused when it has room itself, but its padding does not', async (t) => {
  const { writer, reader } = newRing(RING_BYTES, 64);
  for (let i = 0; i < 7; i++) t.ok(writer.claim(FrameType.BODY, 0, 0, i, 0, PAYLOAD_BYTES_MAX) >= 0);
  // Used 896 of 1024; 64 bytes are left at the end and 64 at the begin.
  t.equal(writer.claim(FrameType.BODY, 0, 0, 7, 0, PAYLOAD_BYTES_MAX), Offer.FULL);
  t.ok(writer.claim(FrameType.BODY, 0, 0, 8, 0, 64 - HEADER) >= 0, 'a smaller one still fits into the rest');
  writer.publish();
  t.equal(reader.drain(new Collector(), 100), 8);
});

t.test('an empty ring accepts the largest frame at every position', async (t) => {
  for (let start = 0; start < RING_BYTES; start += 8) {
    const { writer } = newRing(RING_BYTES, start);
    if (writer.claim(FrameType.BODY, 0, 0, 0, 0, PAYLOAD_BYTES_MAX) < 0) t.fail(`refused at ${start}`);
  }
  t.pass();
});

t.test('positions run over 2^31 and 2^32 and nothing is noticed', async (t) => {
  for (const wrap of [2 ** 31, 2 ** 32]) {
    for (const before of [8, 64, 1000, 4096]) {
      const { shared, writer, reader } = newRing(RING_BYTES, wrap - before);
      const seen = new Collector();
      const sent: string[] = [];
      for (let i = 0; i < 200; i++) {
        const payload = `${wrap} ${i} ${'x'.repeat(i % 90)}`;
        if (offer(writer, FrameType.BODY, payload, i) < 0) {
          reader.drain(seen, 3);
          continue;
        }
        sent.push(payload);
        writer.publish();
        const used = usedBytes(openRing(shared));
        if (used <= 0 || used > RING_BYTES) t.fail(`used ${used}`);
      }
      while (reader.drain(seen, 7) > 0);
      t.same(seen.payloads(), sent);
      t.equal(writer.usedBytes(), 0);
    }
  }
});

t.test('drain stops at the limit and continues from there', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  for (let i = 0; i < 5; i++) offer(writer, FrameType.BODY, `${i}`);
  writer.publish();
  const seen = new Collector();
  t.equal(reader.drain(seen, 0), 0);
  t.equal(reader.drain(seen, 2), 2);
  t.notOk(reader.isEmpty());
  t.equal(reader.drain(seen, 2), 2);
  t.equal(reader.drain(seen, 2), 1);
  t.same(seen.payloads(), ['0', '1', '2', '3', '4']);
});

t.test('what is published during a batch waits for the next one', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  offer(writer, FrameType.BODY, 'first');
  writer.publish();
  let frames = 0;
  const handler = {
    onFrame: () => {
      frames++;
      offer(writer, FrameType.BODY, 'again');
      writer.publish();
    },
  };
  t.equal(reader.drain(handler, 100), 1);
  t.equal(frames, 1);
});

t.test('a handler that throws has had its frame, and the rest is delivered later', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  for (const payload of ['a', 'b', 'c']) offer(writer, FrameType.BODY, payload);
  writer.publish();
  const seen = new Collector();
  let calls = 0;
  const thrower = {
    onFrame: () => {
      if (++calls === 2) throw new Error('handler');
    },
  };
  t.throws(() => reader.drain(thrower, 10), { message: 'handler' });
  t.equal(writer.usedBytes(), 24, 'HEAD was stored');
  t.equal(reader.drain(seen, 10), 1);
  t.same(seen.payloads(), ['c']);
});

t.test('drain refuses to be called from its own handler', async (t) => {
  const { writer, reader } = newRing(RING_BYTES);
  offer(writer, FrameType.BODY, 'a');
  writer.publish();
  const seen = new Collector();
  t.throws(() => reader.drain({ onFrame: () => reader.drain(seen, 1) }, 1), /own handler/);
  t.equal(reader.drain(seen, 1), 0, 'and works on');
});

t.test('a new writer continues behind what was published, and unpublished frames are gone', async (t) => {
  const { shared, doorbell, writer, reader } = newRing(RING_BYTES);
  offer(writer, FrameType.BODY, 'published');
  writer.publish();
  offer(writer, FrameType.BODY, 'lost with its thread');
  const next = new RingWriter(shared, doorbell);
  offer(next, FrameType.BODY, 'from the next');
  next.publish();
  const seen = new Collector();
  reader.drain(seen, 10);
  t.same(seen.payloads(), ['published', 'from the next']);
});

t.test('a new writer knows how full the ring is', async (t) => {
  const { shared, doorbell, writer } = newRing(RING_BYTES);
  for (let i = 0; i < 8; i++) writer.claim(FrameType.BODY, 0, 0, i, 0, PAYLOAD_BYTES_MAX);
  writer.publish();
  const next = new RingWriter(shared, doorbell);
  t.equal(next.usedBytes(), RING_BYTES);
  t.equal(next.claim(FrameType.END, 0, 0, 0, 0, 0), Offer.FULL);
});

t.test('a new reader starts behind the frame that the dead one was handling', async (t) => {
  const { shared, writer, reader } = newRing(RING_BYTES);
  for (const payload of ['a', 'b', 'c', 'd']) offer(writer, FrameType.BODY, payload);
  writer.publish();
  const seen = new Collector();
  let calls = 0;
  // Nothing of the old reader runs after this moment in the handler of `b`, as if its thread had been
  // terminated there.
  reader.drain(
    {
      onFrame: () => {
        if (++calls !== 2) return;
        const next = new RingReader(shared);
        next.drain(seen, 10);
      },
    },
    2,
  );
  t.same(seen.payloads(), ['c', 'd']);
});

t.test('a new reader gives back what the dead one had read', async (t) => {
  const { shared, writer, reader } = newRing(RING_BYTES);
  for (let i = 0; i < 8; i++) writer.claim(FrameType.BODY, 0, 0, i, 0, PAYLOAD_BYTES_MAX);
  writer.publish();
  let used = -1;
  reader.drain(
    {
      onFrame: () => {
        new RingReader(shared);
        used = writer.usedBytes();
      },
    },
    1,
  );
  t.equal(used, RING_BYTES - FRAME_BYTES_MAX);
});

t.test('CURSOR and HEAD agree after a batch, padding included', async (t) => {
  const { shared, writer, reader } = newRing(RING_BYTES, RING_BYTES - 8);
  offer(writer, FrameType.BODY, 'behind padding');
  writer.publish();
  const control = openRing(shared).control;
  reader.drain(new Collector(), 1);
  t.equal(control[Control.CURSOR], control[Control.HEAD]);
  t.ok(new RingReader(shared).isEmpty());
});

t.test('a malformed frame is an error that says so, at once and every time', async (t) => {
  const LENGTH = 0;
  const KIND = 1;
  const lies: [name: string, word: number, value: number][] = [
    ['a length of zero', LENGTH, 0],
    ['a length below the header', LENGTH, HEADER - 1],
    ['a negative length', LENGTH, -8],
    ['the most negative length', LENGTH, -(2 ** 31)],
    ['the largest length', LENGTH, 2 ** 31 - 1],
    ['a length above the largest frame', LENGTH, FRAME_BYTES_MAX + 1],
    ['a length behind what is published', LENGTH, 64],
    ['no type', KIND, 0],
    ['a padding that does not end with the area', KIND, FrameType.PAD],
  ];
  for (const [name, word, value] of lies) {
    const { shared, writer, reader } = newRing(RING_BYTES);
    offer(writer, FrameType.BODY, 'x'.repeat(32));
    writer.publish();
    openRing(shared).words[word] = value;
    const seen = new Collector();
    t.throws(() => reader.drain(seen, 100), /ring is corrupt/, name);
    t.throws(() => reader.drain(seen, 100), /ring is corrupt/, `${name}, again`);
    t.equal(seen.frames.length, 0);
  }
});

t.test('the frames in front of a malformed one are delivered once', async (t) => {
  const { shared, writer, reader } = newRing(RING_BYTES);
  offer(writer, FrameType.BODY, 'good');
  const bad = offer(writer, FrameType.BODY, 'bad');
  writer.publish();
  openRing(shared).words[(bad - HEADER) / 4] = 7;
  const seen = new Collector();
  t.throws(() => reader.drain(seen, 100), /ring is corrupt/);
  t.throws(() => reader.drain(seen, 100), /ring is corrupt/);
  t.same(seen.payloads(), ['good']);
});

t.test('a TAIL that can not be is an error and no endless loop', async (t) => {
  for (const tail of [-8, 4, 12, 30, RING_BYTES + 8, 2 ** 30, -(2 ** 31)]) {
    const { shared, writer, reader } = newRing(RING_BYTES);
    offer(writer, FrameType.BODY, 'x');
    writer.publish();
    openRing(shared).control[Control.TAIL] = tail;
    t.throws(() => reader.drain(new Collector(), Number.MAX_SAFE_INTEGER), /ring is corrupt/, `${tail}`);
  }
});

t.test('a TAIL further ahead than the ring is large does not bring old frames back', async (t) => {
  const { shared, writer, reader } = newRing(RING_BYTES);
  for (let i = 0; i < 8; i++) writer.claim(FrameType.BODY, 0, 0, i, 0, PAYLOAD_BYTES_MAX);
  writer.publish();
  reader.drain(new Collector(), 8);
  openRing(shared).control[Control.TAIL] = 2 * RING_BYTES + FRAME_BYTES_MAX;
  const seen = new Collector();
  t.throws(() => reader.drain(seen, 100), /ring is corrupt/);
  t.equal(seen.frames.length, 0);
});

t.test('the doorbell of a ring without a parked consumer is not struck by publish', async (t) => {
  const bell = createDoorbell();
  const writer = new RingWriter(createRing(RING_BYTES), new Doorbell(bell));
  const before = [...new Int32Array(bell)];
  offer(writer, FrameType.BODY, 'x');
  writer.publish();
  t.same([...new Int32Array(bell)], before);
});

t.test('the data area begins behind the control block', async (t) => {
  const { shared, writer } = newRing(RING_BYTES);
  t.equal(writer.bytes.byteOffset, CONTROL_BYTES);
  t.equal(writer.bytes.length, RING_BYTES);
  t.equal(shared.byteLength, CONTROL_BYTES + RING_BYTES);
});
