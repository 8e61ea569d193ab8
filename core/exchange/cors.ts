/**
 * Cross-origin requests of one route (Fetch standard, "CORS protocol"). `Cors` answers preflight requests
 * instead of the version, and adds to other responses what pages of the origin may do. As in Envoy, it
 * replaces the version's own CORS fields.
 */
import { withoutFields } from '../http/field-edits.js';
import { fieldValue } from '../http/fields.js';
import type { RequestHead } from '../http/message.js';
import type { CorsPlan, OriginMatch } from '../plan.js';
import type { Matcher } from '../regex/matcher.js';
import { wholePattern } from '../route/pattern.js';
import type { DirectAnswer } from './downstream.js';

const ANY = '*';
const ORIGIN = 'access-control-allow-origin';
const METHODS = 'access-control-allow-methods';
const HEADERS = 'access-control-allow-headers';
const CREDENTIALS = 'access-control-allow-credentials';
const EXPOSE = 'access-control-expose-headers';
const MAX_AGE = 'access-control-max-age';
const named: readonly string[] = [ORIGIN, METHODS, HEADERS, CREDENTIALS, EXPOSE, MAX_AGE];
const OK = 200;

export class Cors {
  readonly #plan: CorsPlan;
  readonly #origins: readonly OriginTest[];
  /** The lines that are the same in every response to an allowed origin. */
  readonly #constant: string;
  /** The further lines that are the same in every preflight response. */
  readonly #ofPreflight: string;

  constructor(plan: CorsPlan) {
    this.#plan = plan;
    this.#origins = plan.origins.map((match) => new OriginTest(match));
    const { credentials, expose, methods, headers, maxAgeS } = plan;
    // With credentials, * would be the name of a field.
    const exposed = credentials ? expose.filter((name) => name !== ANY) : expose;
    this.#constant = `${(credentials ? `${CREDENTIALS}: true\r\n` : '') + listLine(EXPOSE, exposed)}vary: origin\r\n`;
    this.#ofPreflight =
      (methods.includes(ANY) ? '' : listLine(METHODS, methods)) +
      (headers.includes(ANY) ? '' : listLine(HEADERS, headers)) +
      (maxAgeS === null ? '' : `${MAX_AGE}: ${maxAgeS}\r\n`);
  }

  /** `preflight` returns null when the request is not a preflight request, or the version is to answer it. */
  preflight(head: RequestHead): DirectAnswer | null {
    if (head.method !== 'OPTIONS') return null;
    const origin = fieldValue(head.fields, 'origin');
    const method = fieldValue(head.fields, 'access-control-request-method');
    if (origin === null || method === null) return null;
    if (!this.#allows(origin)) return this.#plan.forwardsUnmatched ? null : answer('vary: origin\r\n');
    let lines = this.#linesFor(origin) + this.#ofPreflight;
    if (this.#plan.methods.includes(ANY)) lines += `${METHODS}: ${method}\r\n`;
    if (this.#plan.headers.includes(ANY)) {
      const headers = fieldValue(head.fields, 'access-control-request-headers');
      if (headers !== null) lines += `${HEADERS}: ${headers}\r\n`;
    }
    return answer(lines);
  }

  /**
   * `lines` returns the field lines for the response to this request. They are empty when it has no origin or
   * its origin is not allowed.
   */
  lines(head: RequestHead): string {
    const origin = fieldValue(head.fields, 'origin');
    return origin !== null && this.#allows(origin) ? this.#linesFor(origin) : '';
  }

  #linesFor(origin: string): string {
    return `${ORIGIN}: ${origin}\r\n${this.#constant}`;
  }

  #allows(origin: string): boolean {
    return this.#origins.some((one) => one.takes(origin));
  }
}

/** `withCors` returns `fields` with their CORS fields replaced by `lines` of `Cors`. */
export function withCors(fields: string, lines: string): string {
  return lines === '' ? fields : withoutFields(fields, named) + lines;
}

class OriginTest {
  readonly #match: OriginMatch;
  readonly #pattern: Matcher | null;

  constructor(match: OriginMatch) {
    this.#match = match;
    this.#pattern = match.kind === 'regex' ? wholePattern(match.value) : null;
  }

  takes(origin: string): boolean {
    const { kind, value } = this.#match;
    if (kind === 'exact') return value === ANY || value === origin;
    return this.#pattern === null ? origin.startsWith(value) : this.#pattern.test(origin);
  }
}

function answer(lines: string): DirectAnswer {
  return { status: OK, body: '', lines };
}

function listLine(name: string, values: readonly string[]): string {
  return values.length === 0 ? '' : `${name}: ${values.join(', ')}\r\n`;
}
