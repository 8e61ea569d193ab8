/** One header condition of a route. */
import { fieldValue } from '../http/fields.js';
import type { RequestHead } from '../http/message.js';
import type { FieldMatch } from '../plan.js';
import { wholePattern } from './pattern.js';

/**
 * Looks at the first field of the name, white space around its value left out; values keep their case. Only end-to-end
 * fields can be asked for (`RequestHead.fields`), and Host. A regular expression must match the whole value.
 */
export class FieldTest {
  readonly #name: string;
  readonly #kind: FieldMatch['kind'];
  readonly #value: string;
  readonly #pattern: RegExp | null;

  constructor(plan: FieldMatch) {
    this.#name = plan.name.toLowerCase();
    this.#kind = plan.kind;
    this.#value = plan.value;
    this.#pattern = plan.kind === 'regex' ? wholePattern(plan.value) : null;
  }

  matches(head: RequestHead): boolean {
    // Engines take Host out of the field lines, because it is sent in a place of its own.
    const value = this.#name === 'host' ? head.host : fieldValue(head.fields, this.#name);
    if (value === null) return false;
    switch (this.#kind) {
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
}
