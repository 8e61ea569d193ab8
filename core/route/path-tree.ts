/**
 * Narrows a list of routes to those that a path can still match, by comparing a few bytes of the path.
 *
 * A node reads the byte at one position and continues with the child of the routes whose literal has that
 * byte there. Routes without a literal path, or with a shorter one, are in every child, in the plan's order,
 * so the first match in a leaf is the first match of all. A trie of whole prefixes was rejected: it visits
 * every byte of the path, and it finds the longest prefix, not the first match.
 */
import { Char } from '../http/chars.js';
import type { Steps } from '../steps.js';
import type { CompiledRoute } from './route.js';
import { ValueTree } from './value-tree.js';

/** Up to this number of routes, trying them one by one is as fast as comparing another byte. */
const LEAF_ROUTES = 3;
/** Only this many bytes of a literal are compared. */
const BYTES_LOOKED_AT = 256;
/** With `COPIES_MAX`, this bounds memory: a route is in at most 2^4 leaves on average. */
const DEPTH_MAX = 4;
/** Entries in the children of a node, per route in it. */
const COPIES_MAX = 2;

export class PathTree {
  /** Position of the byte that this node compares, or -1 in a leaf. */
  readonly #at: number;
  /** Children by the byte's code, counted from `#firstCode`; null where no route has the code. */
  readonly #byCode: readonly (PathTree | null)[];
  readonly #firstCode: number;
  /** Routes that match whatever the byte at `#at` is; in a leaf, all routes. */
  readonly #others: ValueTree;

  private constructor(
    at: number,
    firstCode: number,
    byCode: readonly (PathTree | null)[],
    others: ValueTree,
  ) {
    this.#at = at;
    this.#firstCode = firstCode;
    this.#byCode = byCode;
    this.#others = others;
  }

  /** `routes` are in the plan's order. */
  static *of(routes: readonly CompiledRoute[], depth = 0): Steps<PathTree> {
    const at = depth < DEPTH_MAX && routes.length > LEAF_ROUTES ? yield* bestPlace(routes) : -1;
    const codes = at === -1 ? [] : [...countsAt(routes, at).keys()].sort((a, b) => a - b);
    const byCode: (PathTree | null)[] = [];
    for (const code of codes) {
      yield;
      while (byCode.length < code - codes[0]) byCode.push(null);
      const kept = routes.filter((route) => !caresAt(route, at) || hasCodeAt(route, at, code));
      byCode.push(yield* PathTree.of(kept, depth + 1));
    }
    const others = at === -1 ? routes : routes.filter((route) => !caresAt(route, at));
    return new PathTree(at, codes[0] ?? 0, byCode, yield* ValueTree.of(others));
  }

  /**
   * `candidates` returns the routes that `target` (a path, with or without a query) may match, in the plan's
   * order. It allocates nothing.
   */
  candidates(target: string): readonly CompiledRoute[] {
    let node: PathTree = this;
    while (node.#at !== -1 && node.#at < target.length) {
      const place = target.charCodeAt(node.#at) - node.#firstCode;
      const child = place >= 0 && place < node.#byCode.length ? node.#byCode[place] : null;
      if (child === null) break;
      node = child;
    }
    return node.#others.candidates();
  }
}

/**
 * `bestPlace` returns the position whose byte leaves the fewest routes, averaged over the routes, or -1 when
 * no position helps. It skips positions that would copy too many routes that do not depend on the byte.
 */
function* bestPlace(routes: readonly CompiledRoute[]): Steps<number> {
  const longest = routes.reduce((bytes, route) => Math.max(bytes, route.literal.length), 0);
  let best = -1;
  let fewest = routes.length;
  for (let at = 0; at < Math.min(longest, BYTES_LOOKED_AT); at++) {
    yield;
    const counts = countsAt(routes, at);
    let entries = 0;
    let leftSum = 0;
    for (const count of counts.values()) entries += count;
    const careless = routes.filter((route) => !caresAt(route, at)).length;
    for (const count of counts.values()) leftSum += count * (count + careless);
    const copies = entries + counts.size * careless;
    const left = (leftSum + careless * careless) / routes.length;
    if (left < fewest && copies <= COPIES_MAX * routes.length) {
      fewest = left;
      best = at;
    }
  }
  return best;
}

/**
 * `countsAt` counts the routes by their char code at a position. A letter whose case does not matter counts
 * for both cases.
 */
function countsAt(routes: readonly CompiledRoute[], at: number): Map<number, number> {
  const counts = new Map<number, number>();
  const count = (code: number) => counts.set(code, (counts.get(code) ?? 0) + 1);
  for (const route of routes) {
    if (!caresAt(route, at)) continue;
    const code = route.literal.charCodeAt(at);
    count(code);
    if (route.ignoresCase && isLowerLetter(code)) count(code - Char.CASE_BIT);
  }
  return counts;
}

function caresAt(route: CompiledRoute, at: number): boolean {
  return at < route.literal.length;
}

function hasCodeAt(route: CompiledRoute, at: number, code: number): boolean {
  const own = route.literal.charCodeAt(at);
  return own === code || (route.ignoresCase && isLowerLetter(own) && own - Char.CASE_BIT === code);
}

function isLowerLetter(code: number): boolean {
  return code >= Char.LOWER_A && code <= Char.LOWER_Z;
}
