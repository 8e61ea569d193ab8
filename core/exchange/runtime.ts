/**
 * A plan as a proxy thread runs it: the route table, and for each route the primary's pool and ledger and the
 * mirrors. Built whole when a plan arrives and swapped whole; exchanges keep the route they began with.
 */
import type { Mirror } from '../mirror/offer.js';
import type { Plan, RoutePlan } from '../plan.js';
import type { VersionLedger } from '../record/version-ledger.js';
import { RouteTable } from '../route/table.js';
import type { VersionPool } from '../upstream/pool.js';

export class RouteRuntime {
  readonly plan: RoutePlan;
  readonly pool: VersionPool;
  readonly ledger: VersionLedger;
  /** Those that are switched on. */
  readonly mirrors: readonly Mirror[];
  /** A mirror compares more of the responses than what every exchange measures. */
  readonly watchesResponses: boolean;
  /** A mirror compares checksums of bodies. */
  readonly digestsResponses: boolean;

  constructor(plan: RoutePlan, pool: VersionPool, ledger: VersionLedger, mirrors: readonly Mirror[]) {
    this.plan = plan;
    this.pool = pool;
    this.ledger = ledger;
    this.mirrors = mirrors;
    this.watchesResponses = mirrors.some((mirror) => mirror.watchesResponses);
    this.digestsResponses = mirrors.some((mirror) => mirror.plan.compare.digest);
  }
}

export class ProxyRuntime {
  readonly generation: number;
  readonly table: RouteTable;
  readonly routes: readonly RouteRuntime[];

  constructor(plan: Plan, routes: readonly RouteRuntime[]) {
    this.generation = plan.generation;
    this.table = new RouteTable(plan.routes);
    this.routes = routes;
  }
}
