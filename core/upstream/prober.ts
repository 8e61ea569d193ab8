import type { Clock } from '../clock.js';
import { type Failure, failureReasons } from '../errors.js';
import type { ResponseHead } from '../http/response-head.js';
import type { HealthPlan, VersionPlan } from '../plan.js';
import { Calls } from './calls.js';
import { Deadline } from './deadlines.js';
import { GrpcHealth, SERVING } from './grpc-health.js';
import { HealthState, statusPasses } from './health.js';
import { HealthBlock } from './health-block.js';
import { VersionPool } from './pool.js';
import { type UpstreamCounters, UpstreamResources } from './resources.js';
import type { ResponseSink } from './response-sink.js';
import { sameAddress, sameEndpoint, type Target, type Targets } from './target.js';
import { UpstreamRequest } from './upstream-request.js';

/**
 * Checks of one version's addresses run earlier by up to this share of the interval, so that they do not all
 * run at once.
 */
const JITTER = 0.1;

/**
 * A check that ends later than its timeout by more than this was noticed late: the prober was stalled, not
 * the endpoint.
 */
const LATE_MS = 250;

/** Receives the results of a prober. */
export interface ProberEvents {
  /** The checks of an address changed its state. `why` is the result of the last check. */
  onChange(version: string, target: Target, isHealthy: boolean, why: string): void;
}

/**
 * The active health checks of all versions, run by one thread for all threads. An address is checked as often
 * as configured, however many threads there are, and every thread sees the same result (`HealthBlock`).
 *
 * A check is a GET, or a call of gRPC's health service, by the same client as every other request, on a
 * connection of its own, so that it tests what a new request needs. At most one check of an address is under
 * way.
 */
export class Prober implements CheckHome {
  readonly resources: UpstreamResources;
  readonly random: () => number;
  readonly events: ProberEvents;
  #checks: Check[] = [];

  /** `random` returns numbers from 0 up to, and without, 1, which spread the checks. */
  constructor(clock: Clock, random: () => number, events: ProberEvents) {
    this.resources = new UpstreamResources(clock, uncounted);
    this.random = random;
    this.events = events;
  }

  /** `follow` sets what is checked from now on. Checks that stay the same continue undisturbed. */
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

  /** `advance` calls due deadlines, for tests with their own clock. */
  advance(): void {
    this.resources.deadlines.advance();
  }

  #begin(version: VersionPlan, health: HealthPlan, target: Target, block: SharedArrayBuffer): Check {
    const check = new Check(version, health, target, block, this);
    check.run();
    return check;
  }
}

/** Shared by the checks of one prober. */
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
  readonly #calls = new Calls(this);
  readonly #request = new UpstreamRequest();
  readonly #next = new Deadline(() => this.run());
  #beganUs = 0;
  /** Null for checks by a GET. */
  #grpc: GrpcHealth | null = null;

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
    // A closed pool still serves requests and keeps no connection.
    this.#pool.close();
    this.#request.target = plan.path;
    this.#request.host = plan.host ?? target.endpoint.authority;
    this.#request.fields = 'User-Agent: umbra-health-check\r\nConnection: close\r\n';
    this.#request.totalMs = plan.timeoutMs;
    if (plan.grpc !== null) {
      this.#grpc = new GrpcHealth(plan.grpc);
      this.#grpc.fill(this.#request);
    }
  }

  isOf(version: VersionPlan, target: Target): boolean {
    return (
      target.health !== null &&
      new HealthBlock(target.health).number === this.#block.number &&
      sameAddress(target.address, this.#target.address) &&
      sameEndpoint(target.endpoint, this.#target.endpoint) &&
      checkedOf(version) === checkedOf(this.#version)
    );
  }

  run(): void {
    this.#beganUs = this.#home.resources.clock();
    this.#request.resends.begin(this.#request.method, null);
    this.#grpc?.begin();
    this.#calls.start(this.#pool, this.#request);
    if (this.#grpc !== null) this.#calls.current.write(this.#grpc.body, true);
  }

  stop(): void {
    this.#home.resources.deadlines.clear(this.#next);
    this.#calls.current.cancel();
  }

  batch(run: () => void): void {
    run();
  }
  onInterim(): void {}
  onHead(head: ResponseHead): void {
    this.#grpc?.onHead(head);
  }
  onResponseBody(bytes: Uint8Array): void {
    this.#grpc?.onBody(bytes);
  }
  onResponseTrailers(lines: string): void {
    this.#grpc?.onTrailers(lines);
  }
  onSwitch(): void {}
  onDrain(): void {}
  onSent(): void {}

  onEnd(): void {
    const { status } = this.#calls.current.figures;
    if (this.#grpc !== null) {
      const why = this.#grpc.result(status);
      this.#over(why === SERVING, why);
      return;
    }
    this.#over(statusPasses(this.#plan, status), `status ${status}`);
  }

  onFailure(failure: Failure): void {
    // The response may be unread in the socket. Such a check is not counted and is repeated.
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

/** What of a version its checks depend on. */
function checkedOf({ name, protocol, health, tls }: VersionPlan): string {
  return JSON.stringify([name, protocol, health, tls]);
}

/** Checks are not requests, so their connections are in no counter. */
export const uncounted: UpstreamCounters = {
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
  endpointFailed(): void {},
  endpointBack(): void {},
  http2Changed(): void {},
  http2Guard(): void {},
};
