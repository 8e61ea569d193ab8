/** The places in which two JSON documents differ, as JSONPaths. */
import { limits } from '../limits.js';
import type { StructurePlan } from '../plan.js';
import { type Redaction, redacted, searchedChars } from '../redact.js';
import { withoutLeading, withoutTrailing } from '../trim.js';
import { sameNumber } from './decimal.js';
import type { Change, Difference, Shown } from './difference.js';
import { digestBody } from './digest.js';
import { type Json, JsonNumber } from './json.js';
import { type PathMatcher, type PathState, pathStep } from './json-path.js';

export interface JsonRules {
  readonly ignore: PathMatcher;
  readonly tolerance: StructurePlan['tolerance'];
  readonly arrays: StructurePlan['arrays'];
  readonly redaction: Redaction;
}

/** Where the walk is: the exact place, its group, and what the rules know of it. */
interface Place {
  readonly at: string;
  /** As `at`, with every index `[*]`. */
  readonly path: string;
  readonly ignored: PathState;
  readonly secret: PathState;
  /** A value above this place is secret. */
  readonly hidden: boolean;
}

/** Told of every difference, in the order of the primary's document. */
export type OnDifference = (difference: Difference) => void;

export function diffJson(primary: Json, shadow: Json, rules: JsonRules, on: OnDifference): void {
  new Walk(rules, on).compare(primary, shadow, {
    at: '$',
    path: '$',
    ignored: rules.ignore.root,
    secret: rules.redaction.paths.root,
    hidden: false,
  });
}

class Walk {
  readonly #rules: JsonRules;
  readonly #on: OnDifference;

  constructor(rules: JsonRules, on: OnDifference) {
    this.#rules = rules;
    this.#on = on;
  }

  compare(primary: Json, shadow: Json, place: Place): void {
    if (primary instanceof Map && shadow instanceof Map) {
      this.#objects(primary, shadow, place);
    } else if (Array.isArray(primary) && Array.isArray(shadow)) {
      if (this.#rules.arrays === 'ordered') this.#items(primary, shadow, place);
      else this.#unordered(primary, shadow, place);
    } else if (!this.#sameLeaf(primary, shadow)) {
      this.#tell(place, primary, shadow);
    }
  }

  #sameLeaf(primary: Json, shadow: Json): boolean {
    if (primary instanceof JsonNumber && shadow instanceof JsonNumber) {
      return sameNumber(primary.text, shadow.text, this.#rules.tolerance);
    }
    return primary === shadow;
  }

  #objects(primary: Map<string, Json>, shadow: Map<string, Json>, place: Place): void {
    for (const [name, value] of primary) {
      const other = shadow.get(name);
      const child = this.#child(place, name);
      if (child === null) continue;
      if (other === undefined) this.#tell(child, value, undefined);
      else this.compare(value, other, child);
    }
    for (const [name, value] of shadow) {
      if (primary.has(name)) continue;
      const child = this.#child(place, name);
      if (child !== null) this.#tell(child, undefined, value);
    }
  }

  #items(primary: readonly Json[], shadow: readonly Json[], place: Place): void {
    const count = Math.max(primary.length, shadow.length);
    for (let i = 0; i < count; i++) {
      const child = this.#child(place, i);
      if (child === null) continue;
      if (i >= shadow.length) this.#tell(child, primary[i], undefined);
      else if (i >= primary.length) this.#tell(child, undefined, shadow[i]);
      else this.compare(primary[i], shadow[i], child);
    }
  }

  /** Items that have an equal on the other side are taken out; what is left is compared in a canonical order. */
  #unordered(primary: readonly Json[], shadow: readonly Json[], place: Place): void {
    const item = this.#child(place, 0) ?? place;
    const key = (value: Json): string => this.#canonical(value, item);
    const left = new Map<string, Json[]>();
    for (const value of primary) {
      const same = left.get(key(value));
      if (same === undefined) left.set(key(value), [value]);
      else same.push(value);
    }
    const right: [string, Json][] = [];
    for (const value of shadow) {
      const text = key(value);
      if (left.get(text)?.pop() === undefined) right.push([text, value]);
    }
    const rest = [...left].flatMap(([text, values]) => values.map((value): [string, Json] => [text, value]));
    this.#items(sorted(rest), sorted(right), place);
  }

  /** Equal for values that are equal by the rules, but for the tolerance. */
  #canonical(value: Json, place: Place): string {
    if (value instanceof JsonNumber) return canonicalNumber(value.text);
    if (Array.isArray(value)) {
      const items = value.flatMap((item, i) => {
        const child = this.#child(place, i);
        return child === null ? [] : [this.#canonical(item, child)];
      });
      return `[${items.sort().join()}]`;
    }
    if (value instanceof Map) {
      const members = [...value].flatMap(([name, member]) => {
        const child = this.#child(place, name);
        return child === null ? [] : [`${JSON.stringify(name)}:${this.#canonical(member, child)}`];
      });
      return `{${members.sort().join()}}`;
    }
    return JSON.stringify(value);
  }

  /** Null: what is there may differ. */
  #child(place: Place, key: string | number): Place | null {
    const { ignore, redaction } = this.#rules;
    const ignored = ignore.step(place.ignored, key);
    if (ignore.hits(ignored)) return null;
    const secret = redaction.paths.step(place.secret, key);
    const hides = typeof key === 'string' ? redaction.hidesMember(key, secret) : redaction.paths.hits(secret);
    return {
      at: place.at + pathStep(key),
      path: place.path + (typeof key === 'number' ? '[*]' : pathStep(key)),
      ignored,
      secret,
      hidden: place.hidden || hides,
    };
  }

  #tell(place: Place, primary: Json | undefined, shadow: Json | undefined): void {
    const change = changeOf(primary, shadow);
    this.#on({
      kind: 'json',
      path: shortened(place.path),
      change,
      at: shortened(place.at),
      primary: this.#shown(primary, place),
      shadow: this.#shown(shadow, place),
      ...(change === 'value' ? { prints: [printOf(primary!), printOf(shadow!)] } : {}),
    });
  }

  #shown(value: Json | undefined, place: Place): Shown {
    if (value === undefined) return undefined;
    if (place.hidden) return redacted;
    if (value instanceof JsonNumber) {
      const double = Number(value.text);
      return String(double) === value.text ? double : shortened(value.text);
    }
    if (typeof value === 'string')
      return shortened(this.#rules.redaction.text(value.slice(0, searchedChars)));
    if (value === null || typeof value === 'boolean') return value;
    const text = new Preview(this.#rules.redaction);
    text.add(value, place.secret);
    return shortened(text.text);
  }
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

/** An object or array as text, redacted inside, and no longer than a sample shows. */
class Preview {
  text = '';
  readonly #redaction: Redaction;

  constructor(redaction: Redaction) {
    this.#redaction = redaction;
  }

  add(value: Json, secret: PathState): void {
    if (this.text.length > limits.diffValueChars) return;
    if (value instanceof JsonNumber) this.text += value.text;
    else if (Array.isArray(value)) {
      this.#list(
        '[',
        ']',
        value.entries(),
        (i) => this.#redaction.paths.step(secret, i),
        () => '',
      );
    } else if (value instanceof Map) {
      this.#list(
        '{',
        '}',
        value.entries(),
        (name) => this.#redaction.paths.step(secret, name),
        (name) => `${JSON.stringify(name)}:`,
      );
    } else
      this.text += JSON.stringify(
        typeof value === 'string' ? this.#redaction.text(value.slice(0, searchedChars)) : value,
      );
  }

  #list<K extends string | number>(
    open: string,
    close: string,
    entries: Iterable<[K, Json]>,
    step: (key: K) => PathState,
    label: (key: K) => string,
  ): void {
    this.text += open;
    let first = true;
    for (const [key, value] of entries) {
      if (this.text.length > limits.diffValueChars) return;
      if (!first) this.text += ',';
      first = false;
      this.text += label(key);
      const state = step(key);
      const hides =
        typeof key === 'string' ? this.#redaction.hidesMember(key, state) : this.#redaction.paths.hits(state);
      if (hides) this.text += JSON.stringify(redacted);
      else this.add(value, state);
    }
    this.text += close;
  }
}

/** At most `limits.diffValueChars` characters. */
export function shortened(text: string): string {
  return text.length <= limits.diffValueChars ? text : `${text.slice(0, limits.diffValueChars - 1)}…`;
}

function sorted(keyed: readonly [string, Json][]): Json[] {
  return [...keyed].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value);
}

/** `1.0`, `10e-1` and `1` are one text. */
function canonicalNumber(text: string): string {
  const [, sign, whole, fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(
    text,
  )!;
  const digits = withoutLeading(whole + fraction, '0');
  const trimmed = withoutTrailing(digits, '0');
  if (trimmed === '') return '0';
  return `${sign}${trimmed}e${Number(power) - fraction.length + digits.length - trimmed.length}`;
}
