import { Failure } from '../errors.js';
import { limits } from '../limits.js';
import type { VersionPlan } from '../plan.js';
import { Deadline } from './deadlines.js';
import type { UpstreamResources } from './resources.js';
import { type Linked, WaitQueue } from './wait-queue.js';

/** A call whose client has not sent the whole body of its request yet. */
export interface UploadOwner {
  /** Bytes of the body that have arrived. */
  readonly requestBytes: number;
  /** The version has everything that arrived, and the client must send the next bytes. */
  readonly awaitsClient: boolean;
  /** The call may take a connection now. */
  onUploadPlace(): void;
  /** The call ends with the failure, in favour of another one. */
  onUploadRefused(failure: Failure): void;
}

const Stage = {
  /** The body is complete, or the call has ended. */
  OUT: 0,
  /** The upload waits for its client; what arrives is kept. */
  PENDING: 1,
  /** The upload waits only for a place; no more can be kept. */
  READY: 2,
  /** The upload has a connection, or waits for one like all other requests. */
  HOLDING: 3,
} as const;
type Stage = (typeof Stage)[keyof typeof Stage];

/** The state of one call in `Uploads`, created once with the call. */
export class UploadPlace implements Linked<UploadPlace> {
  nextWaiter: UploadPlace | null = null;
  previousWaiter: UploadPlace | null = null;
  stage: Stage = Stage.OUT;
  /** When it got its place. */
  sinceUs = 0;
  readonly owner: UploadOwner;

  constructor(owner: UploadOwner) {
    this.owner = owner;
  }

  get isIn(): boolean {
    return this.stage !== Stage.OUT;
  }
}

/** Returns the number of connections, or of streams over HTTP/2, that usable endpoints may have. */
export type PlacesOf = () => number;

/**
 * The uploads of one pool: requests that would take a connection before their bodies are complete, and hold
 * it for as long as their clients take. They get a share of the connections (`limits.uploadShare`), so that
 * complete requests always find the rest. Over HTTP/2 it is a share of their streams, and gRPC calls are no
 * uploads (decision 100). Above the share an upload first waits for its own client:
 *
 *   PENDING --whole--> OUT, a request like any other        HOLDING --whole or over--> OUT
 *      └──more came than is kept for it--> READY --a place becomes free--> HOLDING
 *
 * For one that is READY, holding uploads that are slower than `limits.slowUploadBytesPerSecond` are ended.
 * When too many are PENDING, the one that has waited longest is ended. A free place that no READY upload
 * needs goes to a PENDING one, because its version may answer before the body is complete.
 */
export class Uploads {
  readonly #plan: VersionPlan;
  readonly #resources: UpstreamResources;
  readonly #places: PlacesOf;
  readonly #holding = new WaitQueue<UploadPlace>();
  readonly #pending = new WaitQueue<UploadPlace>();
  readonly #ready = new WaitQueue<UploadPlace>();
  readonly #sweep: Deadline;
  readonly #serve: () => void;
  #isServing = false;

  constructor(plan: VersionPlan, resources: UpstreamResources, places: PlacesOf) {
    this.#plan = plan;
    this.#resources = resources;
    this.#places = places;
    this.#sweep = new Deadline(() => {
      this.#fill();
      this.#makeRoom();
    });
    this.#serve = () => {
      this.#isServing = false;
      this.#fill();
    };
  }

  /** Uploads that wait for their clients or for a place. */
  get waiting(): number {
    return this.#pending.length + this.#ready.length;
  }

  /**
   * `enter` returns true when an upload may take a connection. After false it waits, and `onUploadPlace` or
   * `onUploadRefused` follows unless it leaves.
   */
  enter(place: UploadPlace): boolean {
    if (this.#hasRoom && this.waiting === 0) {
      this.#hold(place);
      return true;
    }
    if (this.waiting >= limits.waitingUploads) {
      const slowest = this.#pending.first;
      if (slowest === null) {
        this.#resources.counters.queueRefused(this.#plan);
        place.owner.onUploadRefused(Failure.OVERLOADED);
        return false;
      }
      this.#end(slowest);
    }
    place.stage = Stage.PENDING;
    this.#pending.add(place);
    this.#resources.counters.waitingUploadsChanged(this.#plan, 1);
    if (this.#hasRoom) this.#serveSoon();
    return false;
  }

  /** `ready` is called when no more of a waiting upload can be kept, or its client waits for a 100. */
  ready(place: UploadPlace): void {
    if (place.stage !== Stage.PENDING) return;
    this.#pending.remove(place);
    place.stage = Stage.READY;
    this.#ready.add(place);
    // Otherwise a sweep ran a moment ago, and the next one is due.
    if (this.#sweep.previous === null) this.#makeRoom();
  }

  /** `leave` is called when the body is complete or the call has ended. */
  leave(place: UploadPlace): void {
    const { stage } = place;
    place.stage = Stage.OUT;
    if (stage === Stage.HOLDING) {
      this.#holding.remove(place);
      this.#serveSoon();
      return;
    }
    (stage === Stage.READY ? this.#ready : this.#pending).remove(place);
    this.#resources.counters.waitingUploadsChanged(this.#plan, -1);
  }

  /** `placesChanged` is called when the number of places changed. */
  placesChanged(): void {
    this.#serveSoon();
  }

  get #hasRoom(): boolean {
    return this.#holding.length < Math.max(1, Math.floor(this.#places() * limits.uploadShare));
  }

  #hold(place: UploadPlace): void {
    place.stage = Stage.HOLDING;
    place.sinceUs = this.#resources.clock();
    this.#holding.add(place);
  }

  /** `#serveSoon` serves in the next tick: the call that freed its place may not have finished. */
  #serveSoon(): void {
    if (this.#isServing || this.waiting === 0) return;
    this.#isServing = true;
    process.nextTick(this.#serve);
  }

  #fill(): void {
    while (this.#hasRoom) {
      const place = this.#ready.first ?? this.#pending.first;
      if (place === null) return;
      this.leave(place);
      this.#hold(place);
      place.owner.onUploadPlace();
    }
  }

  /** `#makeRoom` ends up to as many slow uploads as others are READY for their places. */
  #makeRoom(): void {
    let wanted = this.#ready.length;
    if (wanted === 0) return;
    const { clock, deadlines } = this.#resources;
    const nowUs = clock();
    for (let place = this.#holding.first; place !== null && wanted > 0; ) {
      const next = place.nextWaiter;
      if (isSlow(place, nowUs)) {
        this.#end(place);
        wanted--;
      }
      place = next;
    }
    deadlines.set(this.#sweep, limits.slowUploadSweepMs, nowUs);
  }

  #end(place: UploadPlace): void {
    this.#resources.counters.slowUploadEnded(this.#plan);
    place.owner.onUploadRefused(Failure.SLOW_CLIENT);
  }
}

const US_PER_SECOND = 1e6;

function isSlow({ stage, sinceUs, owner }: UploadPlace, nowUs: number): boolean {
  const heldUs = nowUs - sinceUs;
  if (stage !== Stage.HOLDING || heldUs < limits.slowUploadGraceMs * 1e3 || !owner.awaitsClient) return false;
  return owner.requestBytes * US_PER_SECOND < limits.slowUploadBytesPerSecond * heldUs;
}
