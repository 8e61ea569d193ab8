/** One route, compiled: its conditions, cheapest first. */
import type { RequestHead } from '../http/message.js';
import type { PathMatch, RoutePlan } from '../plan.js';
import { FieldTest } from './field-test.js';
import { wildcardSuffix } from './host.js';
import { wholePattern } from './pattern.js';

const PathTest = { ANY: 0, EXACT: 1, PREFIX: 2, REGEX: 3 } as const;
type PathTest = (typeof PathTest)[keyof typeof PathTest];

const pathTests = { exact: PathTest.EXACT, prefix: PathTest.PREFIX, regex: PathTest.REGEX } as const;

export class CompiledRoute {
  /** In the plan's `routes`. */
  readonly index: number;
  /** What a host must end with, at least one label in front; '' when any host will do, or when the table has compared it. */
  readonly hostSuffix: string;
  /** The literal of an exact or prefix match, else ''. */
  readonly literal: string;
  /** A byte of the literal that few neighbours share, and where it is. */
  probeAt: number;
  probeCode: number;
  readonly #pathTest: PathTest;
  readonly #pattern: RegExp | null;
  readonly #methods: readonly string[] | null;
  readonly #fields: readonly FieldTest[];

  constructor(plan: RoutePlan, index: number) {
    const { host, path, methods, headers } = plan.match;
    this.index = index;
    this.hostSuffix = wildcardSuffix(host);
    this.literal = literalOf(path);
    this.probeAt = 0;
    this.probeCode = this.literal === '' ? 0 : this.literal.charCodeAt(0);
    this.#pathTest = path === null ? PathTest.ANY : pathTests[path.kind];
    this.#pattern = path?.kind === 'regex' ? wholePattern(path.value) : null;
    // A part that is empty matches everything (MatchPlan).
    this.#methods = methods === null || methods.length === 0 ? null : methods;
    this.#fields = headers.map((field) => new FieldTest(field));
  }

  /**
   * Whether all conditions hold. `host` is plain (see `plainHost`), `pathEnd` is where the query of the target begins.
   *
   * The path is what stands before the query, as it arrived: percent-encoding and dot segments are not resolved,
   * because the primary gets it so as well. A prefix is a prefix of the string, as in Envoy: `/reviews` also takes
   * `/reviews-old`; who means the segment writes `/reviews/`. A regular expression must match the whole path.
   */
  matches(head: RequestHead, host: string, pathEnd: number): boolean {
    const target = head.target;
    if (this.literal !== '' && target.charCodeAt(this.probeAt) !== this.probeCode) return false;
    if (this.hostSuffix !== '' && !(host.length > this.hostSuffix.length && host.endsWith(this.hostSuffix)))
      return false;
    if (!this.#pathMatches(target, pathEnd)) return false;
    if (this.#methods !== null && !this.#methods.includes(head.method)) return false;
    for (const field of this.#fields) if (!field.matches(head)) return false;
    return true;
  }

  #pathMatches(target: string, pathEnd: number): boolean {
    switch (this.#pathTest) {
      case PathTest.ANY:
        return true;
      case PathTest.EXACT:
        return pathEnd === this.literal.length && target.startsWith(this.literal);
      case PathTest.PREFIX:
        return pathEnd >= this.literal.length && target.startsWith(this.literal);
      case PathTest.REGEX:
        return this.#pattern!.test(pathEnd === target.length ? target : target.slice(0, pathEnd));
    }
  }
}

/**
 * Gives every route with a literal path the probe that the fewest of its neighbours share: of `/service-01/` to `/service-99/`
 * a digit, and not the slash in front. Neighbours are the routes that are tried for the same request.
 */
export function chooseProbes(neighbours: readonly CompiledRoute[]): void {
  const counts = new Map<number, number>();
  for (const { literal } of neighbours) {
    for (let at = 0; at < literal.length; at++) {
      const key = probeKey(literal, at);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  for (const route of neighbours) {
    const { literal } = route;
    let fewest = Number.POSITIVE_INFINITY;
    for (let at = 0; at < literal.length; at++) {
      const count = counts.get(probeKey(literal, at))!;
      if (count >= fewest) continue;
      fewest = count;
      route.probeAt = at;
      route.probeCode = literal.charCodeAt(at);
    }
  }
}

/** One number for a char code (16 bits) at a place. */
function probeKey(literal: string, at: number): number {
  return at * 0x10000 + literal.charCodeAt(at);
}

function literalOf(path: PathMatch | null): string {
  return path === null || path.kind === 'regex' ? '' : path.value;
}
