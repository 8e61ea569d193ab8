/**
 * Publishes what this process has counted, as the last value of its key in a bucket. Control thread. One
 * snapshot is under way at a time, and one that can't go is skipped and counted: the next one says all that
 * it would have said.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { KV } from '@nats-io/kv';
import { effectiveConfig } from '../../config/effective.js';
import { formatFleetAddress } from '../../config/nats-address.js';
import { encodeMember, type Member } from '../../core/fleet/member.js';
import { limits } from '../../core/limits.js';
import type { FleetPlan, Plan } from '../../core/plan.js';
import type { PublishingState } from '../../core/report/control-counts.js';
import type { AdminLog } from '../admin/deps.js';
import { openOrMakeBucket } from '../nats/bucket.js';
import { natsReason } from '../nats/connect.js';
import { NatsLink } from '../nats/link.js';

/** Room for NATS's own framing. */
const headBytes = 1024;
const lastWordMs = 1000;
const compress = promisify(gzip);

export interface PublisherOptions {
  /** Identifies this process. */
  readonly id: string;
  /** It runs a configuration as others do, which readers distinguish from theirs. */
  readonly isInstance: boolean;
  readonly read: () => Pick<Member, 'reading' | 'diffs' | 'rollouts' | 'revision'>;
  readonly log: AdminLog;
}

export class FleetPublisher {
  readonly #options: PublisherOptions;
  #plan: FleetPlan | null = null;
  #configuration = '';
  #state: PublishingState | null = null;
  #link: NatsLink | null = null;
  #bucket: KV | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  /** What it failed with last. */
  #failing = '';

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get state(): PublishingState | null {
    return this.#state;
  }

  apply(plan: Plan): void {
    this.#configuration = this.#options.isInstance ? digestOf(plan) : '';
    const { fleet } = plan;
    if (this.#state !== null) this.#state.configuration = this.#configuration;
    if (JSON.stringify(fleet) === JSON.stringify(this.#plan)) return;
    void this.#stop();
    this.#plan = fleet;
    this.#state = null;
    if (fleet === null) return;
    const counts = { connected: false, published: 0, skipped: 0, failed: 0 };
    this.#state = { name: fleet.name, configuration: this.#configuration, ...counts };
    const address = formatFleetAddress({ ...fleet, nats: { ...fleet.nats, user: null } });
    const { log } = this.#options;
    const link = new NatsLink(fleet.nats, {
      onUp: () => {
        this.#setConnected(link, true);
        log.info({ fleet: address }, `snapshots go to ${address} as ${fleet.name}`);
      },
      onDown: (why) => {
        this.#setConnected(link, false);
        log.warn({ fleet: address }, `no snapshots go to ${address}: ${why}; it is tried again for ever`);
      },
    });
    this.#link = link;
    this.#timer = setInterval(() => this.#tick(), fleet.intervalMs);
  }

  /** The last word of this process, so that its counts are not lost; takes a second at most. */
  async close(): Promise<void> {
    // Or the last word would not be the last.
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#link?.connection != null && this.#plan !== null) {
      const last = (this.#sending ?? Promise.resolve()).then(() => this.#send(this.#plan!, true));
      await Promise.race([last, new Promise((resolve) => setTimeout(resolve, lastWordMs))]);
    }
    await this.#stop();
  }

  #setConnected(link: NatsLink, isConnected: boolean): void {
    if (this.#link !== link || this.#state === null) return;
    this.#state.connected = isConnected;
    this.#bucket = null;
  }

  async #stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const link = this.#link;
    this.#link = null;
    this.#bucket = null;
    await link?.stop();
  }

  #tick(): void {
    if (this.#sending !== null || this.#link?.connection == null) {
      this.#state!.skipped++;
      return;
    }
    this.#sending = this.#send(this.#plan!, false).finally(() => {
      this.#sending = null;
    });
  }

  async #send(plan: FleetPlan, left: boolean): Promise<void> {
    const { log, id, read } = this.#options;
    const state = this.#state!;
    try {
      const connection = this.#link?.connection;
      if (connection == null) return;
      this.#bucket ??= await openOrMakeBucket(connection, plan.bucket, limits.fleetMemoryMs);
      const member: Member = {
        name: plan.name,
        id,
        intervalMs: plan.intervalMs,
        left,
        configuration: this.#configuration,
        ...read(),
      };
      const bytes = await compress(JSON.stringify(encodeMember(member)));
      const bytesMax = (connection.info?.max_payload ?? Number.POSITIVE_INFINITY) - headBytes;
      if (bytes.length > bytesMax)
        throw new Error(`a snapshot of ${bytes.length} bytes is larger than the server's max_payload`);
      await this.#bucket.put(`${plan.name}.${id}`, bytes);
      state.published++;
      if (this.#failing !== '') log.info({}, 'snapshots are published again');
      this.#failing = '';
    } catch (error) {
      state.failed++;
      // Whoever removed the bucket, or lost it with its memory, finds it made again.
      this.#bucket = null;
      // The link has reported a lost connection.
      if (this.#link?.connection == null) return;
      const reason = natsReason(error);
      if (this.#failing !== reason) log.warn({}, `a snapshot was not published: ${reason}`);
      this.#failing = reason;
    }
  }
}

/**
 * The digest of what decides where requests and copies go; listeners, names and files are each instance's
 * own.
 */
function digestOf(plan: Plan): string {
  const { versions, routes, sampling } = effectiveConfig(plan) as Record<string, unknown>;
  return createHash('sha256')
    .update(JSON.stringify([versions, routes, sampling]))
    .digest('hex')
    .slice(0, 16);
}
