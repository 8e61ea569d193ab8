/**
 * The lookups of a route table in one request. Each name is looked up at most once, and only when a route
 * needs it.
 */
import type { RequestHead } from '../http/message.js';
import { type NamedField, NamedFields } from '../http/named-fields.js';
import { Span } from '../http/span.js';
import { findCookie } from './cookie.js';
import { findParameter } from './query.js';

/** The part of a request that a condition tests. */
export type ConditionPlace = 'header' | 'cookie' | 'query';

/** `LookedUpName.number` of a value that no route matches exactly, and of an absent one. */
export const NO_NUMBER = -1;

const NO_HEAD = -1;
const NOT_COMPARED = -2;
/**
 * Up to this number of values, comparing one by one is faster than a map, which must hash the value first.
 */
const COMPARED_ONE_BY_ONE = 3;

/** The names of one table, and the request that `begin` received last. */
export class LookedUp {
  /** A counter of requests, so that nothing needs to be cleared for the next one. */
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

  /**
   * `name` returns the same object for the same name. All names are added before the first request begins.
   */
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
   * `has` returns true when the request has a field of the name. The field's span is then the value of the
   * first one, with the white space around it.
   */
  has(field: NamedField): boolean {
    if (this.#fieldsOf !== this.request) {
      this.#fieldsOf = this.request;
      this.#fields.read(this.head!.fields);
    }
    return this.#fields.has(field);
  }
}

/** One header field, cookie or query parameter by its name (in lower case for a header). */
export class LookedUpName {
  readonly place: ConditionPlace;
  readonly name: string;
  readonly #of: LookedUp;
  readonly #field: NamedField | null;
  #lookedOf = NO_HEAD;
  #isPresent = false;
  /**
   * The value without white space around it. It is trimmed only when it is read: often its presence is
   * enough.
   */
  readonly #value = new Span();
  #isTrimmed = false;
  /**
   * The values that routes match exactly, numbered by their position. However many there are, the request's
   * value is compared with all of them once.
   */
  readonly #wanted: string[] = [];
  readonly #numbers = new Map<string, number>();
  #number = NO_NUMBER;

  /** `field` is the header or Cookie field, and null for a parameter. */
  constructor(of: LookedUp, place: ConditionPlace, name: string, field: NamedField | null) {
    this.#of = of;
    this.place = place;
    this.name = name;
    this.#field = field;
  }

  /** `want` returns the number of a value that a route matches exactly. */
  want(value: string): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.#wanted.push(value) - 1;
    this.#numbers.set(value, number);
    return number;
  }

  /**
   * `look` returns true when the current request has the name. The members below belong to that request and
   * must not be used before.
   */
  look(): boolean {
    if (this.#lookedOf !== this.#of.request) this.#lookUp();
    return this.#isPresent;
  }

  /**
   * The value of the first header, cookie or parameter of the name. Read it only after `look` has returned
   * true.
   */
  get value(): Span {
    if (!this.#isTrimmed) {
      const { text, from, to } = this.#field!.span;
      this.#value.setTrimmed(text, from, to);
      this.#isTrimmed = true;
    }
    return this.#value;
  }

  /** The number of the value; `NO_NUMBER` when no route matches it exactly or it is absent. */
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
          // Engines remove Host from the field lines, because it is sent separately.
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
