/**
 * When two values are equal by the rules. Without a tolerance equality is transitive, and two values are
 * equal when their canonical texts are; with one, values are compared two by two, and items without
 * order are matched.
 */
import { limits } from '../limits.js';
import { sameNumber } from './decimal.js';
import { type Json, JsonFault, JsonNumber } from './json.js';
import type { JsonRules } from './json-rules.js';
import { matchedAll } from './matching.js';
import { canonicalLeaf } from './path-rules.js';
import type { Place } from './place.js';

type Leaf = Exclude<Json, Json[] | Map<string, Json>>;

export class Equality {
  readonly #rules: JsonRules;
  readonly isTransitive: boolean;
  #steps = 0;

  constructor(rules: JsonRules) {
    this.#rules = rules;
    this.isTransitive = !rules.paths.hasTolerance && Number(rules.tolerance.value) === 0;
  }

  /** Counts the work. Throws `JsonFault` when there was too much of it. */
  step(steps = 1): void {
    this.#steps += steps;
    if (this.#steps > limits.compareSteps) throw new JsonFault('too-many-values', 0);
  }

  /** The place of an item of the array at `place`; null: whatever is there may differ. */
  item(place: Place, index: number): Place | null {
    return place.child(index, this.#rules);
  }

  same(a: Json, b: Json, place: Place): boolean {
    this.step();
    if (a instanceof Map && b instanceof Map) return this.#sameObjects(a, b, place);
    if (Array.isArray(a) && Array.isArray(b)) return this.#sameArrays(a, b, place);
    return this.sameLeaf(a, b, place);
  }

  /** `sameLeaf` compares two leaves, or values of two types. */
  sameLeaf(a: Json, b: Json, { rule, tolerance }: Place): boolean {
    if (a === b) return true;
    const numbers = a instanceof JsonNumber && b instanceof JsonNumber;
    if (numbers && sameNumber(a.text, b.text, tolerance)) return true;
    if (rule === null || !isLeaf(a) || !isLeaf(b)) return false;
    const { matches, equivalent } = rule;
    if (matches?.test(textOf(a)) === true && matches.test(textOf(b))) return true;
    return equivalent.size > 0 && equivalent.has(canonicalLeaf(a)) && equivalent.has(canonicalLeaf(b));
  }

  #sameObjects(a: Map<string, Json>, b: Map<string, Json>, place: Place): boolean {
    for (const [name, value] of a) {
      const child = place.child(name, this.#rules);
      if (child === null) continue;
      const other = b.get(name);
      if (other === undefined || !this.same(value, other, child)) return false;
    }
    for (const name of b.keys()) {
      if (!a.has(name) && place.child(name, this.#rules) !== null) return false;
    }
    return true;
  }

  #sameArrays(a: readonly Json[], b: readonly Json[], place: Place): boolean {
    const key = place.rule?.key ?? null;
    if (key === null && !place.isUnordered(this.#rules)) {
      const length = Math.max(a.length, b.length);
      for (let i = 0; i < length; i++) {
        const child = place.child(i, this.#rules);
        if (child === null) continue;
        if (i >= a.length || i >= b.length || !this.same(a[i], b[i], child)) return false;
      }
      return true;
    }
    if (a.length !== b.length) return false;
    if (a.length === 0) return true;
    const item = place.child(0, this.#rules);
    if (item === null) return true;
    if (this.isTransitive) return sortedTexts(this, a, item) === sortedTexts(this, b, item);
    return matchedAll(a.length, (i, j) => this.same(a[i], b[j], item));
  }

  /** One text for all values that are equal, but for the tolerance. */
  canonical(value: Json, place: Place): string {
    this.step();
    if (Array.isArray(value)) {
      const items = value.flatMap((item, i) => {
        const child = place.child(i, this.#rules);
        return child === null ? [] : [this.canonical(item, child)];
      });
      const isSet = place.rule?.key != null || place.isUnordered(this.#rules);
      return `[${(isSet ? items.sort() : items).join()}]`;
    }
    if (value instanceof Map) {
      const members: string[] = [];
      for (const [name, member] of value) {
        const child = place.child(name, this.#rules);
        if (child !== null) members.push(`${JSON.stringify(name)}:${this.canonical(member, child)}`);
      }
      return `{${members.sort().join()}}`;
    }
    const { rule } = place;
    if (rule?.matches?.test(textOf(value)) === true) return 'matches';
    const text = canonicalLeaf(value);
    return rule?.equivalent.has(text) === true ? 'equivalent' : text;
  }
}

function sortedTexts(equality: Equality, items: readonly Json[], place: Place): string {
  return items
    .map((item) => equality.canonical(item, place))
    .sort()
    .join();
}

function isLeaf(value: Json): value is Leaf {
  return !Array.isArray(value) && !(value instanceof Map);
}

function textOf(value: Leaf): string {
  return value instanceof JsonNumber ? value.text : String(value);
}
