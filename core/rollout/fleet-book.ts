/**
 * What the leader of a fleet knows of the other instances: which of them are there, which record of a rollout
 * each has taken, and what each counted. The leader's own clock alone decides who is silent, and only the
 * time counts in which it could read the bucket: while NATS is gone nobody grows silent. Pure; the leader
 * feeds it with the entries of the bucket.
 */
import { spanText } from '../report/figures.js';
import type { MemberReport, StepReport } from './member-report.js';
import { mergeEvidence } from './merged-evidence.js';
import { type ReleaseCounts, sumReleases } from './release-counts.js';
import { evidenceKey, type RolloutRecord, revisionOf } from './rollout-record.js';
import type { StepEvidence } from './step-judge.js';

/** An entry of the bucket. */
export interface HeardReport {
  /** The id of the process. */
  readonly id: string;
  /** The revision of the entry, which rises with each report. */
  readonly entry: number;
  /** When the server stored it, by the server's clock. */
  readonly storedMs: number;
  /** Null: it can't be read by this release. */
  readonly report: MemberReport | null;
}

/**
 * `lost`: silent for so long that rollouts continue without it, or replaced by a process of the same name.
 */
export type Presence = 'live' | 'silent' | 'lost' | 'left';

export interface FleetMember {
  readonly name: string;
  readonly id: string;
  readonly presence: Presence;
  readonly silentMs: number;
  /** What it reports of one rollout; null: nothing. */
  readonly step: StepReport | null;
}

/** How the members stand to one record. Names are those of instances. */
export interface Standing {
  readonly members: readonly FleetMember[];
  /** Live ones that have not taken the record, each with what it says. */
  readonly behind: readonly string[];
  /** Why the figures are not those of the whole fleet; null: they are. */
  readonly absent: string | null;
}

export interface FleetTimes {
  /** Silent after so long. */
  readonly silentMs: number;
  /** Lost after so long. */
  readonly lostMs: number;
}

interface Known {
  readonly heard: HeardReport;
  readonly silentMs: number;
}

/** The time between two reads counts at most so long: longer ones are times without the bucket. */
const readGapMs = 2000;
const msPerS = 1000;

export class FleetBook {
  readonly #ownId: string;
  readonly #times: FleetTimes;
  #known: ReadonlyMap<string, Known> = new Map();
  #readMs: number | null = null;
  /** Entries that were not read, because there are too many. */
  #leftOut = 0;

  constructor(ownId: string, times: FleetTimes) {
    this.#ownId = ownId;
    this.#times = times;
  }

  /** When the bucket was read last, by the clock of `read`; null: not yet. */
  get readMs(): number | null {
    return this.#readMs;
  }

  /** `read` takes all entries that the bucket has at `nowMs`, a monotonic clock. */
  read(all: readonly HeardReport[], leftOut: number, nowMs: number): void {
    const passedMs = this.#readMs === null ? 0 : Math.min(nowMs - this.#readMs, readGapMs);
    this.#readMs = nowMs;
    this.#leftOut = leftOut;
    const known = new Map<string, Known>();
    const newestMs = Math.max(...all.map(({ storedMs }) => storedMs));
    for (const heard of all) {
      const before = this.#known.get(heard.id);
      if (before === undefined) {
        // Who leads from now on waits for whoever is behind the others, but gives nobody up.
        const silentMs = Math.min(newestMs - heard.storedMs, this.#times.silentMs);
        known.set(heard.id, { heard, silentMs });
      } else if (isLater(heard, before.heard)) known.set(heard.id, { heard, silentMs: 0 });
      else known.set(heard.id, { ...before, silentMs: before.silentMs + passedMs });
    }
    this.#known = known;
  }

  /** The other members, with what they report of a rollout; this instance is not among them. */
  members({ route, id }: Pick<RolloutRecord, 'route' | 'id'>): FleetMember[] {
    return this.#others.map((known): FleetMember => {
      const { heard, silentMs } = known;
      const { report } = heard;
      const step = report?.rollouts.find((one) => one.route === route && one.id === id) ?? null;
      const name = report?.name ?? heard.id;
      return { name, id: heard.id, presence: this.#presenceOf(known), silentMs, step };
    });
  }

  standing(record: RolloutRecord): Standing {
    const members = this.members(record);
    const live = members.filter(({ presence }) => presence === 'live');
    const behind = live.flatMap((member) => {
      const why = this.#whyBehind(member, record);
      return why === null ? [] : [`${member.name} ${why}`];
    });
    const key = evidenceKey(record);
    const gathering = live.filter(({ step }) => step !== null && step.key !== key).map(({ name }) => name);
    const absent = [
      ...members
        .filter(({ presence }) => presence === 'silent')
        .map(({ name, silentMs }) => `${name} has not reported for ${spanText(silentMs / msPerS)}`),
      ...(this.#leftOut > 0 ? [`${this.#leftOut} instances are too many to be read`] : []),
      ...behind,
      ...(behind.length === 0 && gathering.length > 0 ? [`${gathering.join(', ')} begins to count`] : []),
    ];
    return { members, behind, absent: absent.length === 0 ? null : absent.join('; ') };
  }

  /**
   * What all members counted since the record is in force, and `own` of this one. What a member counted that
   * is silent or gone happened, too.
   */
  evidence(record: RolloutRecord, own: StepEvidence): StepEvidence {
    const steps = this.#stepsOf(record, this.#others);
    return mergeEvidence([own, ...steps.map(({ evidence }) => evidence)], this.#skewMs);
  }

  /** What the others that are live answered in the last few seconds. */
  seconds(record: RolloutRecord): ReleaseCounts {
    const live = this.#others.filter((known) => this.#presenceOf(known) === 'live');
    return sumReleases(this.#stepsOf(record, live).map(({ seconds }) => seconds));
  }

  /** Ids of processes that are gone, and whose figures no rollout in `keys` needs. */
  done(keys: ReadonlySet<string>): string[] {
    return this.#others
      .filter((known) => ['left', 'lost'].includes(this.#presenceOf(known)))
      .filter(({ heard }) => heard.report?.rollouts.every(({ key }) => !keys.has(key)) ?? true)
      .map(({ heard }) => heard.id);
  }

  get #others(): Known[] {
    return [...this.#known.values()].filter(({ heard }) => heard.id !== this.#ownId);
  }

  #stepsOf(record: RolloutRecord, all: readonly Known[]): StepReport[] {
    const key = evidenceKey(record);
    return all.flatMap(({ heard }) => heard.report?.rollouts.filter((one) => one.key === key) ?? []);
  }

  #presenceOf({ heard, silentMs }: Known): Presence {
    const { report, id } = heard;
    if (report?.left === true) return 'left';
    if (silentMs < this.#times.silentMs) return 'live';
    if (silentMs >= this.#times.lostMs) return 'lost';
    const isReplaced = [...this.#known.values()].some(
      (other) =>
        other.heard.id !== id &&
        other.heard.report?.name === report?.name &&
        other.heard.report?.left === false &&
        other.silentMs < this.#times.silentMs,
    );
    return isReplaced ? 'lost' : 'silent';
  }

  #whyBehind({ id, step }: FleetMember, record: RolloutRecord): string | null {
    if (this.#known.get(id)?.heard.report === null) return 'sends a report that this release can not read';
    if (step === null) return 'has not taken it';
    if (step.revision < revisionOf(record)) return `is still at step ${step.step + 1}`;
    // A newer one is about to be read here, too.
    return step.differs === null ? null : `can not take it: ${step.differs}`;
  }

  /** By how much the clocks of members differ at most, as the server saw them. */
  get #skewMs(): number {
    const ahead = [...this.#known.values()].flatMap(({ heard: { report, storedMs } }) =>
      report === null ? [] : [storedMs - report.wallMs],
    );
    return ahead.length === 0 ? 0 : Math.max(...ahead) - Math.min(...ahead);
  }
}

/** A report that was sent earlier may be stored later, where its way was longer. */
function isLater(a: HeardReport, b: HeardReport): boolean {
  if (a.report !== null && b.report !== null && a.report.epoch === b.report.epoch)
    return a.report.sequence > b.report.sequence;
  return a.entry > b.entry;
}
