/** Rules of a configuration that hold at places of a document: what may differ there, and by how much. */
import type { PathRulePlan, Tolerance } from '../plan.js';
import type { Matcher } from '../regex/matcher.js';
import { wholePattern } from '../route/pattern.js';
import { canonicalNumber } from './decimal.js';
import { type Json, JsonNumber } from './json.js';
import { jsonPaths, PathMatcher, type PathState } from './json-path.js';

/** What all rules together say of one place. */
export interface PlaceRule {
  readonly ignore: boolean;
  readonly tolerance: Tolerance | null;
  readonly unordered: boolean;
  /** The member by which the objects of an array are the same object. */
  readonly key: string | null;
  /** Leaves whose whole text matches it are equal. */
  readonly matches: Matcher | null;
  /** Values that mean the same, in canonical form. */
  readonly equivalent: ReadonlySet<string>;
}

const nothing: PlaceRule = {
  ignore: false,
  tolerance: null,
  unordered: false,
  key: null,
  matches: null,
  equivalent: new Set(),
};

/** Immutable; any thread. */
export class PathRules {
  readonly #matcher: PathMatcher;
  readonly #rules: readonly PlaceRule[];
  /** Some rule allows numbers that are near, so that equality is not transitive. */
  readonly hasTolerance: boolean;

  /** The paths were checked when the configuration was loaded. */
  constructor(rules: readonly PathRulePlan[]) {
    this.#matcher = new PathMatcher(jsonPaths(rules.map(({ path }) => path)));
    this.#rules = rules.map((rule) => ({
      ignore: rule.ignore,
      tolerance: rule.tolerance,
      unordered: rule.unordered,
      key: rule.key,
      matches: rule.matches === null ? null : wholePattern(rule.matches),
      equivalent: new Set((rule.equivalent ?? []).map(canonicalScalar)),
    }));
    this.hasTolerance = rules.some(({ tolerance }) => tolerance !== null);
  }

  /** The state at a document's root. */
  get root(): PathState {
    return this.#matcher.root;
  }

  step(state: PathState, key: string | number): PathState {
    return this.#matcher.step(state, key);
  }

  /** Null where no rule ends at this place. */
  at(state: PathState): PlaceRule | null {
    if (state.length === 0) return null;
    const ended = this.#matcher.ended(state);
    if (ended.length === 0) return null;
    return ended.map((i) => this.#rules[i]).reduce(together, nothing);
  }
}

function together(a: PlaceRule, b: PlaceRule): PlaceRule {
  return {
    ignore: a.ignore || b.ignore,
    tolerance: b.tolerance ?? a.tolerance,
    unordered: a.unordered || b.unordered,
    key: b.key ?? a.key,
    matches: b.matches ?? a.matches,
    equivalent: new Set([...a.equivalent, ...b.equivalent]),
  };
}

/** One text for values that are equal. */
function canonicalScalar(value: string | number | boolean | null): string {
  return typeof value === 'number' ? canonicalNumber(String(value)) : JSON.stringify(value);
}

/** The same of a leaf of a document. */
export function canonicalLeaf(value: Exclude<Json, readonly Json[] | ReadonlyMap<string, Json>>): string {
  return value instanceof JsonNumber ? canonicalNumber(value.text) : JSON.stringify(value);
}
