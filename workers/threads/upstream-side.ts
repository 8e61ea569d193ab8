/**
 * The upstream pools of one thread. A reload keeps the pool of every version that did not change, with its
 * connections; the others drain.
 */
import { nowUs } from '../../core/clock.js';
import { causeText, type EndpointError } from '../../core/endpoint-cause.js';
import { type Guard, guardNames } from '../../core/http2/floods.js';
import type { Plan, VersionPlan } from '../../core/plan.js';
import type { Field } from '../../core/record/counter-table.js';
import { VersionCounters, VersionField } from '../../core/record/version-counters.js';
import type { Role } from '../../core/report/observed.js';
import type { Steps } from '../../core/steps.js';
import type { Endpoint } from '../../core/upstream/endpoint.js';
import { VersionPool } from '../../core/upstream/pool.js';
import { type UpstreamCounters, UpstreamResources } from '../../core/upstream/resources.js';
import type { Targets } from '../../core/upstream/target.js';
import type { CountersShares } from '../protocol/messages.js';
import { EndpointNews } from './endpoint-news.js';
import { say } from './thread.js';

/**
 * The pause between two log lines about missing resources, which would otherwise be logged for every
 * connection.
 */
const quietUs = 60e6;

/** Bounds on resets and on streams are for clients. */
const fieldByGuard: Partial<Readonly<Record<(typeof guardNames)[number], Field<'counter'>>>> = {
  frames: VersionField.http2Frames,
  block: VersionField.http2Block,
  lists: VersionField.http2Lists,
  settings: VersionField.http2Settings,
  window: VersionField.http2Window,
  closed: VersionField.http2Closed,
  output: VersionField.http2Output,
};
/** By `Guard`. */
const guardFields = guardNames.map((name) => fieldByGuard[name]);

export class UpstreamSide implements UpstreamCounters {
  readonly #resources = new UpstreamResources(nowUs, this);
  /** Counters by version name. A version that left the plan keeps them while its connections close. */
  readonly #counters = new Map<string, VersionCounters>();
  /** Until this time no further line about missing resources is logged. */
  #quietUntilUs = 0;
  readonly #news: EndpointNews;
  #pools = new Map<string, VersionPool>();
  #plan: Plan | null = null;
  /** The newest targets, which may arrive while a plan is being applied. */
  #targets: Targets = new Map();

  constructor(role: Role) {
    this.#news = new EndpointNews(role, say);
  }

  /**
   * `apply` applies the versions of `plan` in which this thread has a part. Replaced pools stay in use until
   * the returned function is called.
   */
  *apply(plan: Plan, targets: Targets, shares: CountersShares): Steps<() => void> {
    this.#targets = targets;
    const before = this.#pools;
    const pools = new Map<string, VersionPool>();
    for (const [index, version] of plan.versions.entries()) {
      const shared = shares.versions[index];
      if (shared === undefined) continue;
      yield;
      if (!this.#counters.has(version.name)) this.#counters.set(version.name, new VersionCounters(shared));
      const old = before.get(version.name);
      const kept = old?.sameAs(version) ? old : null;
      const found = this.#targets.get(version.name) ?? [];
      kept?.follow(found);
      pools.set(version.name, kept ?? new VersionPool(version, this.#resources, found));
    }
    this.#pools = pools;
    this.#plan = plan;
    if (this.#targets !== targets) this.move(this.#targets);
    return () => {
      for (const [name, pool] of before) if (pools.get(name) !== pool) pool.close();
    };
  }

  /**
   * `move` follows endpoints whose addresses changed, and drains connections to addresses that were removed.
   * `targets` may belong to a plan that is still to be applied: a version that it lacks keeps its addresses
   * until then.
   */
  move(targets: Targets): void {
    this.#targets = targets;
    for (const [name, pool] of this.#pools) {
      const moved = targets.get(name);
      if (moved !== undefined) pool.follow(moved);
    }
  }

  /** `releaseIdle` closes idle connections, because the process needs their descriptors. */
  releaseIdle(): void {
    for (const pool of this.#pools.values()) pool.releaseIdle();
  }

  /** `pool` returns the pool of the version at `index` in the current plan. */
  pool(index: number): VersionPool {
    return this.#pools.get(this.#name(index))!;
  }

  counters(index: number): VersionCounters {
    return this.#counters.get(this.#name(index))!;
  }

  connectionOpened(version: VersionPlan): void {
    this.#counters.get(version.name)!.add(VersionField.connectionsOpen, 1);
  }

  connectionClosed(version: VersionPlan): void {
    this.#counters.get(version.name)!.add(VersionField.connectionsOpen, -1);
  }

  idleChanged(version: VersionPlan, change: number): void {
    this.#counters.get(version.name)!.add(VersionField.connectionsIdle, change);
  }

  handshakeDone(version: VersionPlan, resumed: boolean): void {
    this.#counters.get(version.name)!.handshake(resumed);
  }

  waitingChanged(version: VersionPlan, change: number): void {
    this.#counters.get(version.name)!.add(VersionField.waiting, change);
  }

  queueRefused(version: VersionPlan): void {
    this.#counters.get(version.name)!.add(VersionField.queueRefused);
  }

  queueTimedOut(version: VersionPlan): void {
    this.#counters.get(version.name)!.add(VersionField.queueTimeouts);
  }

  waitingUploadsChanged(version: VersionPlan, change: number): void {
    this.#counters.get(version.name)!.add(VersionField.waitingUploads, change);
  }

  slowUploadEnded(version: VersionPlan): void {
    this.#counters.get(version.name)!.add(VersionField.slowUploads);
  }

  ejectedChanged(version: VersionPlan, change: number): void {
    this.#counters.get(version.name)!.addEjected(change);
  }

  connectionsHigh(version: VersionPlan): void {
    this.#counters.get(version.name)!.add(VersionField.connectionsHigh);
  }

  endpointFailed(version: VersionPlan, endpoint: Endpoint, error: EndpointError, ejectedMs: number): void {
    this.#counters.get(version.name)!.endpointFailed(error.cause);
    this.#news.failed(version.name, endpoint, error, ejectedMs);
  }

  endpointBack(version: VersionPlan, endpoint: Endpoint, answered: boolean): void {
    this.#news.back(version.name, endpoint, answered);
  }

  outOfResources(version: VersionPlan, error: EndpointError): void {
    const counters = this.#counters.get(version.name)!;
    counters.add(VersionField.outOfResources);
    counters.endpointFailed(error.cause);
    const now = nowUs();
    if (now < this.#quietUntilUs) return;
    this.#quietUntilUs = now + quietUs;
    const message = `version ${version.name}: no connection could be opened: ${causeText(error)}; raise LimitNOFILE=, or lower connections.max`;
    say({ type: 'log', level: 'error', message, fields: { version: version.name } });
  }

  http2Changed(version: VersionPlan, change: number): void {
    this.#counters.get(version.name)!.add(VersionField.http2Connections, change);
  }

  http2Guard(version: VersionPlan, guard: Guard): void {
    this.#counters.get(version.name)!.add(guardFields[guard] ?? VersionField.http2Frames);
  }

  requestRetried(version: VersionPlan): void {
    this.#counters.get(version.name)!.add(VersionField.retries);
  }

  #name(index: number): string {
    return this.#plan!.versions[index].name;
  }
}
