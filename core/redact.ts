/**
 * What must not be shown: one module for everything that shows or stores what passed through umbra (samples of
 * differences, the effective configuration, access logs, reports). It knows names that are secret everywhere, and takes
 * more from the configuration. It hides by name and place, never by guessing at values alone, with two exceptions that
 * are credentials by their form: `Bearer …` and JSON web tokens in text.
 */
import { jsonPaths, PathMatcher, type PathState } from './compare/json-path.js';
import type { RedactPlan } from './plan.js';

/** Of an unknown text no more is looked through: whoever shows a part of it takes that part from these. */
export const searchedChars = 8192;

/** What stands in place of a secret. */
export const redacted = '[redacted]';

/** Fields, members and parameters that are credentials, whoever set them: matched anywhere in a name without case, `-` and `_`. */
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
const secretName = new RegExp(`${secretParts.join('|')}|^(?:${secretWholes.join('|')})$`);

/** `name=value` and `name: value` in text whose name is secret; the value goes up to a delimiter. */
const assignment = /([\w-]{2,64})("?\s{0,4}[=:]\s{0,4})("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s&;,<>"']+)/g;
const bearer = /\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi;
const webToken = /\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*/g;

/** `Proxy-Authorization`, `x-api-key`, `accessToken`, `session_id` and the like. */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replace(/[-_.]/g, '').toLowerCase());
}

export const redactNothingMore: RedactPlan = { defaults: true, headers: [], json: [] };

/** The rules of one plan. Immutable; any thread. */
export class Redaction {
  readonly #defaults: boolean;
  readonly #headers: ReadonlySet<string>;
  readonly paths: PathMatcher;

  constructor(plan: RedactPlan) {
    this.#defaults = plan.defaults;
    this.#headers = new Set(plan.headers);
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

  /** Text of which nothing is known: what is assigned to secret names in it is hidden, and tokens are. */
  text(text: string): string {
    if (!this.#defaults) return text;
    return text
      .replace(bearer, `$1 ${redacted}`)
      .replace(webToken, redacted)
      .replace(assignment, (all: string, name: string, sign: string) =>
        isSecretName(name) ? name + sign + redacted : all,
      );
  }

  /** A request target: the values of secret parameters are hidden, and user information in an absolute form. */
  target(target: string): string {
    if (!this.#defaults) return target;
    const query = target.indexOf('?');
    const path = (query < 0 ? target : target.slice(0, query)).replace(
      /^(\w+:\/\/)[^/@]*@/,
      `$1${redacted}@`,
    );
    if (query < 0) return path;
    const parameters = target.slice(query + 1).split('&');
    return `${path}?${parameters.map(shownParameter).join('&')}`;
  }
}

function shownParameter(parameter: string): string {
  const sign = parameter.indexOf('=');
  if (sign < 0 || !isSecretName(plainName(parameter.slice(0, sign)))) return parameter;
  return parameter.slice(0, sign + 1) + redacted;
}

/** A name may hide behind percent-encoding. */
function plainName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
