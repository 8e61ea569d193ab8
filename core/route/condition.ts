/** One condition of a route on a header field, a cookie or a query parameter. */
import { fieldValue } from '../http/fields.js';
import type { RequestHead } from '../http/message.js';
import type { FieldMatch } from '../plan.js';
import { cookieValue } from './cookie.js';
import { wholePattern } from './pattern.js';
import { queryValue } from './query.js';

/** Where the value is looked for. */
export type ConditionPlace = 'header' | 'cookie' | 'query';

/**
 * Looks at the first field, cookie or parameter of the name; values keep their case. Of fields, only end-to-end ones can
 * be asked for (`RequestHead.fields`), and Host. A regular expression must match the whole value.
 */
export class Condition {
  readonly #place: ConditionPlace;
  readonly #name: string;
  readonly #kind: FieldMatch['kind'];
  readonly #value: string;
  readonly #pattern: RegExp | null;
  readonly #wanted: boolean;

  /** `wanted` false: it must not hold. */
  constructor(place: ConditionPlace, plan: FieldMatch, wanted = true) {
    this.#place = place;
    this.#name = place === 'header' ? plan.name.toLowerCase() : plan.name;
    this.#kind = plan.kind;
    this.#value = plan.value;
    this.#pattern = plan.kind === 'regex' ? wholePattern(plan.value) : null;
    this.#wanted = wanted;
  }

  /** `pathEnd` is where the query of the target begins. */
  matches(head: RequestHead, pathEnd: number): boolean {
    return this.#holds(head, pathEnd) === this.#wanted;
  }

  #holds(head: RequestHead, pathEnd: number): boolean {
    const value = this.#valueIn(head, pathEnd);
    if (value === null) return this.#kind === 'absent';
    switch (this.#kind) {
      case 'absent':
        return false;
      case 'present':
        return true;
      case 'exact':
        return value === this.#value;
      case 'prefix':
        return value.startsWith(this.#value);
      case 'regex':
        return this.#pattern!.test(value);
    }
  }

  #valueIn(head: RequestHead, pathEnd: number): string | null {
    switch (this.#place) {
      case 'query':
        return queryValue(head.target, pathEnd, this.#name);
      case 'cookie':
        return cookieValue(head.fields, this.#name);
      case 'header':
        // Engines take Host out of the field lines, because it is sent in a place of its own.
        return this.#name === 'host' ? head.host : fieldValue(head.fields, this.#name);
    }
  }
}
