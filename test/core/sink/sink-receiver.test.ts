/** Copies on the sink thread, from frames in a real ring to a sink that the test settles. */
import fc from 'fast-check';
import { Drop, Failure, none } from '../../../core/errors.js';
import { Framing, RequestHead } from '../../../core/http/message.js';
import { MirrorBounds } from '../../../core/mirror/bounds.js';
import { CopySource, FrameFlag, Outcome, Seen } from '../../../core/mirror/codec.js';
import { FullSlots } from '../../../core/mirror/full-slots.js';
import { MirrorPort } from '../../../core/mirror/port.js';
import { MirrorCounters, MirrorField } from '../../../core/record/mirror-counters.js';
import { readMirror } from '../../../core/record/snapshot.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { FrameType } from '../../../core/ring/frame.js';
import { createRing } from '../../../core/ring/layout.js';
import { RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';
import type { Copy, Sink } from '../../../core/sink/sink.js';
import { SinkMirror } from '../../../core/sink/sink-mirror.js';
import { SinkReceiver } from '../../../core/sink/sink-receiver.js';
import t from '../../support/tap.js';
import { mirrorPlan } from '../route/support.js';

/** What of a copy may be looked at until `put` returns. */
interface Put {
  readonly copy: Copy;
  readonly target: string;
  readonly body: string;
  readonly response: string | null;
}

class Rig implements Sink {
  readonly counters = new MirrorCounters(MirrorCounters.create());
  readonly bounds = new MirrorBounds(0, new FullSlots(FullSlots.create()));
  readonly receiver: SinkReceiver;
  readonly port: MirrorPort;
  /** Those that are not settled. */
  readonly waiting: Put[] = [];
  readonly all: Put[] = [];
  refusal: Drop | typeof none = none;
  #source = new CopySource();

  constructor({ inFlightMax = 1000, heldBytesMax = 1 << 20 } = {}) {
    const ring = createRing(64 * 1024);
    this.port = new MirrorPort(new RingWriter(ring, new Doorbell(createDoorbell())), () => {});
    this.receiver = new SinkReceiver([new RingReader(ring)], () => 0);
    const plan = mirrorPlan({ inFlightMax, heldBytesMax });
    this.bounds.follow(plan, 1);
    const mirror = new SinkMirror(plan, 'reviews', this.counters, this.bounds, this, Math.random);
    this.receiver.use({ generation: 0, mirrors: [mirror], counters: [this.counters] });
  }

  head(exchange: number, flags: number): void {
    const head = Object.assign(new RequestHead(), { method: 'POST', target: `/${exchange}`, host: 'h' });
    head.framing = Framing.CHUNKED;
    this.#source.take(head);
    this.port.offerHead(0, exchange, this.#source, flags, this.counters);
  }

  turn(): void {
    this.port.flush();
    while (this.receiver.drain(100) > 0);
  }

  settle(at: number, failure: Failure | typeof none): void {
    if (this.waiting.length === 0) return;
    const [{ copy }] = this.waiting.splice(at % this.waiting.length, 1);
    copy.settled(failure, 10);
  }

  get counts(): Record<'received' | 'sent' | 'completed' | 'failed' | 'dropped' | 'inFlight', number> {
    const { counters } = this;
    return {
      received: counters.get(MirrorField.received),
      sent: counters.get(MirrorField.sent),
      completed: counters.get(MirrorField.completed),
      failed: counters.totalOf(MirrorField.failed),
      dropped: counters.totalOf(MirrorField.dropped),
      inFlight: counters.get(MirrorField.inFlight),
    };
  }

  refuses(): Drop | typeof none {
    return this.refusal;
  }
  put(copy: Copy): typeof none {
    const text = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('latin1');
    const response = copy.response === null ? null : copy.response.head + text(copy.response.body);
    const put = { copy, target: copy.target, body: text(copy.body), response };
    this.waiting.push(put);
    this.all.push(put);
    return none;
  }
  stalled(): typeof none {
    return none;
  }
  trouble(): typeof none {
    return none;
  }
  lag(): null {
    return null;
  }
  flush(): void {}
  abort(): void {}
  async close(): Promise<void> {}
}

/** The frames of one exchange, in their order. */
const exchanges = fc.record({
  pieces: fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 4 }),
  end: fc.constantFrom('whole', 'aborted'),
  waits: fc.boolean(),
  response: fc.option(fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 2 })),
  /** The outcome comes before the request's end. */
  isEarly: fc.boolean(),
});
type Exchange = typeof exchanges extends fc.Arbitrary<infer T> ? T : never;

function framesOf(rig: Rig, id: number, { pieces, end, waits, response, isEarly }: Exchange): (() => void)[] {
  const { port } = rig;
  const captures = waits && response !== null;
  const flags = (waits ? 0 : FrameFlag.UNPAIRED) | (captures ? FrameFlag.CAPTURE : 0);
  const request = [
    ...pieces.map((piece) => () => void port.offerBody(0, id, Buffer.from(piece, 'latin1'), false)),
    () => {
      if (end === 'aborted') port.abort(id, Failure.ABORTED);
      else port.offerBody(0, id, Buffer.alloc(0), true);
    },
  ];
  const answer = [
    ...(captures
      ? [() => void port.offerResponse(FrameType.RESPONSE_HEAD, id, Buffer.from('200 OK\r\n'))]
      : []),
    ...(captures ? response : []).map(
      (piece) => () => void port.offerResponse(FrameType.RESPONSE_BODY, id, Buffer.from(piece, 'latin1')),
    ),
    () => {
      const seen = captures ? Seen.CAPTURED : 0;
      port.outcome(id, Object.assign(new Outcome(), { status: 200, failure: none, latencyUs: 1, seen }));
    },
  ];
  const both = !waits ? request : isEarly ? [...answer, ...request] : [...request, ...answer];
  return [() => rig.head(id, flags), ...both];
}

t.test('every copy ends once, whole or not at all, however frames and answers come', async (t) => {
  const steps = fc.array(fc.record({ which: fc.nat(), settles: fc.boolean(), fails: fc.boolean() }), {
    minLength: 200,
    maxLength: 200,
  });
  await fc.assert(
    fc.property(fc.array(exchanges, { minLength: 1, maxLength: 12 }), steps, (made, order) => {
      const rig = new Rig();
      const left = made.map((exchange, id) => framesOf(rig, id, exchange));
      for (const { which, settles, fails } of order) {
        const open = left.filter((frames) => frames.length > 0);
        if (open.length > 0) open[which % open.length].shift()!();
        rig.turn();
        if (settles) rig.settle(which, fails ? Failure.WRITE : none);
      }
      while (rig.waiting.length > 0) rig.settle(0, none);
      const { received, sent, completed, failed, dropped, inFlight } = rig.counts;
      t.equal(received, made.length);
      t.strictSame([sent + dropped, completed + failed, inFlight], [received, sent, 0]);
      t.strictSame([rig.bounds.inFlight, rig.bounds.heldBytes, rig.receiver.inFlight], [0, 0, 0]);
      const whole = made.flatMap((exchange, id) => (exchange.end === 'whole' ? [{ ...exchange, id }] : []));
      t.strictSame(
        rig.all.map(({ target, body, response }) => [target, body, response]).sort(),
        whole
          .map(({ id, pieces, waits, response }) => [
            `/${id}`,
            pieces.join(''),
            waits && response !== null ? `200 OK\r\n${response.join('')}` : null,
          ])
          .sort(),
      );
    }),
    { numRuns: 60 },
  );
});

t.test('a sink that refuses is given nothing, and the reason is counted', async (t) => {
  const rig = new Rig();
  rig.head(1, FrameFlag.UNPAIRED);
  rig.turn();
  rig.refusal = Drop.DISK_FULL;
  rig.port.offerBody(0, 1, Buffer.from('x'), true);
  rig.head(2, FrameFlag.UNPAIRED | FrameFlag.LAST);
  rig.turn();
  t.equal(rig.all.length, 0);
  t.match(rig.counts, { received: 2, sent: 0, dropped: 2 });
  t.equal(readMirror([rig.counters]).dropped[Drop.DISK_FULL], 2);
  t.strictSame([rig.bounds.inFlight, rig.bounds.heldBytes], [0, 0]);
});

t.test('copies in a sink count in the bounds of their mirror until they are settled', async (t) => {
  const rig = new Rig({ inFlightMax: 2 });
  for (const id of [1, 2, 3]) rig.head(id, FrameFlag.UNPAIRED | FrameFlag.LAST);
  rig.turn();
  t.match(rig.counts, { sent: 2, dropped: 1, inFlight: 2 });
  rig.settle(0, none);
  rig.head(4, FrameFlag.UNPAIRED | FrameFlag.LAST);
  rig.turn();
  t.match(rig.counts, { sent: 3, dropped: 1, completed: 1, inFlight: 2 });
});

t.test('a body beyond the memory of its mirror drops its copy, and gives the memory back', async (t) => {
  const rig = new Rig({ heldBytesMax: 100 });
  rig.head(1, FrameFlag.UNPAIRED);
  for (let i = 0; i < 3; i++) rig.port.offerBody(0, 1, Buffer.alloc(40), i === 2);
  rig.head(2, FrameFlag.UNPAIRED);
  rig.port.offerBody(0, 2, Buffer.alloc(40), true);
  rig.turn();
  t.strictSame(
    rig.all.map(({ target }) => target),
    ['/2'],
  );
  t.equal(readMirror([rig.counters]).dropped[Drop.MEMORY], 1);
  rig.settle(0, none);
  t.equal(rig.bounds.heldBytes, 0);
});

t.test('a drain drops what its sink does not have, and a replaced proxy what it had begun', async (t) => {
  const rig = new Rig();
  rig.head(1, FrameFlag.UNPAIRED);
  rig.head(2, FrameFlag.UNPAIRED | FrameFlag.LAST);
  rig.turn();
  rig.receiver.dropUnfinished();
  t.match(rig.counts, { sent: 1, dropped: 1 });
  rig.head(3, FrameFlag.UNPAIRED);
  rig.turn();
  rig.port.announceReplacement();
  rig.turn();
  t.match(rig.counts, { sent: 1, dropped: 2 });
  rig.settle(0, none);
  t.equal(rig.receiver.inFlight, 0);
  t.throws(() => rig.all[0].copy.settled(none, 1), /settled a copy that it did not have/);
});
