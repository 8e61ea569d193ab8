/**
 * What an offered copy costs its proxy thread: one that is taken by the ring (and may still be dropped by the shadow thread, as
 * when its shadow is too slow), and one that the full ring refuses. Rival: the same head as a structured message, as a thread would
 * be told by `postMessage`.
 */
import { serialize } from 'node:v8';
import { nowUs } from '../../core/clock.js';
import { RequestHead } from '../../core/http/message.js';
import { CopySource } from '../../core/mirror/codec.js';
import { HeldBack } from '../../core/mirror/held-back.js';
import { Mirror, type MirrorCopy, MirrorOffer } from '../../core/mirror/offer.js';
import { MirrorPort } from '../../core/mirror/port.js';
import type { MirrorPlan } from '../../core/plan.js';
import { MirrorLedger } from '../../core/record/mirror-ledger.js';
import { createDoorbell, Doorbell } from '../../core/ring/doorbell.js';
import { createRing } from '../../core/ring/layout.js';
import { RingReader } from '../../core/ring/reader.js';
import { RingWriter } from '../../core/ring/writer.js';
import { Sampler } from '../../core/route/sampler.js';
import { measured, printTable } from './measure.js';

const ringBytes = 4 * 1024 * 1024;
/** Requests of one turn of the loop, after which frames are published and read. */
const turnRequests = 16;
/** CPU of a proxied request on the machine of docs/performance: what a copy's cost is held against. */
const requestNs = 16_000;
const client = { clientAddress: () => '10.0.0.1' };
const plan = {
  slot: 0,
  shareMillionths: 1_000_000,
  sample: { by: 'random' },
  methods: null,
  bodyBytesMax: 1024 * 1024,
} as unknown as MirrorPlan;

const head = new RequestHead();
head.target = '/reviews/1234?page=2';
head.host = 'reviews.example.com';
head.fields = [
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  'accept: text/html,application/xhtml+xml',
  'x-request-id: 7f3c1d2e-9a51-4a7e-b0a5-22b1f0c1d9aa',
  'cookie: theme=dark; session=4cf1b2a07d31; lang=en',
]
  .map((line) => `${line}\r\n`)
  .join('');

class Bench {
  readonly #source = new CopySource();
  readonly #copies: MirrorCopy[] = [];
  readonly #mirrors = [new Mirror(plan, new MirrorLedger(MirrorLedger.create()))];
  readonly #ring = createRing(ringBytes);
  readonly #port = new MirrorPort(new RingWriter(this.#ring, new Doorbell(createDoorbell())), () => {});
  readonly #reader = new RingReader(this.#ring);
  readonly #offer = new MirrorOffer(
    [this.#port],
    new Sampler('umbra', () => 0),
    new HeldBack(HeldBack.create()),
  );

  /** Returns how many were taken. */
  offer(times: number, drains: boolean): number {
    let taken = 0;
    for (let i = 0; i < times; i++) {
      this.#source.take(head);
      taken += this.#offer.offer(this.#mirrors, head, this.#source, client, i, false, this.#copies);
      if (i % turnRequests !== 0) continue;
      this.#port.flush();
      // What the shadow thread does with a frame is its own cost; here it is passed over.
      if (drains) this.#reader.drain({ onFrame: () => {} }, Number.MAX_SAFE_INTEGER);
    }
    return taken;
  }
}

const drained = new Bench();
const full = new Bench();
full.offer(ringBytes / 64, false);

const rows = [
  measured('no-op', (times) => times),
  measured('a copy is offered and taken, whatever becomes of it', (times) => drained.offer(times, true)),
  measured('a copy is offered to a full ring', (times) => full.offer(times, false)),
  measured('rival: the head through v8.serialize', (times) => {
    let bytes = 0;
    for (let i = 0; i < times; i++) bytes += serialize({ ...head, at: nowUs() }).byteLength;
    return bytes;
  }),
];
printTable('one copy, on the proxy thread', rows);
for (const { name, nsPerRun } of rows.slice(1, 3)) {
  console.log(
    `  ${name}: ${((nsPerRun / requestNs) * 100).toFixed(2)} % of a request of ${requestNs / 1000} us`,
  );
}
