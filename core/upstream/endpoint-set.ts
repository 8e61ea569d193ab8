import type { VersionPlan } from '../plan.js';
import { chooseEndpoint } from './balancer.js';
import { isError, isUnavailable } from './ejection.js';
import { Endpoint, type IdleConnection } from './endpoint.js';
import type { UpstreamResources } from './resources.js';
import type { Target } from './target.js';

/**
 * The endpoints of one pool and their standing: which one gets the next call, and which are ejected for what
 * calls have shown of them (core/upstream/ejection).
 */
export class EndpointSet<C extends IdleConnection> {
  readonly #plan: VersionPlan;
  readonly #resources: UpstreamResources;
  readonly #onBack: () => void;
  readonly #onEjectionOver = (endpoint: Endpoint<C>) => this.readmit(endpoint);
  #list: Endpoint<C>[] = [];
  /** Where the next search begins, so that equals take turns. */
  #turn = 0;
  #isWeighted = false;
  /** Endpoints that are ejected for a refusal, and for their answers. */
  #refusing = 0;
  #failing = 0;

  /** `onBack`: an endpoint is usable again. */
  constructor(plan: VersionPlan, resources: UpstreamResources, onBack: () => void) {
    this.#plan = plan;
    this.#resources = resources;
    this.#onBack = onBack;
  }

  /** One for each address; none while no name has resolved. */
  get list(): readonly Endpoint<C>[] {
    return this.#list;
  }

  /**
   * Takes over `targets`. An endpoint that stays keeps its connections and its standing. Returns those that
   * are gone.
   */
  follow(targets: readonly Target[]): Endpoint<C>[] {
    const before = [...this.#list];
    const { ejection, slowStartMs } = this.#plan;
    this.#list = targets.map((target) => {
      const at = before.findIndex((endpoint) => endpoint.isAt(target));
      if (at < 0) return new Endpoint<C>(target, ejection, slowStartMs, this.#onEjectionOver);
      const [known] = before.splice(at, 1);
      known!.watch(target.health);
      return known!;
    });
    this.#isWeighted = this.#list.some(({ plan }) => plan.weight !== this.#list[0]!.plan.weight);
    return before;
  }

  /**
   * Connections that the endpoints may have: of those that are usable, or of all where none is. Without
   * endpoints nothing is bounded by them.
   */
  get places(): number {
    if (this.#list.length === 0) return Number.POSITIVE_INFINITY;
    let usable = 0;
    for (const endpoint of this.#list) if (endpoint.usable) usable++;
    return (usable === 0 ? this.#list.length : usable) * this.#plan.connectionsMax;
  }

  /** No endpoint is usable: what is sent now would most likely fail. */
  get outOfService(): boolean {
    for (const endpoint of this.#list) if (endpoint.usable) return false;
    return true;
  }

  /** The endpoint that gets the next call, none of `tried`; null: none has room. */
  choose(tried: readonly Endpoint[]): Endpoint<C> | null {
    const { connectionsMax } = this.#plan;
    const { clock } = this.#resources;
    const at = chooseEndpoint(this.#list, connectionsMax, tried, this.#turn, clock, this.#isWeighted);
    if (at < 0) return null;
    this.#turn = at + 1;
    return this.#list[at]!;
  }

  // What calls have shown.

  /** No connection, or a new one that was dropped without a byte. */
  refused(endpoint: Endpoint): void {
    if (endpoint.gone) return;
    const nowUs = this.#resources.clock();
    this.#eject(endpoint, endpoint.ejection.refused(nowUs), nowUs);
  }

  /** The head of a response came, whatever it says. */
  answered(endpoint: Endpoint): void {
    if (!endpoint.ejection.out) return;
    if (endpoint.ejection.answered(this.#resources.clock())) this.#endEjection(endpoint);
  }

  /** A response with this status is whole. */
  completed(endpoint: Endpoint, status: number): void {
    if (isUnavailable(status)) this.failed(endpoint);
    else if (isError(status)) this.#erred(endpoint);
    else endpoint.ejection.succeeded();
  }

  /** No response, or one that says that the endpoint is unavailable. */
  failed(endpoint: Endpoint): void {
    if (endpoint.gone) return;
    const nowUs = this.#resources.clock();
    this.#eject(endpoint, endpoint.ejection.failed(nowUs, this.#hasRoom), nowUs);
  }

  #erred(endpoint: Endpoint): void {
    if (endpoint.gone) return;
    const nowUs = this.#resources.clock();
    this.#eject(endpoint, endpoint.ejection.erred(nowUs, this.#hasRoom), nowUs);
  }

  /**
   * Returns whether one more may be ejected for its answers, of those that serve at all: where all others
   * refuse, the one that fails some requests is the best there is.
   */
  get #hasRoom(): boolean {
    const serving = this.#list.length - this.#refusing;
    return this.#failing < Math.floor((serving * this.#plan.ejection.maxShareMillionths) / 1e6);
  }

  /** Ends the ejection of an endpoint: its time is over, or no longer matters. */
  readmit(endpoint: Endpoint): void {
    const nowUs = this.#resources.clock();
    endpoint.ejection.back(nowUs);
    this.#endEjection(endpoint);
    endpoint.startSlowly(nowUs);
    this.#onBack();
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
