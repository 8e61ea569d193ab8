/** What the conditions of a route table ask of a request: each name is looked up at most once, and only when a route asks for it. */
import { FieldLines } from '../http/field-lines.js';
import type { RequestHead } from '../http/message.js';
import { Span } from '../http/span.js';
import { findCookie } from './cookie.js';
import { findParameter } from './query.js';

/** Where a value is looked for. */
export type ConditionPlace = 'header' | 'cookie' | 'query';

const NO_HEAD = -1;
const NONE_OF_THEM = -1;

/** The names of one table, and the request that `begin` was told last. */
export class LookedUp {
  /** Counts requests, so that nothing need be cleared for the next one. */
  request = 0;
  #head: RequestHead | null = null;
  #pathEnd = 0;
  readonly #names: LookedUpName[] = [];
  readonly #lines = new FieldLines();
  #linesOf = NO_HEAD;
  readonly #cookies = new Span();
  #cookiesOf = NO_HEAD;
  #hasCookies = false;

  /** `pathEnd` is where the query of the target begins. */
  begin(head: RequestHead, pathEnd: number): void {
    this.#head = head;
    this.#pathEnd = pathEnd;
    this.request = (this.request + 1) & 0x3fffffff;
  }

  /** The same one for the same name, whichever route asks. */
  name(place: ConditionPlace, name: string): LookedUpName {
    const known = this.#names.find((one) => one.place === place && one.name === name);
    if (known !== undefined) return known;
    const added = new LookedUpName(this, place, name);
    this.#names.push(added);
    return added;
  }

  /** Sets `span` to the value of the first one of the name; false: there is none. */
  find(place: ConditionPlace, name: string, span: Span): boolean {
    const head = this.#head!;
    switch (place) {
      case 'query':
        return findParameter(head.target, this.#pathEnd, name, span);
      case 'cookie':
        return this.#findCookie(name, span);
      case 'header':
        if (name !== 'host') return this.#fieldLines().find(name, span);
        // Engines take Host out of the field lines, because it is sent in a place of its own.
        span.set(head.host, 0, head.host.length);
        return true;
    }
  }

  #findCookie(name: string, span: Span): boolean {
    const cookies = this.#cookies;
    if (this.#cookiesOf !== this.request) {
      this.#cookiesOf = this.request;
      this.#hasCookies = this.#fieldLines().find('cookie', cookies);
    }
    return this.#hasCookies && findCookie(cookies.text, cookies.from, cookies.to, name, span);
  }

  #fieldLines(): FieldLines {
    if (this.#linesOf !== this.request) {
      this.#linesOf = this.request;
      this.#lines.read(this.#head!.fields);
    }
    return this.#lines;
  }
}

/** One header field, cookie or query parameter by its name (a header's in lower case). What it tells is of the request that was begun. */
export class LookedUpName {
  readonly place: ConditionPlace;
  readonly name: string;
  readonly #of: LookedUp;
  readonly #span = new Span();
  #spanOf = NO_HEAD;
  #present = false;
  /** The values that routes want exactly, numbered: however many they are, a request's is compared with all of them once. */
  readonly #wanted = new Map<string, number>();
  #number = NONE_OF_THEM;
  #numberOf = NO_HEAD;

  constructor(of: LookedUp, place: ConditionPlace, name: string) {
    this.#of = of;
    this.place = place;
    this.name = name;
  }

  /** Of the first one of the name; null when there is none. */
  get value(): Span | null {
    const { request } = this.#of;
    if (this.#spanOf !== request) {
      this.#spanOf = request;
      this.#present = this.#of.find(this.place, this.name, this.#span);
    }
    return this.#present ? this.#span : null;
  }

  /** The number of a value that a route wants exactly. */
  want(value: string): number {
    const known = this.#wanted.get(value);
    if (known !== undefined) return known;
    const number = this.#wanted.size;
    this.#wanted.set(value, number);
    return number;
  }

  /** Whether the value is the one with this number. */
  is(number: number): boolean {
    const { request } = this.#of;
    if (this.#numberOf !== request) {
      this.#numberOf = request;
      const { value } = this;
      this.#number = value === null ? NONE_OF_THEM : (this.#wanted.get(value.toString()) ?? NONE_OF_THEM);
    }
    return this.#number === number;
  }
}
