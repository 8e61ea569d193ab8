/**
 * What copies cost their proxy thread that nothing comes of, against an exchange with the primary: one whose
 * mirror has as many in flight as it may, as when the shadow is too slow (`in-flight`), and one that the full
 * ring refuses. Beside them, one that is taken. Of the exchange only the upstream's half is counted, over
 * loopback with an origin of its own process, so of a whole request the shares are smaller still. The aim: a
 * copy that is dropped costs under 1 %.
 *
 *   node dist/bench/core/overload.js
 */
import { nowUs } from '../../core/clock.js';
import { RequestHead } from '../../core/http/message.js';
import { CopySource } from '../../core/mirror/codec.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import { HeldBack } from '../../core/mirror/held-back.js';
import { Mirror, type MirrorCopy, MirrorOffer } from '../../core/mirror/offer.js';
import { MirrorPort } from '../../core/mirror/port.js';
import { MirrorCounters } from '../../core/record/mirror-counters.js';
import { createDoorbell, Doorbell } from '../../core/ring/doorbell.js';
import { createRing } from '../../core/ring/layout.js';
import { RingReader } from '../../core/ring/reader.js';
import { RingWriter } from '../../core/ring/writer.js';
import { Sampler } from '../../core/route/sampler.js';
import { mirrorPlan } from '../../test/core/route/support.js';
import { Exchange, TestPool } from '../../test/core/upstream/exchange.js';
import { Origin } from '../end-to-end/origins.js';

const ROUNDS = 9;
const OFFERS = 50_000;
const EXCHANGES = 4_000;
/**
 * Exchanges under way at a time, and requests of one turn of the loop, after which frames are published and
 * read.
 */
const TURN = 16;
const SHARE_MAX = 0.01;
/** The sides before are no drops. */
const DROPPED_FROM = 3;
const ringBytes = 1024 * 1024;
const client = { clientAddress: () => '10.0.0.1', connectionKey: () => 1 };
const anything = { onFrame: () => {} };

const head = new RequestHead();
head.target = '/reviews/1234?page=2';
head.host = 'reviews.example.com';
head.fields = Buffer.from(
  [
    'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    'accept: text/html,application/xhtml+xml',
    'x-request-id: 7f3c1d2e-9a51-4a7e-b0a5-22b1f0c1d9aa',
    'cookie: theme=dark; session=4cf1b2a07d31; lang=en',
  ]
    .map((line) => `${line}\r\n`)
    .join(''),
).toString('latin1');

/** The proxy thread's end of one mirror. */
class Side {
  readonly #source = new CopySource();
  readonly #copies: MirrorCopy[] = [];
  readonly #mirrors = [new Mirror(mirrorPlan(), new MirrorCounters(MirrorCounters.create()))];
  readonly #ring = createRing(ringBytes);
  readonly #port = new MirrorPort(new RingWriter(this.#ring, new Doorbell(createDoorbell())), () => {});
  readonly #reader = new RingReader(this.#ring);
  readonly fullSlots = new FullSlots(FullSlots.create());
  readonly #offer = new MirrorOffer(
    [this.#port],
    [this.fullSlots],
    new Sampler('umbra', () => 0),
    new HeldBack(HeldBack.create()),
  );

  /** Returns how many the ring took. */
  offer(times: number, reads: boolean): number {
    let taken = 0;
    for (let i = 0; i < times; i++) {
      this.#source.take(head);
      taken += this.#offer.offer(this.#mirrors, head, this.#source, this.#source, client, this.#copies);
      if (i % TURN !== 0) continue;
      this.#port.flush();
      // What the shadow thread does with a frame is its own cost: here it is passed over.
      if (reads) while (this.#reader.drain(anything, OFFERS) > 0);
    }
    return taken;
  }
}

const origin = await Origin.start(null, 'text', 'primary');
const pool = new TestPool([origin.port]);
const { target, host, fields } = head;

async function exchanges(times: number): Promise<void> {
  const one = async (): Promise<void> => {
    const exchange = new Exchange();
    for (let i = 0; i < times / TURN; i++) {
      exchange.over = false;
      exchange.events.length = 0;
      exchange.send(pool, { target, host, fields });
      await exchange.end();
      if (exchange.failure !== '') throw new Error(`the exchange failed: ${exchange.failure}`);
    }
  };
  await Promise.all(Array.from({ length: TURN }, one));
}

/** CPU time, so that a busy machine counts little. */
async function usPer(times: number, run: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

const taking = new Side();
const busy = new Side();
busy.fullSlots.set(0, true);
const full = new Side();
full.offer(ringBytes / 64, false);
if (full.offer(1, false) !== 0) throw new Error('the ring is not full');

const sides = [
  {
    name: 'an exchange with the primary, its upstream half',
    times: EXCHANGES,
    run: () => exchanges(EXCHANGES),
  },
  { name: 'the clock is read (no-op)', times: OFFERS, run: () => clocks(OFFERS) },
  {
    name: 'a copy that the ring takes',
    times: OFFERS,
    run: () => taking.offer(OFFERS, true),
  },
  {
    name: 'a copy of a mirror that is full',
    times: OFFERS,
    run: () => busy.offer(OFFERS, true),
  },
  { name: 'a copy that the full ring refuses', times: OFFERS, run: () => full.offer(OFFERS, false) },
];

function clocks(times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += nowUs();
  return sum;
}

const rounds = sides.map((): number[] => []);
for (const { run } of sides) await run();
// In turn, so that what else the machine does costs all sides alike.
for (let round = 0; round < ROUNDS; round++)
  for (const [i, { times, run }] of sides.entries()) rounds[i]!.push(await usPer(times, run));
const medians = rounds.map((values) => values.sort((a, b) => a - b)[ROUNDS >> 1]!);
console.log('\none copy, on the proxy thread');
for (const [i, { name }] of sides.entries()) {
  const share = medians[i]! / medians[0]!;
  const word = i < DROPPED_FROM ? '' : share < SHARE_MAX ? '  met' : '  MISSED';
  console.log(
    `  ${name.padEnd(58)} ${medians[i]!.toFixed(3).padStart(8)} us  ${(share * 100).toFixed(2).padStart(7)} %${word}`,
  );
}
pool.close();
await origin.stop();
