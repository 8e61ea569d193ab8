/** One condition of a route on a header field, a cookie or a query parameter. */
import type { FieldMatch } from '../plan.js';
import type { Matcher } from '../regex/matcher.js';
import { type ConditionPlace, type LookedUp, type LookedUpName, NO_NUMBER } from './looked-up.js';
import { wholePattern } from './pattern.js';

/**
 * Numbers rather than the kinds of the plan: a plan comes from another thread, and its strings are compared
 * byte by byte.
 */
const Test = { EXACT: 0, PREFIX: 1, REGEX: 2, PRESENT: 3, ABSENT: 4 } as const;
type Test = (typeof Test)[keyof typeof Test];
const tests = {
  exact: Test.EXACT,
  prefix: Test.PREFIX,
  regex: Test.REGEX,
  present: Test.PRESENT,
  absent: Test.ABSENT,
} as const;

/**
 * `Condition` tests the first header field, cookie or query parameter of its name. Values are compared
 * case-sensitively. It can test end-to-end fields (`RequestHead.fields`) and Host. A regular expression must
 * match the whole value.
 */
export class Condition {
  readonly name: LookedUpName;
  /** The number of the value in an exact match, else `NO_NUMBER`. */
  readonly number: number;
  readonly #test: Test;
  readonly #value: string;
  readonly #pattern: Matcher | null;
  readonly #wanted: boolean;

  /** With `wanted` false, the route matches only if the condition does not hold. */
  constructor(place: ConditionPlace, plan: FieldMatch, lookedUp: LookedUp, wanted = true) {
    this.name = lookedUp.name(place, place === 'header' ? plan.name.toLowerCase() : plan.name);
    this.number = plan.kind === 'exact' ? this.name.want(plan.value) : NO_NUMBER;
    this.#test = tests[plan.kind];
    this.#value = plan.value;
    this.#pattern = plan.kind === 'regex' ? wholePattern(plan.value) : null;
    this.#wanted = wanted;
  }

  /** True when only one value of the name matches. */
  get isExact(): boolean {
    return this.#wanted && this.#test === Test.EXACT;
  }

  /** `matches` tests the request that `LookedUp.begin` received last. */
  matches(): boolean {
    return this.#holds() === this.#wanted;
  }

  #holds(): boolean {
    const name = this.name;
    if (!name.look()) return this.#test === Test.ABSENT;
    switch (this.#test) {
      case Test.EXACT:
        return name.number === this.number;
      case Test.PREFIX:
        return name.value.beginsWith(this.#value);
      case Test.REGEX:
        return this.#pattern!.test(name.value.toString());
      case Test.PRESENT:
        return true;
      case Test.ABSENT:
        return false;
    }
  }
}
