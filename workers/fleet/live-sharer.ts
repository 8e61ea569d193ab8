/**
 * Shares live changes through the bucket of the plan: an entry beside the plan, which each instance looks at
 * once a second and replaces only if nobody else did. Control thread; main owns the live changes.
 */
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { limits } from '../../core/limits.js';
import type { AdminLog } from '../admin/deps.js';
import { openBucket } from '../nats/bucket.js';
import { natsReason } from '../nats/connect.js';
import { NatsLink } from '../nats/link.js';
import type { LiveView, SharedLive, ShareResult } from '../protocol/live-change.js';
import type { ChangeAnswer, PlanSource } from '../protocol/messages.js';

export interface SharerOptions {
  readonly source: PlanSource;
  readonly view: () => LiveView;
  /** Gives main an entry. */
  readonly take: (live: SharedLive) => Promise<ChangeAnswer>;
  readonly log: AdminLog;
}

const lookMs = 1000;
/** JetStream's word for a revision that is not the last one. */
const wrongLastSequence = 10_071;

/** The key of the entry beside a plan. */
export function liveKey(planKey: string): string {
  return `${planKey}.live`;
}

export class LiveSharer {
  readonly #options: SharerOptions;
  readonly #link: NatsLink;
  readonly #timer: NodeJS.Timeout;
  readonly #key: string;
  #bucket: KV | null = null;
  #busy = false;
  /** The revision that main has refused, which is not given to it again. */
  #refused = -1;

  constructor(options: SharerOptions) {
    this.#options = options;
    this.#key = liveKey(options.source.place.key);
    const forget = (): void => {
      this.#bucket = null;
    };
    // The follower of the plan reports the state of the same server.
    this.#link = new NatsLink(options.source.place.nats, { onUp: forget, onDown: forget });
    this.#timer = setInterval(() => void this.#look(), lookMs);
  }

  /** Null while it is down. */
  get connection(): NatsConnection | null {
    return this.#link.connection;
  }

  /** The bucket of the plan; null while it can't be reached. Rejects where JetStream does not answer. */
  async bucket(): Promise<KV | null> {
    const { connection } = this.#link;
    if (connection === null) return null;
    this.#bucket ??= await openBucket(connection, this.#options.source.place.bucket);
    return this.#bucket;
  }

  /** `share` resolves within `limits.shareLiveMs`. What failed may still arrive later. */
  async share(text: string, revision: number): Promise<ShareResult> {
    const late = new Promise<ShareResult>((resolve) => {
      const failed = {
        kind: 'failed',
        reason: `NATS did not answer within ${limits.shareLiveMs} ms`,
      } as const;
      setTimeout(() => resolve(failed), limits.shareLiveMs).unref();
    });
    return Promise.race([this.#share(text, revision), late]);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#link.stop();
  }

  async #share(text: string, revision: number): Promise<ShareResult> {
    try {
      const bucket = await this.bucket();
      if (bucket === null) return { kind: 'failed', reason: "NATS can't be reached, or has no such bucket" };
      try {
        const kept =
          revision === 0
            ? await bucket.create(this.#key, text)
            : await bucket.update(this.#key, text, revision);
        return { kind: 'kept', revision: kept };
      } catch (error) {
        if (!isConflict(error)) throw error;
        const { text: newer, revision } = await this.#read(bucket);
        return { kind: 'newer', text: newer, revision };
      }
    } catch (error) {
      this.#bucket = null;
      return { kind: 'failed', reason: natsReason(error) };
    }
  }

  async #look(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const bucket = await this.bucket();
      if (bucket === null) return;
      const live = await this.#read(bucket);
      const { revision, unshared } = this.#options.view();
      if (live.revision === this.#refused || (live.revision === revision && unshared === 0)) return;
      const answer = await this.#options.take(live);
      this.#refused = answer.ok ? -1 : live.revision;
      if (!answer.ok) this.#options.log.error({ revision: live.revision }, answer.message);
    } catch {
      this.#bucket = null;
    } finally {
      this.#busy = false;
    }
  }

  async #read(bucket: KV): Promise<SharedLive> {
    const { place } = this.#options.source.live;
    const entry = await bucket.get(this.#key);
    if (entry?.operation !== 'PUT') return { place, text: null, revision: 0 };
    const { revision, value } = entry;
    // Longer than any that umbra writes: it is refused as what it is.
    const text = Buffer.from(value.subarray(0, limits.liveStateBytes + 1)).toString('utf8');
    return { place, text, revision };
  }
}

/** `isConflict` returns true where another instance has written the entry first. */
function isConflict(error: unknown): boolean {
  return (error as { code?: unknown }).code === wrongLastSequence;
}
