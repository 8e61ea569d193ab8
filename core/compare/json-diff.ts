/**
 * The places in which two documents differ, as paths. Arrays are aligned by a longest common
 * subsequence, by a key, or as sets, so that one item that was inserted is one difference. Bounded:
 * whoever exceeds `limits.compareSteps` gets a `JsonFault`. What equality means by the rules is in
 * `json-equality`, how arrays are aligned in `json-arrays`.
 */
import { type Redaction, redacted, searchedChars } from '../redact.js';
import type { Change, Shown } from './difference.js';
import { digestBody } from './digest.js';
import { type Json, JsonNumber } from './json.js';
import { type Alignment, alignKeyed, alignOrdered, alignUnordered } from './json-arrays.js';
import { Equality } from './json-equality.js';
import { type PathState, pathStep } from './json-path.js';
import type { DocumentForm, JsonRules, OnDifference } from './json-rules.js';
import { Place } from './place.js';
import { preview } from './preview.js';
import { shortened } from './shown.js';

export const jsonForm: DocumentForm = {
  kind: 'json',
  root: '$',
  step: (key, exact) => (typeof key === 'number' && !exact ? '[*]' : pathStep(key)),
};

/** Throws `JsonFault` where comparing takes too many steps. */
export function diffJson(
  primary: Json,
  shadow: Json,
  rules: JsonRules,
  on: OnDifference,
  form: DocumentForm = jsonForm,
): void {
  new Walk(rules, on, form).compare(primary, shadow, Place.root(rules));
}

class Walk {
  readonly #rules: JsonRules;
  readonly #equality: Equality;
  readonly #on: OnDifference;
  readonly #form: DocumentForm;
  readonly #reported = new Set<string>();

  constructor(rules: JsonRules, on: OnDifference, form: DocumentForm) {
    this.#rules = rules;
    this.#equality = new Equality(rules);
    this.#on = on;
    this.#form = form;
  }

  compare(primary: Json, shadow: Json, place: Place): void {
    this.#equality.step();
    if (primary instanceof Map && shadow instanceof Map) this.#objects(primary, shadow, place);
    else if (Array.isArray(primary) && Array.isArray(shadow)) this.#arrays(primary, shadow, place);
    else if (!this.#equality.sameLeaf(primary, shadow, place)) this.#report(place, primary, shadow);
  }

  #objects(primary: Map<string, Json>, shadow: Map<string, Json>, place: Place): void {
    for (const [name, value] of primary) {
      const other = shadow.get(name);
      // Most members are equal leaves: no rule can make them differ.
      if (value === other || isSameNumber(value, other)) continue;
      const child = place.child(name, this.#rules);
      if (child === null) continue;
      if (other === undefined) this.#report(child, value, undefined);
      else this.compare(value, other, child);
    }
    for (const [name, value] of shadow) {
      if (primary.has(name)) continue;
      const child = place.child(name, this.#rules);
      if (child !== null) this.#report(child, undefined, value);
    }
  }

  #arrays(primary: readonly Json[], shadow: readonly Json[], place: Place): void {
    const equality = this.#equality;
    const key = place.rule?.key ?? null;
    let alignment: Alignment;
    if (key !== null) alignment = alignKeyed(primary, shadow, key);
    else if (place.isUnordered(this.#rules)) alignment = alignUnordered(primary, shadow, place, equality);
    else alignment = alignOrdered(primary, shadow, place, equality);
    if (alignment.change !== null) {
      this.#report(place, [...primary], [...shadow], alignment.change);
      if (alignment.change === 'order') return;
    }
    for (const [left, right] of alignment.pairs) {
      const child = place.child(left >= 0 ? left : right, this.#rules);
      if (child === null) continue;
      if (left < 0) this.#report(child, undefined, shadow[right]);
      else if (right < 0) this.#report(child, primary[left], undefined);
      else this.compare(primary[left], shadow[right], child);
    }
  }

  #report(
    place: Place,
    primary: Json | undefined,
    shadow: Json | undefined,
    named: Change | null = null,
  ): void {
    const { kind, texts } = this.#form;
    const path = place.text(this.#form, false);
    const isText = typeof primary === 'string' && typeof shadow === 'string';
    if (isText && texts?.(primary, shadow, path, this.#on)) return;
    const change = named ?? changeOf(primary, shadow);
    // One difference stands for all of its identity: a long array may have a thousand of them.
    const identity = `${change} ${path}`;
    if (this.#reported.has(identity)) return;
    this.#reported.add(identity);
    const shown = (value: Json | undefined) => this.#shown(value, place);
    this.#on({
      kind,
      path: shortened(path),
      change,
      at: shortened(place.text(this.#form, true)),
      primary: change === 'length' ? (primary as readonly Json[]).length : shown(primary),
      shadow: change === 'length' ? (shadow as readonly Json[]).length : shown(shadow),
      ...(change === 'value' ? { prints: [printOf(primary!), printOf(shadow!)] as const } : {}),
    });
  }

  #shown(value: Json | undefined, place: Place): Shown {
    if (value === undefined) return undefined;
    const { redaction } = this.#rules;
    const secret = secretAt(place, redaction);
    if (secret === null) return redacted;
    if (value instanceof JsonNumber) {
      const double = Number(value.text);
      return String(double) === value.text ? double : shortened(value.text);
    }
    if (typeof value === 'string') return shortened(redaction.text(value.slice(0, searchedChars)));
    if (value === null || typeof value === 'boolean') return value;
    return shortened(preview(value, secret, redaction));
  }
}

/**
 * The state of the redaction's paths at a place; null: the value is secret, by its place or a name above
 * it.
 */
function secretAt(place: Place, redaction: Redaction): PathState | null {
  let state = redaction.paths.root;
  for (const key of place.keys()) {
    state = redaction.paths.step(state, key);
    const hides = typeof key === 'string' ? redaction.hidesMember(key, state) : redaction.paths.hits(state);
    if (hides) return null;
  }
  return state;
}

function isSameNumber(a: Json, b: Json | undefined): boolean {
  return a instanceof JsonNumber && b instanceof JsonNumber && a.text === b.text;
}

function changeOf(primary: Json | undefined, shadow: Json | undefined): Change {
  if (primary === undefined) return 'extra';
  if (shadow === undefined) return 'missing';
  return typeOf(primary) === typeOf(shadow) ? 'value' : 'type';
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return value instanceof JsonNumber ? 'number' : value instanceof Map ? 'object' : typeof value;
}

/** A fingerprint of a leaf. */
function printOf(value: Json): number {
  return digestBody(Buffer.from(value instanceof JsonNumber ? value.text : String(value)), 0);
}
