/**
 * A plan on a proxy thread: the route table, and the handling of each route's requests. It is built and
 * replaced as a whole, and exchanges keep the route that they began with.
 */
import { asciiLowerCase } from '../http/chars.js';
import { Mirror } from '../mirror/offer.js';
import type { Plan, PrimaryPlan, RoutePlan } from '../plan.js';
import type { VersionCounters } from '../record/version-counters.js';
import type { Sampler } from '../route/sampler.js';
import type { RouteTable } from '../route/table.js';
import { WeightedPrimaries } from '../route/weighted-primaries.js';
import { withoutBlanks } from '../trim.js';
import type { VersionPool } from '../upstream/pool.js';
import { RetryPolicy } from '../upstream/retry-policy.js';
import { Cors } from './cors.js';
import { DirectResponse } from './direct-response.js';
import { Fault } from './fault.js';
import { RequestChange } from './primary-request.js';
import { ResponseChange } from './response-change.js';

/** A route with one of its versions. A route with several versions has one object for each. */
export class RouteRuntime {
  readonly plan: RoutePlan;
  readonly pool: VersionPool;
  readonly counters: VersionCounters;
  /** The counters of this version on this route alone; null: they are not kept. */
  readonly own: VersionCounters | null;
  /** Answers what this version was not given, because it can't be reached; null: nobody does. */
  readonly fallback: RouteRuntime | null;
  /** The enabled mirrors that copy to another version. */
  readonly mirrors: readonly Mirror[];
  /** A mirror compares more of the responses than every exchange measures anyway. */
  readonly watchesResponses: boolean;
  /** A mirror compares checksums of bodies. */
  readonly digestsResponses: boolean;
  /** Null: requests are sent again only where that is always safe. */
  readonly retry: RetryPolicy | null;
  readonly sampler: Sampler;
  /** A mirror copies the request as the primary gets it, which differs from the client's. */
  readonly copiesForwarded: boolean;
  readonly #upgrades: ReadonlySet<string>;
  /** Null: the primary gets the request unchanged. */
  readonly requestChange: RequestChange | null;
  /** Null: the client gets the response unchanged. */
  readonly responseChange: ResponseChange | null;
  /** This version gets the request with changes of its own. */
  readonly hasOwnEdits: boolean;
  /** A change has values with commands, which read the exchange. */
  readonly hasCommands: boolean;

  /** `mirrors` are all enabled mirrors of the route. */
  constructor(
    plan: RoutePlan,
    primary: PrimaryPlan,
    pool: VersionPool,
    counters: VersionCounters,
    mirrors: readonly Mirror[],
    sampler: Sampler,
    own: VersionCounters | null = null,
    fallback: RouteRuntime | null = null,
  ) {
    this.plan = plan;
    this.own = own;
    this.sampler = sampler;
    this.#upgrades = new Set(plan.upgrades);
    this.retry = plan.retries === null ? null : new RetryPolicy(plan.retries);
    this.pool = pool;
    this.counters = counters;
    this.mirrors = mirrors
      .filter((mirror) => mirror.plan.to !== primary.version)
      .map((mirror) => withBaselineOf(primary.version, mirror));
    this.watchesResponses = this.mirrors.some((mirror) => mirror.watchesResponses);
    this.digestsResponses = this.mirrors.some((mirror) => mirror.plan.compare.digest);
    const ownEdits = primary.headers?.request ?? null;
    this.requestChange = RequestChange.of(plan, ownEdits);
    // The request that was written for this version goes to the other one as it is.
    this.fallback = ownEdits === null && fallback?.hasOwnEdits === false ? fallback : null;
    this.hasOwnEdits = ownEdits !== null;
    const takesForwarded = ({ plan }: Mirror): boolean => plan.of === 'forwarded';
    this.copiesForwarded =
      this.requestChange !== null &&
      this.mirrors.some(
        (one) => takesForwarded(one) || (one.baseline !== null && takesForwarded(one.baseline)),
      );
    this.responseChange = ResponseChange.of(
      primary.headers?.response ?? null,
      plan.headers?.response ?? null,
    );
    this.hasCommands = this.requestChange?.hasCommands === true || this.responseChange?.hasCommands === true;
  }

  /**
   * `passedUpgrade` returns the offered protocols that are in the route's list. '' makes the request an
   * ordinary one, as for a version with HTTP/2, which has no upgrades (RFC 9113, section 8.6).
   */
  passedUpgrade(upgrade: string): string {
    if (this.pool.plan.protocol === 'http2') return '';
    const offers = upgrade.split(',').map(withoutBlanks);
    return offers.filter((offer) => this.#upgrades.has(asciiLowerCase(offer))).join(', ');
  }
}

/** The handling of one route's requests: its fault, its own answer, or one of its primaries. */
export class RouteHandling {
  readonly plan: RoutePlan;
  /**
   * The only version, when nothing comes before it: the fast path of nearly all requests. Null: check the
   * other fields.
   */
  readonly plain: RouteRuntime | null;
  readonly cors: Cors | null;
  readonly fault: Fault | null;
  readonly answer: DirectResponse | null;
  readonly #split: WeightedPrimaries<RouteRuntime> | null;

  /**
   * `runtimes` has one entry for each primary with a weight, in the plan's order. It is empty when the route
   * answers itself.
   */
  constructor(plan: RoutePlan, runtimes: readonly RouteRuntime[], sampler: Sampler) {
    this.plan = plan;
    this.cors = plan.cors === null ? null : new Cors(plan.cors);
    this.fault = plan.fault === null ? null : new Fault(plan.fault, sampler);
    this.answer = DirectResponse.of(plan);
    const weights = plan.primaries.map(({ weight }) => weight).filter((weight) => weight > 0);
    this.#split =
      runtimes.length === 0 ? null : new WeightedPrimaries(runtimes, weights, plan.split, sampler);
    this.plain = runtimes.length === 1 && this.fault === null && this.cors === null ? runtimes[0] : null;
  }

  /** The choice among the primaries. It is null only when the route answers itself. */
  get split(): WeightedPrimaries<RouteRuntime> {
    return this.#split!;
  }
}

export class ProxyRuntime {
  readonly generation: number;
  readonly table: RouteTable;
  readonly routes: readonly RouteHandling[];

  /** `table` and `routes` belong to the plan's routes. */
  constructor(plan: Plan, table: RouteTable, routes: readonly RouteHandling[]) {
    this.generation = plan.generation;
    this.table = table;
    this.routes = routes;
  }
}

/**
 * `withBaselineOf` removes the baseline of a mirror when it belongs to another version than the one that
 * answers.
 */
function withBaselineOf(version: number, mirror: Mirror): Mirror {
  const { baseline } = mirror;
  return baseline === null || baseline.plan.to === version
    ? mirror
    : new Mirror(mirror.plan, mirror.counters);
}
