/**
 * Narrows a list of routes down to those that a request's headers, cookies and parameters can still match, by the values
 * that routes want exactly.
 *
 * A node asks for one of the names and goes to the child of the routes that want the value it has. As in `PathTree`, routes
 * that do not care are in every child, in the plan's order, so the first match in a leaf is the first match of all. Sets of
 * routes as bits, intersected over all names, were rejected: every name would be looked up for every request.
 */
import { type LookedUpName, NO_NUMBER } from './looked-up.js';
import type { CompiledRoute } from './route.js';

/** Trying so few routes one by one is as fast as another name. */
const LEAF_ROUTES = 3;
/** With `COPIES_MAX`, the bound on memory. */
const DEPTH_MAX = 3;
/** Entries in the children of a node, per route in it. */
const COPIES_MAX = 2;

export class ValueTree {
  /** Whose value decides; null in a leaf. */
  readonly #name: LookedUpName | null;
  /** By the number of the value. */
  readonly #byNumber: ReadonlyMap<number, ValueTree>;
  /** Routes that match whatever the value is; in a leaf, all. */
  readonly #others: readonly CompiledRoute[];

  /** `routes` in the plan's order. */
  constructor(routes: readonly CompiledRoute[], depth = 0) {
    const name = depth < DEPTH_MAX && routes.length > LEAF_ROUTES ? bestName(routes) : null;
    const byNumber = new Map<number, ValueTree>();
    if (name !== null) {
      for (const number of countsOf(routes, name).keys()) {
        const kept = routes.filter((route) => [NO_NUMBER, number].includes(wantedOf(route, name)));
        byNumber.set(number, new ValueTree(kept, depth + 1));
      }
    }
    this.#name = name;
    this.#byNumber = byNumber;
    this.#others = name === null ? routes : routes.filter((route) => wantedOf(route, name) === NO_NUMBER);
  }

  /** The routes that the request which was begun may match, in the plan's order. */
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

/** The name that leaves the fewest routes on average over the routes, or null when none helps or all would copy too many. */
function bestName(routes: readonly CompiledRoute[]): LookedUpName | null {
  let best: LookedUpName | null = null;
  let fewest = routes.length;
  for (const name of new Set(routes.flatMap((route) => route.exact.map((condition) => condition.name)))) {
    const counts = countsOf(routes, name);
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

/** How many routes want each value, by its number. */
function countsOf(routes: readonly CompiledRoute[], name: LookedUpName): Map<number, number> {
  const counts = new Map<number, number>();
  for (const route of routes) {
    const number = wantedOf(route, name);
    if (number !== NO_NUMBER) counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}

/** The first value of the name that the route wants exactly. One that wants two never matches, in whichever child it is. */
function wantedOf(route: CompiledRoute, name: LookedUpName): number {
  return route.exact.find((condition) => condition.name === name)?.number ?? NO_NUMBER;
}
