/**
 * Two responses taken apart and compared: status, then header fields, then bodies by what they are. When the status
 * differs it is another answer altogether, and nothing else of it is compared.
 *
 * Pure, and bounded but for time: who calls it bounds that, by ending the thread (workers/control/analysts).
 */
import { limits } from '../limits.js';
import type { RedactPlan, StructurePlan } from '../plan.js';
import { Redaction } from '../redact.js';
import { BodyFault, bodyTypeOf, decodeBody, decodeText } from './body.js';
import type { Comparison, Difference, NotComparableReason } from './difference.js';
import { JsonFault, parseJson } from './json.js';
import { diffJson, shortened } from './json-diff.js';
import { jsonPaths, PathMatcher } from './json-path.js';
import type { PairSide } from './pair-port.js';
import { fieldOf, type Response, readResponse } from './response.js';
import { diffBinary, diffText } from './text-diff.js';

/** Plain data that crosses threads. */
export interface CompareRules {
  readonly structure: Pick<StructurePlan, 'ignoreHeaders' | 'ignorePaths' | 'tolerance' | 'arrays'>;
  readonly redact: RedactPlan;
}

/** Of the message or the connection, not of the answer: a proxy would change them too. */
const neverCompared: readonly string[] = [
  'age',
  'content-length',
  'date',
  'via',
  'x-request-id',
  'traceparent',
];

export class Comparer {
  readonly #rules: CompareRules;
  readonly #ignoreFields: ReadonlySet<string>;
  readonly #ignorePaths: PathMatcher;
  readonly #redaction: Redaction;

  constructor(rules: CompareRules) {
    this.#rules = rules;
    this.#ignoreFields = new Set([...neverCompared, ...rules.structure.ignoreHeaders]);
    this.#ignorePaths = new PathMatcher(jsonPaths(rules.structure.ignorePaths));
    this.#redaction = new Redaction(rules.redact);
  }

  compare(primarySide: PairSide, shadowSide: PairSide): Comparison {
    const found = new Differences();
    const primary = readResponse(primarySide);
    const shadow = readResponse(shadowSide);
    if (primary.status !== shadow.status) {
      const path = `${primary.status} ${shadow.status}`;
      found.add({
        kind: 'status',
        path,
        change: 'value',
        at: path,
        primary: primary.status,
        shadow: shadow.status,
      });
      return found;
    }
    this.#fields(primary, shadow, found);
    this.#bodies(primary, shadow, found);
    return found;
  }

  #fields(primary: Response, shadow: Response, found: Differences): void {
    const names = new Set([...primary.fields.keys(), ...shadow.fields.keys()]);
    for (const name of names) {
      if (this.#ignoreFields.has(name)) continue;
      const [a, b] = [primary.fields.get(name), shadow.fields.get(name)];
      if (
        a !== undefined &&
        b !== undefined &&
        a.length === b.length &&
        a.every((value, i) => value === b[i])
      ) {
        continue;
      }
      found.add({
        kind: 'header',
        path: name,
        change: a === undefined ? 'extra' : b === undefined ? 'missing' : 'value',
        at: '',
        primary: this.#field(name, a),
        shadow: this.#field(name, b),
      });
    }
  }

  #field(name: string, values: readonly string[] | undefined): string | undefined {
    return values === undefined ? undefined : shortened(this.#redaction.field(name, values.join(', ')));
  }

  #bodies(primary: Response, shadow: Response, found: Differences): void {
    const sameCoding = fieldOf(primary, 'content-encoding') === fieldOf(shadow, 'content-encoding');
    const whole = !primary.truncated && !shadow.truncated;
    if (whole && sameCoding && Buffer.compare(primary.body, shadow.body) === 0) return;
    const [a, b] = [readBody(primary), readBody(shadow)];
    if (a.fault !== null || b.fault !== null) {
      found.add(notComparable((a.fault ?? b.fault)!, a.fault, b.fault));
      return;
    }
    if (Buffer.compare(a.bytes, b.bytes) === 0) return;
    if (a.bytes.length === 0 || b.bytes.length === 0) {
      const empty = (bytes: Uint8Array) => (bytes.length === 0 ? 'empty' : null);
      found.add(notComparable('empty', empty(a.bytes), empty(b.bytes)));
      return;
    }
    this.#contents(
      a.bytes,
      fieldOf(primary, 'content-type'),
      b.bytes,
      fieldOf(shadow, 'content-type'),
      found,
    );
  }

  #contents(a: Uint8Array, aType: string, b: Uint8Array, bType: string, found: Differences): void {
    const [aKind, bKind] = [bodyTypeOf(aType), bodyTypeOf(bType)];
    if (aKind === 'binary' || bKind === 'binary') {
      found.add(diffBinary(a, b));
      return;
    }
    const asJson = aKind === 'json' && bKind === 'json';
    const primary = attempt(() => (asJson ? parseJson(decodeText(a, '')) : decodeText(a, aType)));
    const shadow = attempt(() => (asJson ? parseJson(decodeText(b, '')) : decodeText(b, bType)));
    if (primary.fault !== null || shadow.fault !== null) {
      found.add(notComparable((primary.fault ?? shadow.fault)!, primary.fault, shadow.fault));
    } else if (typeof primary.value === 'string' && typeof shadow.value === 'string' && !asJson) {
      if (primary.value !== shadow.value) found.add(diffText(primary.value, shadow.value, this.#redaction));
    } else {
      const { tolerance, arrays } = this.#rules.structure;
      const rules = { ignore: this.#ignorePaths, tolerance, arrays, redaction: this.#redaction };
      diffJson(primary.value!, shadow.value!, rules, (difference) => found.add(difference));
    }
  }
}

/** The differences of one pair, one for each group, and so many of them. */
class Differences implements Comparison {
  readonly differences: Difference[] = [];
  more = 0;
  readonly #groups = new Set<string>();

  add(difference: Difference): void {
    const group = `${difference.kind} ${difference.change} ${difference.path}`;
    if (this.#groups.has(group)) return;
    if (this.#groups.size >= limits.pairDifferences) {
      this.more++;
      return;
    }
    this.#groups.add(group);
    this.differences.push(difference);
  }
}

/** What an analyst that failed or was ended left behind. */
export function notComparedAtAll(reason: NotComparableReason): Comparison {
  return { differences: [{ kind: 'not-comparable', path: reason, change: 'value', at: '' }], more: 0 };
}

function notComparable(
  reason: NotComparableReason,
  primary: NotComparableReason | null,
  shadow: NotComparableReason | null,
): Difference {
  return {
    kind: 'not-comparable',
    path: reason,
    change: 'value',
    at: '',
    primary: primary ?? 'ok',
    shadow: shadow ?? 'ok',
  };
}

type Attempt<T> =
  | { readonly value: T; readonly fault: null }
  | { readonly value?: undefined; readonly fault: NotComparableReason };

function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run(), fault: null };
  } catch (error) {
    if (error instanceof BodyFault || error instanceof JsonFault) return { fault: error.reason };
    throw error;
  }
}

type ReadBody = { readonly bytes: Uint8Array; readonly fault: NotComparableReason | null };

function readBody(response: Response): ReadBody {
  if (response.truncated) return { bytes: response.body, fault: 'too-large' };
  if (response.body.length === 0) return { bytes: response.body, fault: null };
  const decoded = attempt(() => decodeBody(response.body, fieldOf(response, 'content-encoding')));
  return decoded.fault === null
    ? { bytes: decoded.value, fault: null }
    : { bytes: response.body, fault: decoded.fault };
}
