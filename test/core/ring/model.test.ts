import fc from 'fast-check';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing, FRAME_HEADER_BYTES } from '../../../core/ring/layout.js';
import { type FrameHandler, RingReader } from '../../../core/ring/reader.js';
import { Offer, RingWriter } from '../../../core/ring/writer.js';
import t from '../../support/tap.js';
import { fillPayload, payloadIsWhole } from './support.js';

const RING_BYTES = 1024;
const FRAME_BYTES_MAX = RING_BYTES / 8;

/** A queue with a byte count: what a ring is, without shared memory and without positions that wrap. */
class Model {
  claimed: ModelFrame[] = [];
  published: ModelFrame[] = [];
  #begin: number;
  #head: number;
  #publishedEnd: number;
  #end: number;

  constructor(startPosition: number) {
    this.#begin = startPosition;
    this.#head = startPosition;
    this.#publishedEnd = startPosition;
    this.#end = startPosition;
  }

  claim(id: number, payloadBytes: number): number {
    const frameBytes = FRAME_HEADER_BYTES + payloadBytes;
    if (frameBytes > FRAME_BYTES_MAX) return Offer.TOO_LARGE;
    const takenBytes = Math.ceil(frameBytes / 8) * 8;
    const restBytes = RING_BYTES - (this.#end % RING_BYTES);
    const start = this.#end + (takenBytes > restBytes ? restBytes : 0);
    if (start + takenBytes - this.#head > RING_BYTES) return Offer.FULL;
    this.#end = start + takenBytes;
    this.claimed.push({ id, payloadBytes, end: this.#end });
    return (start % RING_BYTES) + FRAME_HEADER_BYTES;
  }

  publish(): void {
    this.published.push(...this.claimed);
    this.claimed = [];
    this.#publishedEnd = this.#end;
  }

  drain(framesMax: number): ModelFrame[] {
    const frames = this.published.splice(0, framesMax);
    this.#head = frames.at(-1)?.end ?? this.#head;
    return frames;
  }

  replaceWriter(): void {
    this.claimed = [];
    this.#end = this.#publishedEnd;
  }

  usedBytes(): number {
    return this.#end - this.#head;
  }

  travelledBytes(): number {
    return this.#end - this.#begin;
  }
}

interface ModelFrame {
  readonly id: number;
  readonly payloadBytes: number;
  readonly end: number;
}

type Step =
  | { readonly do: 'claim'; readonly payloadBytes: number }
  | { readonly do: 'drain'; readonly framesMax: number }
  | { readonly do: 'publish' | 'replace writer' | 'replace reader' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      payloadBytes: fc.oneof(
        fc.nat(FRAME_BYTES_MAX),
        fc.constantFrom(0, FRAME_BYTES_MAX - FRAME_HEADER_BYTES),
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('drain' as const), framesMax: fc.nat(12) }) },
  { weight: 4, arbitrary: fc.constant({ do: 'publish' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ do: 'replace writer' as const }, { do: 'replace reader' as const }),
  },
);

/** Somewhere in the first turn, or shortly before the positions wrap as Int32 or as Uint32. */
const startPosition = fc
  .tuple(fc.constantFrom(RING_BYTES, 2 ** 31, 2 ** 32), fc.integer({ min: 1, max: RING_BYTES / 8 }))
  .map(([wrap, eighths]) => wrap - eighths * 8);

t.test('a ring does what a queue with a byte limit does, over any steps and any wrap', async (t) => {
  let travelledBytesMax = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      startPosition,
      fc.array(step, { minLength: 1, maxLength: 200, size: 'max' }),
      (start, steps) => {
        const shared = createRing(RING_BYTES, start);
        const doorbell = new Doorbell(createDoorbell());
        let writer = new RingWriter(shared, doorbell);
        let reader = new RingReader(shared);
        const model = new Model(start);
        let id = 0;

        for (const now of steps) {
          switch (now.do) {
            case 'claim': {
              const offset = writer.claim(1, id & 0xff, id & 0xffff, id, ~id, now.payloadBytes);
              if (offset !== model.claim(id, now.payloadBytes)) return false;
              if (offset === Offer.FULL) refused++;
              if (offset >= 0) fillPayload(writer.bytes, offset, now.payloadBytes, id);
              id++;
              break;
            }
            case 'publish':
              writer.publish();
              model.publish();
              break;
            case 'drain': {
              const expected = model.drain(now.framesMax);
              let at = 0;
              const handler: FrameHandler = {
                onFrame(frame) {
                  const sent = expected[at++];
                  const whole =
                    sent !== undefined &&
                    frame.type === 1 &&
                    frame.flags === (sent.id & 0xff) &&
                    frame.slot === (sent.id & 0xffff) &&
                    frame.exchangeId === sent.id &&
                    frame.generation === ~sent.id >>> 0 &&
                    frame.end - frame.start === sent.payloadBytes &&
                    payloadIsWhole(frame.bytes, frame.start, frame.end, sent.id);
                  if (!whole) throw new Error(`frame ${frame.exchangeId} is not what was sent`);
                },
              };
              if (reader.drain(handler, now.framesMax) !== expected.length) return false;
              break;
            }
            case 'replace writer':
              writer = new RingWriter(shared, doorbell);
              model.replaceWriter();
              break;
            case 'replace reader':
              reader = new RingReader(shared);
              break;
          }
          if (writer.usedBytes() !== model.usedBytes()) return false;
          if (reader.isEmpty() !== (model.published.length === 0)) return false;
        }
        travelledBytesMax = Math.max(travelledBytesMax, model.travelledBytes());
        return true;
      },
    ),
    { numRuns: 500 },
  );
  t.ok(refused > 100, 'the ring was often full');
  t.ok(travelledBytesMax > 2 * RING_BYTES, 'some runs went round more than twice');
});
