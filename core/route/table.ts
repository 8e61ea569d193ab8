/**
 * The routes of a plan, compiled so that a request finds its route in well under a microsecond. First match
 * wins, exactly as if the routes were tried one by one in the plan's order.
 *
 * What makes it fast is what it need not try: a route with an exact host is looked at for that host alone,
 * and of the routes that are left, only those whose literal path (`PathTree`) and exact values (`ValueTree`)
 * can still match.
 */
import { asciiLowerCase } from '../http/chars.js';
import type { RequestHead } from '../http/message.js';
import type { RoutePlan } from '../plan.js';
import type { Steps } from '../steps.js';
import { plainHost } from './host.js';
import { LookedUp } from './looked-up.js';
import { PathTree } from './path-tree.js';
import { CompiledRoute } from './route.js';

/** What `find` returns when no route matches. */
export const NO_ROUTE = -1;

const NO_ROUTES: readonly CompiledRoute[] = [];

/** Belongs to one thread and one plan. */
export class RouteTable {
  /** Routes with an exact host, by that host. */
  readonly #byHost: ReadonlyMap<string, PathTree>;
  /** Routes for any host or for a wildcard. */
  readonly #shared: PathTree;
  readonly #hasWildcards: boolean;
  readonly #hostMatters: boolean;
  readonly #lookedUp: LookedUp;

  private constructor(
    byHost: ReadonlyMap<string, PathTree>,
    shared: PathTree,
    hasWildcards: boolean,
    lookedUp: LookedUp,
  ) {
    this.#byHost = byHost;
    this.#shared = shared;
    this.#hasWildcards = hasWildcards;
    this.#hostMatters = hasWildcards || byHost.size > 0;
    this.#lookedUp = lookedUp;
  }

  /**
   * Throws a SyntaxError when a regular expression can't be compiled: the configuration is checked before.
   */
  static *of(routes: readonly RoutePlan[]): Steps<RouteTable> {
    const lookedUp = new LookedUp();
    const shared: CompiledRoute[] = [];
    const ownByHost = new Map<string, CompiledRoute[]>();
    for (const [index, plan] of routes.entries()) {
      yield;
      for (const match of plan.matches) {
        const route = new CompiledRoute(match, index, lookedUp);
        listOf(route, match.host, shared, ownByHost).push(route);
      }
    }
    const byHost = new Map<string, PathTree>();
    for (const [host, own] of ownByHost) {
      yield;
      // A host that is not plain is no request's, and must not be found as it stands.
      if (plainHost(host) === host) byHost.set(host, yield* PathTree.of(own));
    }
    const hasWildcards = shared.some((route) => route.hostSuffix !== '');
    return new RouteTable(byHost, yield* PathTree.of(shared), hasWildcards, lookedUp);
  }

  /**
   * The index in the plan's `routes` of the first route that matches `head`, or `NO_ROUTE`. Allocates only
   * for a host in capitals or with a port, for a regular expression that must be looked at, and for a value
   * of which many are wanted exactly.
   */
  find(head: RequestHead): number {
    const target = head.target;
    const query = target.indexOf('?');
    const pathEnd = query === -1 ? target.length : query;
    this.#lookedUp.begin(head, pathEnd);

    let host = head.host;
    let own = NO_ROUTES;
    if (this.#hostMatters) {
      let tree = this.#byHost.get(host);
      // Most hosts come as they are compared, and then need not be made plain.
      if (tree === undefined || this.#hasWildcards) {
        host = plainHost(host);
        tree = this.#byHost.get(host);
      }
      if (tree !== undefined) own = tree.candidates(target);
    }
    const shared = this.#shared.candidates(target);

    // Two lists in order are merged as they are walked. One merged list for each host would be shorter here,
    // and grow with the product of hosts and shared routes.
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
}

/** The list that a new route belongs to. */
function listOf(
  route: CompiledRoute,
  host: string | null,
  shared: CompiledRoute[],
  byHost: Map<string, CompiledRoute[]>,
): CompiledRoute[] {
  if (host === null || route.hostSuffix !== '') return shared;
  const name = asciiLowerCase(host);
  let own = byHost.get(name);
  if (own === undefined) {
    own = [];
    byHost.set(name, own);
  }
  return own;
}
