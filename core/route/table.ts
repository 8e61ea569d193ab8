/**
 * The routes of a plan, compiled so that a request finds its route in well under a microsecond. First match wins,
 * exactly as if the routes were tried one by one in the plan's order.
 *
 * What makes it fast is what it need not try: a route with an exact host is only looked at for that host, and a
 * route with a literal path is first asked for the one byte in which it differs from most of its neighbours.
 */
import type { RequestHead } from '../http/message.js';
import type { RoutePlan } from '../plan.js';
import { plainHost } from './host.js';
import { CompiledRoute, chooseProbes } from './route.js';

/** What `find` returns when no route matches. */
export const NO_ROUTE = -1;

const NO_ROUTES: readonly CompiledRoute[] = [];

/** Belongs to one thread and one plan. */
export class RouteTable {
  /** Routes with an exact host, by that host, each in the plan's order. */
  readonly #byHost = new Map<string, CompiledRoute[]>();
  /** Routes for any host or for a wildcard, in the plan's order. */
  readonly #shared: CompiledRoute[] = [];
  readonly #hostMatters: boolean;

  /** Throws a SyntaxError when a regular expression can't be compiled: the configuration is checked before. */
  constructor(routes: readonly RoutePlan[]) {
    routes.forEach((plan, index) => {
      const route = new CompiledRoute(plan, index);
      if (plan.match.host === null || route.hostSuffix !== '') this.#shared.push(route);
      else this.#ofHost(plan.match.host.toLowerCase()).push(route);
    });
    this.#hostMatters = routes.some((plan) => plan.match.host !== null);
    chooseProbes(this.#shared);
    for (const own of this.#byHost.values()) chooseProbes(own);
  }

  /**
   * The index in the plan's `routes` of the first route that matches `head`, or `NO_ROUTE`. Allocates only for a host
   * in capitals or with a port, and for a header or a regular expression that must be looked at.
   */
  find(head: RequestHead): number {
    const host = this.#hostMatters ? plainHost(head.host) : '';
    const own = this.#byHost.get(host) ?? NO_ROUTES;
    const shared = this.#shared;
    const query = head.target.indexOf('?');
    const pathEnd = query === -1 ? head.target.length : query;

    // Two lists in order are merged as they are walked. One merged list for each host would be shorter here, and
    // grow with the product of hosts and shared routes.
    let nextOwn = 0;
    let nextShared = 0;
    while (nextOwn < own.length || nextShared < shared.length) {
      const fromOwn =
        nextShared === shared.length ||
        (nextOwn < own.length && own[nextOwn]!.index < shared[nextShared]!.index);
      const route = fromOwn ? own[nextOwn++]! : shared[nextShared++]!;
      if (route.matches(head, host, pathEnd)) return route.index;
    }
    return NO_ROUTE;
  }

  #ofHost(host: string): CompiledRoute[] {
    let routes = this.#byHost.get(host);
    if (routes === undefined) {
      routes = [];
      this.#byHost.set(host, routes);
    }
    return routes;
  }
}
