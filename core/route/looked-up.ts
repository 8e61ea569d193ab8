/**
 * What the conditions of a route table ask of a request: each name is looked up at most once, and only when a
 * route asks for it.
 */
import type { RequestHead } from '../http/message.js';
import { type NamedField, NamedFields } from '../http/named-fields.js';
import { Span } from '../http/span.js';
import { findCookie } from './cookie.js';
import { findParameter } from './query.js';

/** Where a value is looked for. */
export type ConditionPlace = 'header' | 'cookie' | 'query';

/** The number of a value that no route wants exactly, and of none. */
export const NO_NUMBER = -1;

const NO_HEAD = -1;
const NOT_COMPARED = -2;
/**
 * So few wanted values are compared one by one faster than one is found in a map, which must hash it first.
 */
const COMPARED_ONE_BY_ONE = 3;

/** The names of one table, and the request that `begin` got last. */
export class LookedUp {
  /** Counts requests, so that nothing need be cleared for the next one. */
  request = 0;
  head: RequestHead | null = null;
  /** Where the query of the target begins. */
  pathEnd = 0;
  readonly #names = new Map<string, LookedUpName>();
  readonly #fields = new NamedFields();
  #fieldsOf = NO_HEAD;

  begin(head: RequestHead, pathEnd: number): void {
    this.head = head;
    this.pathEnd = pathEnd;
    this.request = (this.request + 1) & 0x3fffffff;
  }

  /** The same one for the same name, whichever route asks. All are named before the first request begins. */
  name(place: ConditionPlace, name: string): LookedUpName {
    const key = `${place} ${name}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const field = place === 'query' ? null : this.#fields.add(place === 'cookie' ? 'cookie' : name);
    const added = new LookedUpName(this, place, name, field);
    this.#names.set(key, added);
    return added;
  }

  /**
   * Whether there is a field of the name; its span is then the first one, with the white space around its
   * value.
   */
  has(field: NamedField): boolean {
    if (this.#fieldsOf !== this.request) {
      this.#fieldsOf = this.request;
      this.#fields.read(this.head!.fields);
    }
    return this.#fields.has(field);
  }
}

/** One header field, cookie or query parameter by its name (a header's in lower case). */
export class LookedUpName {
  readonly place: ConditionPlace;
  readonly name: string;
  readonly #of: LookedUp;
  readonly #field: NamedField | null;
  #lookedOf = NO_HEAD;
  #isPresent = false;
  /**
   * The value without white space around it. It is trimmed when it is asked for: to know that there is one is
   * often enough.
   */
  readonly #value = new Span();
  #isTrimmed = false;
  /**
   * The values that routes want exactly, numbered by their place: however many they are, a request's is
   * compared with all of them once.
   */
  readonly #wanted: string[] = [];
  readonly #numbers = new Map<string, number>();
  #number = NO_NUMBER;

  /** `field`: of a header, or Cookie; null for a parameter. */
  constructor(of: LookedUp, place: ConditionPlace, name: string, field: NamedField | null) {
    this.#of = of;
    this.place = place;
    this.name = name;
    this.#field = field;
  }

  /** The number of a value that a route wants exactly. */
  want(value: string): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.#wanted.push(value) - 1;
    this.#numbers.set(value, number);
    return number;
  }

  /**
   * Whether the request that was begun has one of the name. The members below are about that request,
   * and must not be used before.
   */
  look(): boolean {
    if (this.#lookedOf !== this.#of.request) this.#lookUp();
    return this.#isPresent;
  }

  /** The value of the first one of the name, where there is one. */
  get value(): Span {
    if (!this.#isTrimmed) {
      const { text, from, to } = this.#field!.span;
      this.#value.setTrimmed(text, from, to);
      this.#isTrimmed = true;
    }
    return this.#value;
  }

  /** The number of the value; `NO_NUMBER` when no route wants it exactly, or there is none. */
  get number(): number {
    if (this.#number === NOT_COMPARED) this.#number = this.#numberOf(this.value);
    return this.#number;
  }

  #numberOf(value: Span): number {
    const wanted = this.#wanted;
    if (wanted.length > COMPARED_ONE_BY_ONE) return this.#numbers.get(value.toString()) ?? NO_NUMBER;
    let number = wanted.length - 1;
    while (number >= 0 && !value.is(wanted[number])) number--;
    return number;
  }

  #lookUp(): void {
    const of = this.#of;
    this.#lookedOf = of.request;
    this.#isTrimmed = true;
    switch (this.place) {
      case 'query':
        this.#isPresent = findParameter(of.head!.target, of.pathEnd, this.name, this.#value);
        break;
      case 'cookie':
        this.#isPresent = of.has(this.#field!) && findCookie(this.#field!.span, this.name, this.#value);
        break;
      case 'header':
        if (this.name === 'host') {
          // Engines take Host out of the field lines, because it is sent in a place of its own.
          this.#isPresent = true;
          this.#value.set(of.head!.host, 0, of.head!.host.length);
        } else {
          this.#isPresent = of.has(this.#field!);
          this.#isTrimmed = false;
        }
    }
    this.#number = this.#isPresent ? NOT_COMPARED : NO_NUMBER;
  }
}
