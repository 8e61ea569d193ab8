/**
 * Instances of a fleet in one thread: their drivers, live changes and books are real, and the test moves the
 * clock. A bucket in memory takes the place of NATS, and an instance can be cut off from it.
 */
import { compilePlan } from '../../../config/compile.js';
import { compileLiveMirror } from '../../../config/live-mirror.js';
import { loadConfig } from '../../../config/load.js';
import { MirrorSlots } from '../../../config/slots.js';
import { Failure } from '../../../core/errors.js';
import { withLive } from '../../../core/live/live-plan.js';
import { reconcile } from '../../../core/live/reconcile.js';
import type { Plan, RolloutPlan } from '../../../core/plan.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import type { Observed } from '../../../core/report/observed.js';
import { FleetBook, type HeardReport } from '../../../core/rollout/fleet-book.js';
import type { RolloutRecord } from '../../../core/rollout/rollout-record.js';
import type { ShownRollout } from '../../../core/rollout/shown-rollout.js';
import type { RolloutFleet } from '../../../workers/control/rollout-fleet.js';
import { Rollouts } from '../../../workers/control/rollouts.js';
import { RunningLive } from '../../../workers/main/running-live.js';
import type { ShareResult } from '../../../workers/protocol/live-change.js';

const lookMs = 250;
const requestsPerLook = 40;

export const roomPlan: RolloutPlan = {
  to: 'v2',
  steps: [10, 50, 100].map((percent) => ({
    kind: 'release',
    shareMillionths: percent * 10_000,
    atLeastMs: percent === 100 ? 0 : 1000,
    atMostMs: 120_000,
    requestsMin: 50,
  })),
  onUndecided: 'hold',
  watchMs: 2000,
  bounds: { shift: null, p99Delta: null, errorDelta: 0.05, diff: null },
  errorsMax: 0.1,
  pairs: false,
  ...{ onStep: { kind: 'http', url: 'http://127.0.0.1:1', timeoutMs: 1 }, onRollback: null, onDone: null },
};

const versions = 'versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2" }';
const text = `${versions}\nroutes: [ { name: reviews, primary: v1 } ]`;
const withoutV2 = 'versions: { v1: "http://127.0.0.1:1" }\nroutes: [ { name: reviews, primary: v1 } ]';

function configured(words: string) {
  const loaded = loadConfig(words, 'test.yaml');
  if (!loaded.ok) throw new Error('the configuration is wrong');
  const slots = new MirrorSlots();
  return { config: loaded.config, slots, plan: compilePlan(loaded.config, 1, slots, 2) };
}

export class Room {
  nowMs = 1_000_000;
  readonly reports = new Map<string, HeardReport>();
  readonly members: RoomMember[] = [];
  /** How often a step was reported to hooks. */
  readonly hooked: string[] = [];
  bucket: { text: string | null; revision: number } = { text: null, revision: 0 };
  /** What the leader has shown last. */
  shown: ShownRollout | null = null;
  entries = 0;

  add(name: string, options: MemberOptions = {}): RoomMember {
    const member = new RoomMember(this, name, options);
    this.members.push(member);
    return member;
  }

  /** Looks of all members, one after the other. */
  async look(times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      this.nowMs += lookMs;
      for (const member of this.members) await member.look();
    }
  }

  /** Looks until `holds`; throws after two minutes. */
  async until(holds: () => boolean): Promise<void> {
    for (let i = 0; i < 480; i++) {
      if (holds()) return;
      await this.look();
    }
    throw new Error(`timed out waiting; members are at ${this.members.map((one) => one.place)}`);
  }

  share(written: string, revision: number): ShareResult {
    if (revision !== this.bucket.revision) return { kind: 'newer', ...this.bucket };
    this.bucket = { text: written, revision: ++this.entries };
    return { kind: 'kept', revision: this.bucket.revision };
  }
}

export interface MemberOptions {
  /** Its configuration has no v2. */
  readonly lacksV2?: boolean;
}

export class RoomMember {
  leads = false;
  isCut = false;
  /** Its threads do not take what the bucket says. */
  isStuck = false;
  /** v2 can not be reached from here. */
  isBroken = false;
  readonly id: string;
  readonly rollouts: Rollouts;
  readonly logged: string[] = [];
  readonly #room: Room;
  readonly #configured: ReturnType<typeof configured>;
  readonly #live: RunningLive;
  readonly #book: { of: FleetBook };
  readonly #old = new VersionCounters(VersionCounters.create());
  readonly #fresh = new VersionCounters(VersionCounters.create());
  #sequence = 0;
  #led = false;

  constructor(
    room: Room,
    readonly name: string,
    options: MemberOptions,
  ) {
    this.#room = room;
    this.id = `${name}-${room.entries++}`;
    this.#configured = configured(options.lacksV2 ? withoutV2 : text);
    this.#live = new RunningLive({
      directory: null,
      shared: { place: 'the bucket', ...room.bucket },
      own: async () => null,
      share: async (written, revision) =>
        this.isCut ? { kind: 'failed', reason: 'it is gone' } : room.share(written, revision),
      log: (_level, message) => this.logged.push(message),
    });
    this.#book = { of: this.#newBook() };
    const log = (_fields: object, message: string): unknown => this.logged.push(message);
    this.rollouts = new Rollouts(
      {
        observed: () => this.#observed(),
        live: () => this.#live.state,
        diffs: () => ({ groups: [], mirrors: [] }),
        wallMs: () => room.nowMs,
        heldSinceMs: () => null,
        setLive: async (route, change, mustShare) => {
          const ask = { what: 'live', route, change, by: 'rollout', mustShare } as const;
          const made = await this.#live.make(ask, this.#configured.plan, () => null);
          return made.ok ? { ok: true, generation: 1, kept: made.kept } : { ...made, problems: [] };
        },
        unshared: () => this.#live.view.unshared,
        fleet: this.#fleet(),
        runHook: (_hook, { state, step }) => room.hooked.push(`${state} ${step + 1}`),
        changed: () => {},
        log: { info: log, warn: log, error: log },
      },
      () => true,
    );
    // The test looks.
    this.rollouts.stop();
  }

  get record(): RolloutRecord {
    return this.rollouts.of('reviews')!.record;
  }

  get place(): string {
    const { state, step } = this.rollouts.of('reviews')?.record ?? { state: 'none', step: -1 };
    return `${state} ${step + 1}`;
  }

  /** The share that v2 answers here. */
  get share(): number {
    const [route] = this.#plan().routes;
    const all = route.primaries.reduce((sum, { weight }) => sum + weight, 0);
    const fresh = route.primaries.filter(({ version }) => this.#plan().versions[version].name === 'v2');
    return fresh.reduce((sum, { weight }) => sum + weight, 0) / all;
  }

  async look(): Promise<void> {
    const room = this.#room;
    if (this.leads !== this.#led) this.#book.of = this.#newBook();
    this.#led = this.leads;
    this.#count();
    if (!this.isCut && !this.isStuck) {
      const { revision, unshared } = this.#live.view;
      if (revision !== room.bucket.revision || unshared > 0)
        await this.#live.take({ place: 'the bucket', ...room.bucket }, this.#configured.plan);
      this.rollouts.follow();
    }
    if (!this.isCut) {
      const about = { name: this.name, id: this.id, epoch: 'e', wallMs: room.nowMs, left: false };
      const report = { ...about, sequence: ++this.#sequence, rollouts: this.rollouts.reports() };
      room.reports.set(this.id, { id: this.id, entry: ++room.entries, storedMs: room.nowMs, report });
      if (this.leads) this.#book.of.read([...room.reports.values()], 0, room.nowMs);
    }
    if (!this.isStuck) this.rollouts.look();
    if (this.leads && !this.isCut) room.shown = this.rollouts.of('reviews')?.shown ?? null;
    await new Promise((resolve) => setImmediate(resolve));
  }

  #newBook(): FleetBook {
    return new FleetBook(this.id, { silentMs: 5000, lostMs: 60_000 });
  }

  #fleet(): RolloutFleet {
    const book = (): FleetBook => this.#book.of;
    const member = this;
    return {
      get leads() {
        return member.leads;
      },
      get leader() {
        if (member.isCut) return null;
        return member.#room.members.find(({ leads, isCut }) => leads && !isCut)?.name ?? null;
      },
      name: this.name,
      standing: (record) => (this.isCut || book().readMs === null ? null : book().standing(record)),
      lastStanding: (record) => book().standing(record),
      evidence: (record, own) => book().evidence(record, own),
      seconds: (record) => book().seconds(record),
      shown: () => member.#room.shown,
      soon: () => {},
    };
  }

  /** Requests of one look, by the weights in force. */
  #count(): void {
    const fresh = Math.round(requestsPerLook * this.share);
    for (let i = 0; i < requestsPerLook; i++) {
      const counters = i < fresh ? this.#fresh : this.#old;
      counters.requestStarted();
      if (i < fresh && this.isBroken) counters.failure(Failure.CONNECT);
      else counters.response(200);
    }
  }

  #plan(): Plan {
    const { config, plan, slots } = this.#configured;
    const { state } = reconcile(this.#live.state, plan);
    return withLive(plan, state, (mirror) => compileLiveMirror(config, plan, slots, mirror));
  }

  #observed(): Observed {
    const releases = [
      { route: 'reviews', version: 'v1', counters: [this.#old] },
      { route: 'reviews', version: 'v2', counters: [this.#fresh] },
    ];
    return { plan: this.#plan(), releases, mirrors: [], endpoints: [] } as unknown as Observed;
  }
}
