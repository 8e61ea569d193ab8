/**
 * The instances of a fleet exchange what they know of rollouts, through entries beside their plan:
 *
 *   KEY.rollout.ID   each process: records that it has taken, and its counts (core/rollout/member-report)
 *   KEY.rollout      the leader: its verdicts, and which member has taken which step
 *
 * Each entry is replaced as a whole once a second while a rollout runs, so a report that is lost costs
 * nothing, and whoever leads next finds everything there. Control thread.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { KV, KvEntry } from '@nats-io/kv';
import { wallClockMs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import { FleetBook, type HeardReport, type Standing } from '../../core/rollout/fleet-book.js';
import {
  decodeReport,
  encodeReport,
  type MemberReport,
  type StepReport,
} from '../../core/rollout/member-report.js';
import type { ReleaseCounts } from '../../core/rollout/release-counts.js';
import { type RolloutRecord, revisionOf } from '../../core/rollout/rollout-record.js';
import {
  decodeShown,
  encodeShown,
  type FleetShown,
  type ShownRollout,
} from '../../core/rollout/shown-rollout.js';
import type { StepEvidence } from '../../core/rollout/step-judge.js';
import { SoleRun } from '../../core/sole-run.js';
import type { AdminLog } from '../admin/deps.js';
import type { RolloutFleet } from '../control/rollout-fleet.js';
import { forgetKeys, readBucket } from '../nats/bucket.js';
import { natsReason } from '../nats/connect.js';
import type { Leadership } from './lease.js';
import type { LiveSharer } from './live-sharer.js';

/** What the instance says of its rollouts. */
export interface ExchangeHome {
  /** A rollout is not over. */
  readonly isActive: boolean;
  /** A step is to be taken by the others, who are looked at more often meanwhile. */
  readonly isWaiting: boolean;
  /** Rollouts that are not over. */
  reports(): readonly StepReport[];
  /** What the leader shows. */
  shown(): readonly ShownRollout[];
}

export interface ExchangeOptions {
  readonly planKey: string;
  /** Identifies this process. */
  readonly id: string;
  /** The instance's name, for people. */
  readonly name: string;
  readonly bucketName: string;
  readonly link: Pick<LiveSharer, 'bucket' | 'connection'>;
  readonly leadership: Leadership;
  readonly home: ExchangeHome;
  readonly log: Pick<AdminLog, 'info' | 'warn'>;
  /** Milliseconds, monotonic. */
  readonly nowMs?: () => number;
  readonly tickMs?: number;
}

export interface ExchangeCounts {
  sent: number;
  /** NATS did not take it. */
  failed: number;
  tooLarge: number;
  /** Reports of others that this release can't read. */
  unreadable: number;
}

const tickMs = 250;
const activeMs = 1000;
const idleMs = 2000;
/** How often the leader looks for entries of processes that are gone while no rollout runs. */
const cleanMs = 10_000;
/** What was read longer ago is not known any more. */
const knownMs = 3000;
const lastWordMs = 1000;
/** Room for NATS's own framing. */
const headBytes = 1024;
/** Blocks of each kind in a report: fewer where a report would be too large. */
const blocksTried = [60, 30, 15] as const;
const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

export class StepExchange implements RolloutFleet {
  readonly counts: ExchangeCounts = { sent: 0, failed: 0, tooLarge: 0, unreadable: 0 };
  readonly #options: ExchangeOptions;
  readonly #nowMs: () => number;
  readonly #epoch = `${wallClockMs()}`;
  readonly #timer: NodeJS.Timeout;
  readonly #key: string;
  #book: FleetBook;
  #sequence = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  #cleanedMs = Number.NEGATIVE_INFINITY;
  #readMs = Number.NEGATIVE_INFINITY;
  /** Reports as they were read last, by the id of their process. */
  #heardBefore: ReadonlyMap<string, HeardReport> = new Map();
  #shownMs = Number.NEGATIVE_INFINITY;
  #isDue = false;
  /** What the leader shows, the revision of its entry, and since when this one is known. */
  #shown: { readonly entry: number; readonly sinceMs: number; readonly what: FleetShown } | null = null;
  readonly #ticking = new SoleRun(() => this.#tick());
  #failing = '';

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#key = `${options.planKey}.rollout`;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#book = this.#newBook();
    options.leadership.onChange(() => {
      this.#book = this.#newBook();
    });
    this.#timer = setInterval(() => void this.tick(), options.tickMs ?? tickMs);
  }

  get leads(): boolean {
    return this.#options.leadership.isLeader;
  }

  get leader(): string | null {
    return this.#options.leadership.leader;
  }

  get name(): string {
    return this.#options.name;
  }

  standing(record: RolloutRecord): Standing | null {
    const { readMs } = this.#book;
    return readMs === null || this.#nowMs() - readMs > knownMs ? null : this.#book.standing(record);
  }

  lastStanding(record: RolloutRecord): Standing | null {
    return this.#book.readMs === null ? null : this.#book.standing(record);
  }

  evidence(record: RolloutRecord, own: StepEvidence): StepEvidence {
    return this.#book.evidence(record, own);
  }

  seconds(record: RolloutRecord): ReleaseCounts {
    return this.#book.seconds(record);
  }

  shown(record: RolloutRecord): ShownRollout | null {
    const shown = this.#shown;
    if (shown === null || this.#nowMs() - shown.sinceMs > limits.rolloutSilentMs) return null;
    const { rollouts } = shown.what;
    return rollouts.find((one) => one.id === record.id && one.revision === revisionOf(record)) ?? null;
  }

  soon(): void {
    this.#isDue = true;
  }

  /** `tick` sends and reads what is due. It never rejects. */
  tick(): Promise<void> {
    return this.#ticking.start();
  }

  /** The last word of this process, so that nobody waits for it. It takes a second at most. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const last = (this.#ticking.running ?? Promise.resolve()).then(async () => {
      const bucket = await this.#options.link.bucket();
      if (bucket !== null) await this.#send(bucket, true);
    });
    const late = new Promise<void>((resolve) => setTimeout(resolve, lastWordMs).unref());
    await Promise.race([last.catch(() => {}), late]);
  }

  #newBook(): FleetBook {
    return new FleetBook(this.#options.id, {
      silentMs: limits.rolloutSilentMs,
      lostMs: limits.rolloutLostMs,
    });
  }

  async #tick(): Promise<void> {
    const { home, link } = this.#options;
    const { isActive, isWaiting } = home;
    const isSendDue = this.#isDue || this.#nowMs() - this.#sentMs >= (isActive ? activeMs : idleMs);
    const isCleanDue = this.leads && this.#nowMs() - this.#cleanedMs >= cleanMs;
    const isReadDue =
      isCleanDue || (isActive && this.leads && (isWaiting || this.#nowMs() - this.#readMs >= activeMs));
    if (!isActive && !isSendDue && !isCleanDue) return;
    try {
      const bucket = await link.bucket();
      if (bucket === null) return;
      if (isSendDue) await this.#send(bucket, false);
      if (isReadDue) await this.#lead(isCleanDue);
      if (isActive) await (this.leads ? this.#show(bucket) : this.#follow(bucket));
      if (this.#failing !== '') this.#options.log.info({}, 'reports on rollouts are sent and read again');
      this.#failing = '';
    } catch (error) {
      this.counts.failed++;
      // The follower of the plan reports a lost connection.
      if (link.connection === null) return;
      const reason = natsReason(error);
      const message = `a report on rollouts was not sent or read: ${reason}`;
      if (this.#failing !== reason) this.#options.log.warn({}, message);
      this.#failing = reason;
    }
  }

  async #send(bucket: KV, left: boolean): Promise<void> {
    const { id, name, home, link, log } = this.#options;
    const bytesMax = Math.min(
      limits.rolloutReportBytes,
      (link.connection?.info?.max_payload ?? Number.POSITIVE_INFINITY) - headBytes,
    );
    this.#isDue = false;
    this.#sentMs = this.#nowMs();
    const about = { name, id, epoch: this.#epoch, sequence: ++this.#sequence, wallMs: wallClockMs(), left };
    const report: MemberReport = { ...about, rollouts: home.reports() };
    for (const blocksMax of blocksTried) {
      const text = JSON.stringify(encodeReport(report, blocksMax));
      if (text.length > limits.rolloutReportUnpackedBytes) continue;
      const bytes = await compress(text);
      if (bytes.length > bytesMax) continue;
      await bucket.put(`${this.#key}.${id}`, bytes);
      this.counts.sent++;
      return;
    }
    this.counts.tooLarge++;
    if (this.counts.tooLarge === 1)
      log.warn({}, `a report on rollouts is larger than ${bytesMax} bytes, so the leader gets none`);
  }

  async #lead(isCleanDue: boolean): Promise<void> {
    const { link, bucketName, home } = this.#options;
    const { connection } = link;
    const bucket = await link.bucket();
    if (connection === null || bucket === null) return;
    const under = `${this.#key}.`;
    const { entries, leftOut } = await readBucket(
      connection,
      bucket,
      bucketName,
      limits.rolloutMembers,
      limits.rolloutMembers * limits.rolloutReportBytes,
      under,
    );
    const heard = await Promise.all(
      entries.map((entry) => this.#heard(entry, entry.key.slice(under.length))),
    );
    this.#heardBefore = new Map(heard.map((one) => [one.id, one]));
    this.#readMs = this.#nowMs();
    this.#book.read(heard, leftOut, this.#readMs);
    if (!isCleanDue) return;
    this.#cleanedMs = this.#nowMs();
    const done = this.#book.done(new Set(home.reports().map(({ key }) => key)));
    await forgetKeys(
      connection,
      bucketName,
      done.map((id) => `${under}${id}`),
    );
  }

  async #heard({ revision, created, value }: KvEntry, id: string): Promise<HeardReport> {
    const before = this.#heardBefore.get(id);
    if (before?.entry === revision) return before;
    let report: MemberReport | null = null;
    try {
      if (value.length > limits.rolloutReportBytes) throw new Error('it is too large');
      const text = await decompress(value, { maxOutputLength: limits.rolloutReportUnpackedBytes });
      report = decodeReport(JSON.parse(text.toString('utf8')));
    } catch {
      this.counts.unreadable++;
    }
    return { id, entry: revision, storedMs: created.getTime(), report };
  }

  async #show(bucket: KV): Promise<void> {
    if (this.#nowMs() - this.#shownMs < activeMs) return;
    this.#shownMs = this.#nowMs();
    const text = JSON.stringify(encodeShown({ leader: this.name, rollouts: this.#options.home.shown() }));
    if (text.length <= limits.rolloutReportBytes) await bucket.put(this.#key, text);
  }

  async #follow(bucket: KV): Promise<void> {
    if (this.#nowMs() - this.#shownMs < activeMs) return;
    this.#shownMs = this.#nowMs();
    const entry = await bucket.get(this.#key);
    if (entry?.operation !== 'PUT' || entry.revision === this.#shown?.entry) return;
    if (entry.value.length > limits.rolloutReportBytes) return;
    try {
      const what = decodeShown(JSON.parse(entry.string()));
      this.#shown = { entry: entry.revision, sinceMs: this.#nowMs(), what };
    } catch {
      this.counts.unreadable++;
    }
  }
}
