/**
 * Narrows a list of routes to those that a request's headers, cookies and parameters can still match, by the
 * values that routes match exactly.
 *
 * A node looks up one name and continues with the child of the routes that match its value. As in `PathTree`,
 * routes that do not depend on the name are in every child, in the plan's order, so the first match in a leaf
 * is the first match of all. Intersecting bit sets of routes over all names was rejected: it looks up every
 * name for every request.
 */
import type { Steps } from '../steps.js';
import { type LookedUpName, NO_NUMBER } from './looked-up.js';
import type { CompiledRoute } from './route.js';

/** Up to this number of routes, trying them one by one is as fast as looking up another name. */
const LEAF_ROUTES = 3;
/** With `COPIES_MAX`, this bounds memory. */
const DEPTH_MAX = 3;
/** Entries in the children of a node, per route in it. */
const COPIES_MAX = 2;

const noChildren: ReadonlyMap<number, ValueTree> = new Map();

export class ValueTree {
  /** The name whose value decides; null in a leaf. */
  readonly #name: LookedUpName | null;
  /** Children by the number of the value. */
  readonly #byNumber: ReadonlyMap<number, ValueTree>;
  /** Routes that match whatever the value is; in a leaf, all routes. */
  readonly #others: readonly CompiledRoute[];

  private constructor(
    name: LookedUpName | null,
    byNumber: ReadonlyMap<number, ValueTree>,
    others: readonly CompiledRoute[],
  ) {
    this.#name = name;
    this.#byNumber = byNumber;
    this.#others = others;
  }

  /**
   * `of` builds the tree of `routes`, which are in the plan's order. `asked` lists the names that the nodes
   * above have already decided.
   */
  static *of(routes: readonly CompiledRoute[], asked: readonly LookedUpName[] = []): Steps<ValueTree> {
    const mayAsk = asked.length < DEPTH_MAX && routes.length > LEAF_ROUTES;
    const name = mayAsk ? yield* bestName(routes, asked) : null;
    if (name === null) return new ValueTree(null, noChildren, routes);
    const keptByNumber = new Map<number, CompiledRoute[]>();
    const others: CompiledRoute[] = [];
    for (const route of routes) {
      const number = wantedOf(route, name);
      if (number === NO_NUMBER) {
        others.push(route);
        for (const kept of keptByNumber.values()) kept.push(route);
        continue;
      }
      const kept = keptByNumber.get(number) ?? [...others];
      kept.push(route);
      keptByNumber.set(number, kept);
    }
    const byNumber = new Map<number, ValueTree>();
    for (const [number, kept] of keptByNumber) {
      yield;
      byNumber.set(number, yield* ValueTree.of(kept, [...asked, name]));
    }
    return new ValueTree(name, byNumber, others);
  }

  /** `candidates` returns the routes that the current request may match, in the plan's order. */
  candidates(): readonly CompiledRoute[] {
    let node: ValueTree = this;
    while (node.#name !== null) {
      const child = node.#name.look() ? node.#byNumber.get(node.#name.number) : undefined;
      if (child === undefined) break;
      node = child;
    }
    return node.#others;
  }
}

/**
 * `bestName` returns the name that leaves the fewest routes, averaged over the routes. It returns null when
 * no name helps or all would copy too many routes.
 */
function* bestName(
  routes: readonly CompiledRoute[],
  asked: readonly LookedUpName[],
): Steps<LookedUpName | null> {
  let best: LookedUpName | null = null;
  let fewest = routes.length;
  for (const [name, counts] of countsByName(routes)) {
    yield;
    if (asked.includes(name)) continue;
    let caring = 0;
    for (const count of counts.values()) caring += count;
    const careless = routes.length - caring;
    let leftSum = careless * careless;
    for (const count of counts.values()) leftSum += count * (count + careless);
    const copies = caring + counts.size * careless;
    const left = leftSum / routes.length;
    if (left < fewest && copies <= COPIES_MAX * routes.length) {
      fewest = left;
      best = name;
    }
  }
  return best;
}

/** `countsByName` returns for each name how many routes match each value, by the value's number. */
function countsByName(routes: readonly CompiledRoute[]): Map<LookedUpName, Map<number, number>> {
  const all = new Map<LookedUpName, Map<number, number>>();
  for (const route of routes) {
    for (const { name } of route.exact) {
      const number = wantedOf(route, name);
      const counts = all.get(name) ?? new Map<number, number>();
      all.set(name, counts.set(number, (counts.get(number) ?? 0) + 1));
    }
  }
  return all;
}

/**
 * `wantedOf` returns the number of the first value of the name that the route matches exactly. A route with
 * two such values never matches, so its child does not matter.
 */
function wantedOf(route: CompiledRoute, name: LookedUpName): number {
  return route.exact.find((condition) => condition.name === name)?.number ?? NO_NUMBER;
}
