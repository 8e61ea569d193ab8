/**
 * What must not be shown: one module for everything that shows or stores what passed through umbra (log
 * lines, samples of differences, recordings, streams, reports, the effective configuration). It knows names
 * that are secret everywhere, and takes more from the configuration. It hides by name and place, never by
 * guessing at values alone, with exceptions that are credentials by their form (core/redact-text).
 */
import { jsonPaths, PathMatcher, type PathState } from './compare/json-path.js';
import { asciiLowerCase } from './http/chars.js';
import type { RedactPlan } from './plan.js';
import { redacted, redactText, type TextRules } from './redact-text.js';

export { redacted };

/** Characters of an unknown text that are searched: whoever shows a part of it takes that part from these. */
export const searchedChars = 8192;

/**
 * Fields, members and parameters that are credentials, whoever set them: matched anywhere in a name without
 * case, `-` and `_`.
 */
export const secretParts = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'passw',
  'passphrase',
  'apikey',
  'accesskey',
  'privatekey',
  'credential',
  'signature',
  'sessionid',
  'cardnumber',
] as const;
/** These only as whole names. */
export const secretWholes = ['sid', 'pwd', 'pin', 'cvv', 'cvc'] as const;

/**
 * Whether a name is secret by itself: `Proxy-Authorization`, `x-api-key`, `accessToken`, `user.pin` and the
 * like.
 */
export function isSecretName(name: string): boolean {
  const folded = name.replace(/[-_.]/g, '').toLowerCase();
  for (const part of secretParts) if (folded.includes(part)) return true;
  const last = name.slice(name.lastIndexOf('.') + 1).replace(/[-_]/g, '');
  for (const whole of secretWholes) if (folded === whole || last.toLowerCase() === whole) return true;
  return false;
}

export const redactNothingMore: RedactPlan = { defaults: true, headers: [], query: [], json: [] };

/** The rules of one plan. Immutable; any thread. */
export class Redaction implements TextRules {
  readonly #defaults: boolean;
  readonly #parameters: ReadonlySet<string>;
  readonly #headers: ReadonlySet<string>;
  readonly paths: PathMatcher;

  constructor(plan: RedactPlan) {
    this.#defaults = plan.defaults;
    this.#headers = new Set(plan.headers);
    this.#parameters = new Set(plan.query.map((name) => name.toLowerCase()));
    this.paths = new PathMatcher(jsonPaths(plan.json));
  }

  /** A field's value as it may be shown; `lowerName` is lower case. */
  field(lowerName: string, value: string): string {
    return this.hidesField(lowerName) ? redacted : this.text(value);
  }

  hidesField(lowerName: string): boolean {
    return this.#headers.has(lowerName) || this.hidesName(lowerName);
  }

  /** A member of a JSON object, whatever is in it. `state` is that of `paths` at the member. */
  hidesMember(name: string, state: PathState): boolean {
    return this.paths.hits(state) || this.hidesName(name);
  }

  /** A name of anything. */
  hidesName(name: string): boolean {
    return this.#defaults && isSecretName(name);
  }

  /** A parameter of a query, or a field of a form. */
  hidesParameter(name: string): boolean {
    return this.#parameters.has(name.toLowerCase()) || this.hidesName(name);
  }

  get hidesCredentials(): boolean {
    return this.#defaults;
  }

  /** Returns text of which nothing is known, a request target too, without what `core/redact-text` hides. */
  text(text: string): string {
    return this.#looksIntoText ? redactText(text, this, false) : text;
  }

  /** Returns the fields of a form without the values of secret ones. */
  form(text: string): string {
    return this.#looksIntoText ? redactText(text, this, true) : text;
  }

  get #looksIntoText(): boolean {
    return this.#defaults || this.#parameters.size > 0;
  }
}

/**
 * The rules of umbra's own log, whose lines are text of which nothing is known: what `redact` lists is hidden
 * wherever it is assigned to its name, and what is secret by its name in any case.
 */
export class LogRedaction implements TextRules {
  readonly hidesCredentials = true;
  readonly #names: ReadonlySet<string>;

  constructor({ headers, query, json }: RedactPlan) {
    const members = jsonPaths(json).map((path) => path.at(-1)!.key);
    const names = members.filter((key) => typeof key === 'string');
    this.#names = new Set([...headers, ...query, ...names].map(asciiLowerCase));
  }

  hidesName(name: string): boolean {
    return isSecretName(name) || this.#names.has(asciiLowerCase(name));
  }

  hidesParameter(name: string): boolean {
    return this.hidesName(name);
  }

  text(text: string): string {
    return redactText(text, this, false);
  }
}
