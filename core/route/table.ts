/**
 * The routes of a plan, compiled so that a lookup takes well under a microsecond. The first match wins, as if
 * the routes were tried one by one in the plan's order.
 *
 * The speed comes from the routes that are not tried. A route with an exact host is tried for that host
 * alone. Of the others, only those are tried whose literal path (`PathTree`) and exact values (`ValueTree`)
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

/** The result of `find` when no route matches. */
export const NO_ROUTE = -1;

const NO_ROUTES: readonly CompiledRoute[] = [];

/** Belongs to one thread and one plan. */
export class RouteTable {
  /** Routes with an exact host, by that host. */
  readonly #byHost: ReadonlyMap<string, PathTree>;
  /** Routes for any host or for a wildcard host. */
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
   * `of` compiles the routes. It throws a `RegexError` when a regular expression can't be compiled, which the
   * configuration's validation rules out.
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
      // No request has a host that is not plain, so such a host must not be found as written.
      if (plainHost(host) === host) byHost.set(host, yield* PathTree.of(own));
    }
    const hasWildcards = shared.some((route) => route.hostSuffix !== '');
    return new RouteTable(byHost, yield* PathTree.of(shared), hasWildcards, lookedUp);
  }

  /**
   * `find` returns the index in the plan's `routes` of the first route that matches `head`, or `NO_ROUTE`. It
   * allocates only for a host with capitals or a port, for a regular expression, and for a name whose exact
   * values are many.
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
      // Most hosts arrive in plain form and are found as they are.
      if (tree === undefined || this.#hasWildcards) {
        host = plainHost(host);
        tree = this.#byHost.get(host);
      }
      if (tree !== undefined) own = tree.candidates(target);
    }
    const shared = this.#shared.candidates(target);

    // The two sorted lists are merged while they are walked. One merged list for each host would need less
    // code here, but grows with the product of hosts and shared routes.
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

/** `listOf` returns the list that a new route belongs to. */
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
