import { limits } from '../limits.js';
import type { Field } from './field.js';
import { hashValue, hashWhole } from './field-names.js';

/** A literal as it was received, and the field that it stands for. */
class Literal {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly field: Field;

  constructor(name: string, bytes: Uint8Array, field: Field) {
    this.name = name;
    this.bytes = bytes;
    this.field = field;
  }
}

/**
 * `LiteralCache` knows the fields of literals that peers of this thread repeat, so that these are not decoded
 * and judged again. Many peers repeat literals in each block: nginx never uses the dynamic table, and most
 * clients send `:path` and `content-length` without indexing.
 *
 * The meaning of a literal's strings depends on no table, except for a name that is an index, which is
 * compared as `name`. A literal gets a place when it is received for the second time, so that those that
 * differ each time (ids, times) replace nothing. There is one per thread.
 */
export class LiteralCache {
  readonly #literals: (Literal | null)[];
  /** Hashes of whole literals that were received recently, by the same slots. */
  readonly #seen: Int32Array;
  /** The hash of the latest `find`. */
  #hash = 0;

  constructor() {
    this.#literals = new Array<Literal | null>(limits.http2Literals).fill(null);
    this.#seen = new Int32Array(limits.http2Literals);
  }

  /**
   * Returns the field of the literal with the strings `bytes[start, end)`, or null. `name` is empty where the
   * first of the strings is the name.
   */
  find(name: string, bytes: Uint8Array, start: number, end: number): Field | null {
    const hash = hashValue(name.length, bytes, start, end);
    this.#hash = hash;
    const literal = this.#literals[hash & (limits.http2Literals - 1)]!;
    if (literal === null || literal.name !== name) return null;
    const known = literal.bytes;
    if (known.length !== end - start) return null;
    for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return null;
    return literal.field;
  }

  /** Whether the literal of the latest `find`, which returned null, is worth a place. Remembers it if not. */
  isRepeated(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > limits.http2LiteralBytes) return false;
    const slot = this.#hash & (limits.http2Literals - 1);
    const hash = hashWhole(0, bytes, start, end);
    if (this.#seen[slot] === hash) return true;
    this.#seen[slot] = hash;
    return false;
  }

  /** Gives the literal of the latest `find` its place. `field` does not change any more. */
  add(name: string, bytes: Uint8Array, start: number, end: number, field: Field): void {
    const literal = new Literal(name, new Uint8Array(bytes.subarray(start, end)), field);
    this.#literals[this.#hash & (limits.http2Literals - 1)] = literal;
  }
}
