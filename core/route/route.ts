/** One match of a route, compiled: its conditions, cheapest first. */
import { asciiLowerCase } from '../http/chars.js';
import { nameIs } from '../http/fields.js';
import type { RequestHead } from '../http/message.js';
import { schemeOf } from '../http/scheme.js';
import type { MatchPlan, PathMatch } from '../plan.js';
import type { Matcher } from '../regex/matcher.js';
import { Condition } from './condition.js';
import { wildcardSuffix } from './host.js';
import type { LookedUp } from './looked-up.js';
import { wholePattern } from './pattern.js';

const PathTest = { ANY: 0, EXACT: 1, PREFIX: 2, REGEX: 3, EXACT_ANY_CASE: 4, PREFIX_ANY_CASE: 5 } as const;
type PathTest = (typeof PathTest)[keyof typeof PathTest];

export class CompiledRoute {
  /** Index in the plan's `routes`; the matches of one route share it. */
  readonly index: number;
  /**
   * What a host must end with, with at least one label in front. It is '' when any host matches, or when the
   * table has already compared the host.
   */
  readonly hostSuffix: string;
  /** The literal of an exact or prefix match, else ''. It is in lower case when case does not matter. */
  readonly literal: string;
  readonly ignoresCase: boolean;
  /** The conditions on exact values, which a table uses to narrow the routes before it tries them. */
  readonly exact: readonly Condition[];
  readonly #port: number | null;
  readonly #scheme: MatchPlan['scheme'];
  readonly #pathTest: PathTest;
  readonly #pattern: Matcher | null;
  readonly #methods: readonly string[] | null;
  readonly #conditions: readonly Condition[];

  constructor(plan: MatchPlan, index: number, lookedUp: LookedUp) {
    const { host, port, scheme, path, methods, headers, cookies, queries, without } = plan;
    this.index = index;
    this.#port = port;
    this.#scheme = scheme;
    this.hostSuffix = wildcardSuffix(host);
    this.ignoresCase = path !== null && path.kind !== 'regex' && path.ignoreCase;
    this.literal = this.ignoresCase ? asciiLowerCase(literalOf(path)) : literalOf(path);
    this.#pathTest = pathTestOf(path);
    this.#pattern = path?.kind === 'regex' ? wholePattern(path.value) : null;
    // An empty part matches everything (MatchPlan).
    this.#methods = methods === null || methods.length === 0 ? null : methods;
    this.#conditions = [
      ...queries.map((match) => new Condition('query', match, lookedUp)),
      ...headers.map((match) => new Condition('header', match, lookedUp)),
      ...cookies.map((match) => new Condition('cookie', match, lookedUp)),
      ...without.queries.map((match) => new Condition('query', match, lookedUp, false)),
      ...without.headers.map((match) => new Condition('header', match, lookedUp, false)),
      ...without.cookies.map((match) => new Condition('cookie', match, lookedUp, false)),
    ];
    this.exact = this.#conditions.filter((condition) => condition.isExact);
  }

  /**
   * `matches` returns true when all conditions hold. `host` comes from `plainHost`, and `pathEnd` is where
   * the query of the target begins. `lookedUp` must have begun this request.
   *
   * The path is the target before the query, as it arrived: percent-encoding and dot segments are not
   * resolved, because the primary receives it unchanged too. A prefix is a prefix of the string, as in Envoy:
   * `/reviews` also matches `/reviews-old`, and `/reviews/` matches only the segment. A regular expression
   * must match the whole path.
   */
  matches(head: RequestHead, host: string, pathEnd: number): boolean {
    if (this.hostSuffix !== '' && !(host.length > this.hostSuffix.length && host.endsWith(this.hostSuffix)))
      return false;
    if (!this.#pathMatches(head.target, pathEnd)) return false;
    if (this.#port !== null && this.#port !== head.localPort) return false;
    if (this.#scheme !== null && this.#scheme !== schemeOf(head)) return false;
    if (this.#methods !== null && !this.#methods.includes(head.method)) return false;
    for (let i = 0; i < this.#conditions.length; i++) {
      if (!this.#conditions[i].matches()) return false;
    }
    return true;
  }

  #pathMatches(target: string, pathEnd: number): boolean {
    switch (this.#pathTest) {
      case PathTest.ANY:
        return true;
      case PathTest.EXACT:
        return pathEnd === this.literal.length && beginsWith(target, this.literal);
      case PathTest.PREFIX:
        return pathEnd >= this.literal.length && beginsWith(target, this.literal);
      case PathTest.EXACT_ANY_CASE:
        return pathEnd === this.literal.length && nameIs(target, 0, this.literal);
      case PathTest.PREFIX_ANY_CASE:
        return pathEnd >= this.literal.length && nameIs(target, 0, this.literal);
      case PathTest.REGEX:
        return this.#pattern!.test(pathEnd === target.length ? target : target.slice(0, pathEnd));
    }
  }
}

/**
 * `beginsWith` returns true when `target`, which is at least as long, begins with `literal`. For a match,
 * `startsWith` takes half as long again as `indexOf`. For a mismatch `indexOf` would search on, so the last
 * byte is compared first: nearly all remaining routes differ there.
 */
function beginsWith(target: string, literal: string): boolean {
  const last = literal.length - 1;
  return last < 0 || (target.charCodeAt(last) === literal.charCodeAt(last) && target.indexOf(literal) === 0);
}

function pathTestOf(path: PathMatch | null): PathTest {
  if (path === null) return PathTest.ANY;
  if (path.kind === 'regex') return PathTest.REGEX;
  if (path.kind === 'exact') return path.ignoreCase ? PathTest.EXACT_ANY_CASE : PathTest.EXACT;
  return path.ignoreCase ? PathTest.PREFIX_ANY_CASE : PathTest.PREFIX;
}

function literalOf(path: PathMatch | null): string {
  return path === null || path.kind === 'regex' ? '' : path.value;
}
