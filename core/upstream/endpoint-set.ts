import { Cause, type EndpointError, plainErrors } from '../endpoint-cause.js';
import type { VersionPlan } from '../plan.js';
import { chooseEndpoint } from './balancer.js';
import { isError, isUnavailable } from './ejection.js';
import { Endpoint, type IdleConnection, type SharedConnection } from './endpoint.js';
import type { UpstreamResources } from './resources.js';
import type { Target } from './target.js';

/**
 * The endpoints of one pool and their state: which one gets the next call, and which are ejected for the
 * results of calls (core/upstream/ejection).
 */
export class EndpointSet<C extends IdleConnection, S extends SharedConnection> {
  readonly #plan: VersionPlan;
  readonly #resources: UpstreamResources;
  readonly #onBack: () => void;
  readonly #onEjectionOver = (endpoint: Endpoint<C, S>) => this.readmit(endpoint);
  #list: Endpoint<C, S>[] = [];
  /** Where the next search begins, so that equal endpoints alternate. */
  #turn = 0;
  #isWeighted = false;
  /** Numbers of endpoints that are ejected for a refusal, and for their answers. */
  #refusing = 0;
  #failing = 0;

  /** `onBack` is called when an endpoint is usable again. */
  constructor(plan: VersionPlan, resources: UpstreamResources, onBack: () => void) {
    this.#plan = plan;
    this.#resources = resources;
    this.#onBack = onBack;
  }

  /** One endpoint for each address. It is empty until a name has resolved. */
  get list(): readonly Endpoint<C, S>[] {
    return this.#list;
  }

  /**
   * `follow` applies `targets`. An endpoint that stays keeps its connections and its state. It returns the
   * removed endpoints.
   */
  follow(targets: readonly Target[]): Endpoint<C, S>[] {
    const before = [...this.#list];
    const { ejection, slowStartMs } = this.#plan;
    this.#list = targets.map((target) => {
      const at = before.findIndex((endpoint) => endpoint.isAt(target));
      if (at < 0) return new Endpoint<C, S>(target, ejection, slowStartMs, this.#onEjectionOver);
      const [known] = before.splice(at, 1);
      known!.watch(target.health);
      return known!;
    });
    this.#isWeighted = this.#list.some(({ plan }) => plan.weight !== this.#list[0]!.plan.weight);
    return before;
  }

  /**
   * The number of connections that usable endpoints may have, or all endpoints if none is usable. Without
   * endpoints it is infinite.
   */
  get places(): number {
    if (this.#list.length === 0) return Number.POSITIVE_INFINITY;
    let usable = 0;
    for (const endpoint of this.#list) if (endpoint.usable) usable++;
    return (usable === 0 ? this.#list.length : usable) * this.#plan.connectionsMax;
  }

  /** No endpoint is usable, so a request would most likely fail. */
  get outOfService(): boolean {
    for (const endpoint of this.#list) if (endpoint.usable) return false;
    return true;
  }

  /**
   * `choose` returns the endpoint for the next call, not one of `tried`, or null when none has room.
   * `shares`: the call may use a connection that has others.
   */
  choose(tried: readonly Endpoint[], shares: boolean): Endpoint<C, S> | null {
    const { connectionsMax } = this.#plan;
    const { clock } = this.#resources;
    const at = chooseEndpoint(this.#list, connectionsMax, tried, this.#turn, clock, this.#isWeighted, shares);
    if (at < 0) return null;
    this.#turn = at + 1;
    return this.#list[at]!;
  }

  // Results of calls.

  /** No connection could be made, or a new one closed without a byte. */
  refused(endpoint: Endpoint): void {
    if (endpoint.gone) return;
    const nowUs = this.#resources.clock();
    const forMs = endpoint.ejection.refused(nowUs);
    this.#eject(endpoint, forMs, nowUs);
    this.#resources.counters.endpointFailed(this.#plan, endpoint, endpoint.lastError, forMs);
  }

  /** The head of a response arrived, whatever its status. */
  answered(endpoint: Endpoint): void {
    if (!endpoint.ejection.out) return;
    if (!endpoint.ejection.answered(this.#resources.clock())) return;
    this.#endEjection(endpoint);
    this.#resources.counters.endpointBack(this.#plan, endpoint, true);
  }

  /** A response with this status is complete. */
  completed(endpoint: Endpoint, status: number): void {
    if (isUnavailable(status)) this.failed(endpoint, null);
    else if (isError(status)) this.#erred(endpoint);
    else endpoint.ejection.succeeded();
  }

  /**
   * `failed` counts a call without a whole response, because of `error`; null: the status of its response
   * reports the endpoint as unavailable.
   */
  failed(endpoint: Endpoint, error: EndpointError | null): void {
    if (endpoint.gone) return;
    const nowUs = this.#resources.clock();
    const forMs = endpoint.ejection.failed(nowUs, this.#hasRoom);
    this.#eject(endpoint, forMs, nowUs);
    this.#report(endpoint, error, forMs);
  }

  #erred(endpoint: Endpoint): void {
    if (endpoint.gone) return;
    const nowUs = this.#resources.clock();
    const forMs = endpoint.ejection.erred(nowUs, this.#hasRoom);
    this.#eject(endpoint, forMs, nowUs);
    this.#report(endpoint, null, forMs);
  }

  /** `#report` passes an error on. Failed answers, which have none, are one when they eject the endpoint. */
  #report(endpoint: Endpoint, error: EndpointError | null, forMs: number): void {
    if (error === null && forMs === 0) return;
    const shown = error ?? plainErrors[Cause.FAILED_ANSWERS]!;
    this.#resources.counters.endpointFailed(this.#plan, endpoint, shown, forMs);
  }

  /**
   * True when one more endpoint may be ejected for its answers. Only endpoints that serve at all count: where
   * all others refuse, the one that fails some requests is the best one.
   */
  get #hasRoom(): boolean {
    const serving = this.#list.length - this.#refusing;
    return this.#failing < Math.floor((serving * this.#plan.ejection.maxShareMillionths) / 1e6);
  }

  /** `readmit` ends the ejection of an endpoint, because its time has passed or no longer matters. */
  readmit(endpoint: Endpoint): void {
    this.endEjection(endpoint);
    this.#resources.counters.endpointBack(this.#plan, endpoint, false);
    this.#onBack();
  }

  /** `endEjection` does the same for an endpoint or a pool that is leaving, which is not reported. */
  endEjection(endpoint: Endpoint): void {
    const nowUs = this.#resources.clock();
    endpoint.ejection.back(nowUs);
    this.#endEjection(endpoint);
    endpoint.startSlowly(nowUs);
  }

  #eject(endpoint: Endpoint, forMs: number, nowUs: number): void {
    if (forMs === 0) return;
    this.#count(endpoint, 1);
    this.#resources.counters.ejectedChanged(this.#plan, 1);
    this.#resources.deadlines.set(endpoint.backDeadline, forMs, nowUs);
  }

  #endEjection(endpoint: Endpoint): void {
    this.#resources.deadlines.clear(endpoint.backDeadline);
    this.#count(endpoint, -1);
    this.#resources.counters.ejectedChanged(this.#plan, -1);
  }

  #count(endpoint: Endpoint, change: number): void {
    if (endpoint.ejection.forRefusal) this.#refusing += change;
    else this.#failing += change;
  }
}
