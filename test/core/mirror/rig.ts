/** Both ends of mirroring in one thread: an offer, a ring, and a receiver whose shadow is a real server. */
import { nowUs } from '../../../core/clock.js';
import { PairPort } from '../../../core/compare/pair-port.js';
import type { Failure } from '../../../core/errors.js';
import { Framing, RequestHead } from '../../../core/http/message.js';
import { MirrorBounds } from '../../../core/mirror/bounds.js';
import { CopySource, Outcome } from '../../../core/mirror/codec.js';
import { FullSlots } from '../../../core/mirror/full-slots.js';
import { HeldBack } from '../../../core/mirror/held-back.js';
import { Mirror, type MirrorCopy, MirrorOffer } from '../../../core/mirror/offer.js';
import { MirrorPort } from '../../../core/mirror/port.js';
import { ShadowReceiver } from '../../../core/mirror/shadow-receiver.js';
import { ShadowMirror } from '../../../core/mirror/shadow-runtime.js';
import type { MirrorPlan } from '../../../core/plan.js';
import { AccessLogPort } from '../../../core/record/access-log.js';
import { accountingGap, settleDeadProxy } from '../../../core/record/law.js';
import { MirrorCounters } from '../../../core/record/mirror-counters.js';
import { type MirrorSnapshot, readMirror } from '../../../core/record/snapshot.js';
import { ThreadCounters } from '../../../core/record/thread-counters.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing } from '../../../core/ring/layout.js';
import { RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';
import { Sampler } from '../../../core/route/sampler.js';
import { mirrorPlan } from '../route/support.js';
import { TestPool } from '../upstream/exchange.js';

const framesMax = 1000;
const client = { clientAddress: () => '10.0.0.1', connectionKey: () => 1 };

function requestHead(changes: Partial<RequestHead> = {}): RequestHead {
  return Object.assign(new RequestHead(), { target: '/reviews', host: 'reviews' }, changes);
}

export class MirrorRig {
  readonly plan: MirrorPlan;
  readonly atProxy = new MirrorCounters(MirrorCounters.create());
  readonly atShadow = new MirrorCounters(MirrorCounters.create());
  readonly version = new VersionCounters(VersionCounters.create());
  readonly fullSlots = new FullSlots(FullSlots.create());
  readonly bounds = new MirrorBounds(0, this.fullSlots);
  readonly heldBack = new HeldBack(HeldBack.create());
  readonly receiver: ShadowReceiver;
  readonly ring: SharedArrayBuffer;
  readonly pool: TestPool;
  readonly pairRing = createRing(1024 * 1024);
  readonly pairs = new PairPort(new RingWriter(this.pairRing, new Doorbell(createDoorbell())), () => {});
  readonly copies: MirrorCopy[] = [];
  port: MirrorPort;
  #mirror: Mirror;
  #offer: MirrorOffer;

  constructor(port: number, changes: Partial<MirrorPlan> = {}, ringBytes = 64 * 1024) {
    this.plan = mirrorPlan(changes);
    this.ring = createRing(ringBytes);
    this.pool = new TestPool([port]);
    this.bounds.follow(this.plan, 1);
    const log = new AccessLogPort(
      new RingWriter(createRing(ringBytes), new Doorbell(createDoorbell())),
      new ThreadCounters(ThreadCounters.create()),
      () => 0,
      () => {},
    );
    this.receiver = new ShadowReceiver([new RingReader(this.ring)], this.pairs, log, nowUs);
    this.use(1, this.plan);
    this.#mirror = new Mirror(this.plan, this.atProxy);
    this.port = this.#openPort();
    this.#offer = this.#openOffer();
  }

  /** The receiver takes a plan; null: one without the mirror. */
  use(generation: number, plan: MirrorPlan | null): void {
    const mirrors =
      plan === null
        ? []
        : [new ShadowMirror(plan, 'reviews', this.pool, this.version, this.atShadow, this.bounds, () => 1)];
    this.receiver.use({ generation, mirrors, counters: [this.atShadow] });
  }

  /** Offers one request; the copies that took it are in `copies`. Nothing is visible before `turn`. */
  offer(changes: Partial<RequestHead> = {}): number {
    const head = requestHead(changes);
    const source = new CopySource();
    source.take(head);
    source.offeredUs = nowUs();
    return this.#offer.offer([this.#mirror], head, source, source, client, this.copies);
  }

  /** Offers a request with a body that is to come in pieces. */
  offerUpload(length: number): MirrorCopy {
    this.offer({ method: 'POST', framing: Framing.LENGTH, contentLength: length });
    return this.copies[0];
  }

  /** The primary's outcome of a copy. */
  tell(copy: MirrorCopy, changes: Partial<Outcome> = {}): void {
    copy.outcome(Object.assign(new Outcome(), { status: 200, latencyUs: 1 }, changes));
  }

  fail(copy: MirrorCopy, failure: Failure): void {
    this.tell(copy, { status: 502, failure });
  }

  /** The proxy's turn ends, and the receiver takes what has come. */
  turn(): void {
    let waiting = true;
    while (waiting) {
      waiting = this.port.flush();
      while (this.receiver.drain(framesMax) > 0);
    }
  }

  /** Another producer takes over the ring, as after a proxy thread was replaced. */
  replaceProxy(): void {
    settleDeadProxy(this.atProxy);
    this.port = this.#openPort();
    this.#offer = this.#openOffer();
    this.port.announceReplacement();
  }

  /** Turns until nothing is under way. */
  async rest(): Promise<MirrorSnapshot> {
    this.turn();
    while (this.receiver.inFlight > 0) await new Promise(setImmediate);
    return this.counts();
  }

  counts(): MirrorSnapshot {
    return readMirror([this.atProxy, this.atShadow]);
  }

  /** Both parts of the law's gap. */
  gap(): readonly [unsent: number, unfinished: number] {
    const { unsent, unfinished } = accountingGap(this.counts());
    return [unsent, unfinished];
  }

  #openPort(): MirrorPort {
    const port = new MirrorPort(new RingWriter(this.ring, new Doorbell(createDoorbell())), () => {});
    port.setGeneration(1);
    return port;
  }

  #openOffer(): MirrorOffer {
    return new MirrorOffer([this.port], [this.fullSlots], new Sampler('umbra', () => 0), this.heldBack);
  }
}
