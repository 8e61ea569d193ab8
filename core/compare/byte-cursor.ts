/**
 * Reads numbers and strings of a binary document, one behind the other. Every read throws `JsonFault` at
 * the end.
 */
import { invalidDocument } from './document-bounds.js';
import type { Json } from './json.js';

/** `wholeOf` reads values up to the end of the document. Several of them are a list. */
export function wholeOf(cursor: ByteCursor, one: () => Json): Json {
  const values: Json[] = [];
  while (!cursor.isAtEnd) values.push(one());
  return values.length === 1 ? values[0] : values;
}

export class ByteCursor {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#take(1)];
  }

  /** Big-endian, of 1, 2, 4 or 8 bytes. */
  unsigned(length: number): bigint {
    const from = this.#take(length);
    return BigInt(`0x${this.#bytes.toString('hex', from, from + length)}`);
  }

  signed(length: number): bigint {
    return BigInt.asIntN(length * 8, this.unsigned(length));
  }

  /** IEEE 754, big-endian, of 2, 4 or 8 bytes. */
  float(length: number): number {
    if (length === 2) return halfFloat(Number(this.unsigned(2)));
    const from = this.#take(length);
    return length === 4 ? this.#bytes.readFloatBE(from) : this.#bytes.readDoubleBE(from);
  }

  bytes(length: number): Buffer {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  #take(length: number): number {
    const from = this.at;
    if (length < 0 || from + length > this.#bytes.length) throw invalidDocument(from);
    this.at = from + length;
    return from;
  }
}

function halfFloat(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
