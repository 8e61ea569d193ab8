import type { Clock } from '../clock.js';
import { type Failure, failureReasons } from '../errors.js';
import type { ResponseHead } from '../http/response-head.js';
import type { HealthPlan, VersionPlan } from '../plan.js';
import { Deadline } from './deadlines.js';
import { HealthState, statusPasses } from './health.js';
import { HealthBlock } from './health-block.js';
import { VersionPool } from './pool.js';
import { type UpstreamCounters, UpstreamResources } from './resources.js';
import type { ResponseSink } from './response-sink.js';
import { sameAddress, sameEndpoint, type Target, type Targets } from './target.js';
import { UpstreamCall } from './upstream-call.js';
import { UpstreamRequest } from './upstream-request.js';

/**
 * Checks of one version's addresses come up to this share of the interval earlier, so that they do not all
 * come at once.
 */
const JITTER = 0.1;

/**
 * A check that is over this much later than its time was noticed late: the prober stood still, not the
 * endpoint.
 */
const LATE_MS = 250;

/** Takes what a prober reports. */
export interface ProberEvents {
  /** The checks of an address have changed its state. `why`: what the last one saw. */
  onChange(version: string, target: Target, isHealthy: boolean, why: string): void;
}

/**
 * The active health checks of all versions, by one thread on behalf of all: an address is asked as often as
 * configured, however many threads there are, and every thread sees the same result (`HealthBlock`).
 *
 * A check is a GET by the same client as every other request, on a connection of its own, so that it tests
 * what a new request would need. At most one check of an address is under way.
 */
export class Prober implements CheckHome {
  readonly resources: UpstreamResources;
  readonly random: () => number;
  readonly events: ProberEvents;
  #checks: Check[] = [];

  /** `random`: 0 up to 1, for the spread of checks. */
  constructor(clock: Clock, random: () => number, events: ProberEvents) {
    this.resources = new UpstreamResources(clock, uncounted);
    this.random = random;
    this.events = events;
  }

  /** What is to be checked from now on. What is checked already, and in the same way, goes on undisturbed. */
  follow(versions: readonly VersionPlan[], targets: Targets): void {
    const before = this.#checks;
    this.#checks = [];
    for (const version of versions) {
      if (version.health === null) continue;
      for (const target of targets.get(version.name) ?? []) {
        if (target.health === null) continue;
        const at = before.findIndex((check) => check.isOf(version, target));
        if (at >= 0) this.#checks.push(...before.splice(at, 1));
        else this.#checks.push(this.#begin(version, version.health, target, target.health));
      }
    }
    for (const check of before) check.stop();
  }

  stop(): void {
    for (const check of this.#checks) check.stop();
    this.#checks = [];
  }

  /** Calls what is due; used by tests with a clock of their own. */
  advance(): void {
    this.resources.deadlines.advance();
  }

  #begin(version: VersionPlan, health: HealthPlan, target: Target, block: SharedArrayBuffer): Check {
    const check = new Check(version, health, target, block, this);
    check.run();
    return check;
  }
}

/** What the checks of one prober share. */
interface CheckHome {
  readonly resources: UpstreamResources;
  readonly random: () => number;
  readonly events: ProberEvents;
}

/** The checks of one address. */
class Check implements ResponseSink {
  readonly #version: VersionPlan;
  readonly #plan: HealthPlan;
  readonly #target: Target;
  readonly #block: HealthBlock;
  readonly #state: HealthState;
  readonly #home: CheckHome;
  readonly #pool: VersionPool;
  readonly #call = new UpstreamCall(this);
  readonly #request = new UpstreamRequest();
  readonly #next = new Deadline(() => this.run());
  #beganUs = 0;

  constructor(
    version: VersionPlan,
    plan: HealthPlan,
    target: Target,
    block: SharedArrayBuffer,
    home: CheckHome,
  ) {
    this.#version = version;
    this.#plan = plan;
    this.#target = target;
    this.#block = new HealthBlock(block);
    this.#state = new HealthState(plan, this.#block);
    this.#home = home;
    const pooled = { ...version, connectionsMax: 1, connectTimeoutMs: plan.timeoutMs };
    this.#pool = new VersionPool(pooled, home.resources, [{ ...target, health: null }]);
    // A pool that is closed serves what is asked of it and keeps no connection.
    this.#pool.close();
    this.#request.target = plan.path;
    this.#request.host = plan.host ?? target.endpoint.authority;
    this.#request.fields = 'User-Agent: umbra-health-check\r\nConnection: close\r\n';
    this.#request.totalMs = plan.timeoutMs;
  }

  isOf(version: VersionPlan, target: Target): boolean {
    return (
      target.health !== null &&
      new HealthBlock(target.health).number === this.#block.number &&
      sameAddress(target.address, this.#target.address) &&
      sameEndpoint(target.endpoint, this.#target.endpoint) &&
      JSON.stringify([version.name, version.health, version.tls]) ===
        JSON.stringify([this.#version.name, this.#version.health, this.#version.tls])
    );
  }

  run(): void {
    this.#beganUs = this.#home.resources.clock();
    this.#request.resends.begin('GET', null);
    this.#call.start(this.#pool, this.#request);
  }

  stop(): void {
    this.#home.resources.deadlines.clear(this.#next);
    this.#call.cancel();
  }

  batch(run: () => void): void {
    run();
  }
  onInterim(): void {}
  onHead(_head: ResponseHead): void {}
  onResponseBody(): void {}
  onResponseTrailers(): void {}
  onSwitch(): void {}
  onDrain(): void {}
  onSent(): void {}

  onEnd(): void {
    const { status } = this.#call;
    this.#over(statusPasses(this.#plan, status), `status ${status}`);
  }

  onFailure(failure: Failure): void {
    // Its answer may lie in the socket unread. What says nothing of the endpoint is not counted, and asked
    // again.
    const tookMs = (this.#home.resources.clock() - this.#beganUs) / 1e3;
    if (tookMs > this.#plan.timeoutMs + LATE_MS)
      this.#home.resources.deadlines.set(this.#next, 0, this.#home.resources.clock());
    else this.#over(false, failureReasons[failure]!);
  }

  #over(passed: boolean, why: string): void {
    const nowUs = this.#home.resources.clock();
    const intervalMs = this.#plan.intervalMs * (1 - JITTER * this.#home.random());
    const leftMs = Math.max(0, intervalMs - (nowUs - this.#beganUs) / 1e3);
    this.#home.resources.deadlines.set(this.#next, leftMs, nowUs);
    if (this.#state.checked(passed, nowUs)) {
      this.#home.events.onChange(this.#version.name, this.#target, passed, why);
    }
  }
}

/** Checks are no requests: their connections are in no figure. */
const uncounted: UpstreamCounters = {
  connectionOpened(): void {},
  connectionClosed(): void {},
  idleChanged(): void {},
  handshakeDone(): void {},
  waitingChanged(): void {},
  queueRefused(): void {},
  queueTimedOut(): void {},
  waitingUploadsChanged(): void {},
  slowUploadEnded(): void {},
  ejectedChanged(): void {},
  requestRetried(): void {},
  outOfResources(): void {},
  connectionsHigh(): void {},
};
