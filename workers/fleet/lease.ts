/**
 * One instance of a fleet leads: the holder of a lease in the bucket of the plan, which it renews by a change
 * of its revision. The others take it over when the revision has not changed for the length of the lease, as
 * they have seen it on their own clocks. So clocks of machines are never compared. The holder counts from
 * before each renewal, and stops a second earlier, so that two never lead at a time. Control thread.
 */
import type { KV } from '@nats-io/kv';
import { limits } from '../../core/limits.js';
import { SoleRun } from '../../core/sole-run.js';
import type { AdminLog } from '../admin/deps.js';

/** What a driver that runs on one instance alone needs to know. */
export interface Leadership {
  /** Whether this instance leads now. Ask again after each wait. */
  readonly isLeader: boolean;
  /** The name of the instance that leads, as far as this one knows; null: unknown. */
  readonly leader: string | null;
  /** `listener` is called when this instance begins to lead, or no longer does. */
  onChange(listener: (isLeader: boolean) => void): () => void;
}

/** An instance that is not one of a fleet always leads. */
export const alone: Leadership = { isLeader: true, leader: null, onChange: () => () => {} };

export interface LeaseOptions {
  readonly key: string;
  /** Identifies this process. */
  readonly id: string;
  /** The instance's name, for people. */
  readonly name: string;
  /** Null while the bucket can't be reached. */
  bucket(): Promise<KV | null>;
  readonly log: Pick<AdminLog, 'info' | 'warn'>;
  /** Milliseconds, monotonic. */
  readonly nowMs?: () => number;
  readonly leaseMs?: number;
}

interface Holder {
  readonly id: string;
  readonly name: string;
}

const renewalsPerLease = 4;
/** Time that a holder stops earlier, as a part of the lease. */
const marginShare = 0.2;

export class Lease implements Leadership {
  readonly #options: LeaseOptions;
  readonly #nowMs: () => number;
  readonly #leaseMs: number;
  readonly #listeners = new Set<(isLeader: boolean) => void>();
  readonly #timer: NodeJS.Timeout;
  #expiry: NodeJS.Timeout | null = null;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #led = false;
  /** The other holder that the last look found. */
  #leader: string | null = null;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** The revision of another holder, and since when it has not changed. */
  #seen = { revision: -1, sinceMs: 0 };
  #ownRevision = -1;
  readonly #looking = new SoleRun(() => this.#look());
  #stopped = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#leaseMs = options.leaseMs ?? limits.leaseMs;
    this.#timer = setInterval(() => void this.tick(), this.#leaseMs / renewalsPerLease);
    void this.tick();
  }

  get isLeader(): boolean {
    return !this.#stopped && this.#nowMs() < this.#heldUntilMs;
  }

  get leader(): string | null {
    if (this.isLeader) return this.#options.name;
    return this.#nowMs() - this.#lookedMs < this.#leaseMs ? this.#leader : null;
  }

  onChange(listener: (isLeader: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `tick` renews the lease, or looks whether it is free. It never rejects. */
  tick(): Promise<void> {
    return this.#looking.start();
  }

  /** `stop` gives the lease up, so that another instance leads at once. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking.running;
    const wasHolder = this.isLeader;
    this.#stopped = true;
    this.#tell();
    if (!wasHolder) return;
    try {
      const bucket = await this.#options.bucket();
      await bucket?.delete(this.#options.key, { previousSeq: this.#ownRevision });
    } catch {
      // It ends by itself.
    }
  }

  async #look(): Promise<void> {
    const { key, id, bucket: open } = this.#options;
    const startMs = this.#nowMs();
    try {
      const bucket = await open();
      if (bucket === null) return this.#tell();
      const entry = await bucket.get(key);
      if (entry?.operation !== 'PUT') return this.#held(await bucket.create(key, this.#words), startMs);
      const holder = holderOf(entry.string());
      if (holder?.id === id)
        return this.#held(await bucket.update(key, this.#words, entry.revision), startMs);
      this.#leader = holder?.name ?? null;
      this.#lookedMs = this.#nowMs();
      if (entry.revision !== this.#seen.revision)
        this.#seen = { revision: entry.revision, sinceMs: this.#nowMs() };
      const isFree = this.#nowMs() - this.#seen.sinceMs >= this.#leaseMs;
      if (isFree) this.#held(await bucket.update(key, this.#words, entry.revision), startMs);
    } catch {
      // Another instance was quicker, or NATS does not answer: the lease runs out unless it is renewed.
    } finally {
      this.#tell();
    }
  }

  get #words(): string {
    const { id, name } = this.#options;
    return JSON.stringify({ id, name } satisfies Holder);
  }

  #held(revision: number, startMs: number): void {
    this.#ownRevision = revision;
    this.#heldUntilMs = startMs + this.#leaseMs * (1 - marginShare);
    if (this.#expiry !== null) clearTimeout(this.#expiry);
    const leftMs = Math.max(0, this.#heldUntilMs - this.#nowMs());
    this.#expiry = setTimeout(() => this.#tell(), leftMs + 1);
    this.#expiry.unref();
  }

  /** Reports each change once. */
  #tell(): void {
    const leads = this.isLeader;
    if (leads === this.#led) return;
    this.#led = leads;
    const { name, log } = this.#options;
    if (leads) log.info({ leader: name }, 'this instance leads the fleet');
    else if (!this.#stopped)
      log.warn({}, 'this instance no longer leads the fleet: its lease was not renewed');
    for (const listener of this.#listeners) listener(leads);
  }
}

function holderOf(text: string): Holder | null {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    return typeof value?.id === 'string' && typeof value.name === 'string'
      ? { id: value.id, name: value.name }
      : null;
  } catch {
    return null;
  }
}
