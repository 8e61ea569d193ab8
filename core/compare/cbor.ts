/** CBOR (RFC 8949) as a document; a sequence (RFC 8742) is a list. Throws `JsonFault`. */
import { nameOf, numberOf, textOrNull } from './binary-value.js';
import { ByteCursor, wholeOf } from './byte-cursor.js';
import { bytesText, DocumentBounds, invalidDocument } from './document-bounds.js';
import type { Json } from './json.js';

const Major = { UNSIGNED: 0, NEGATIVE: 1, BYTES: 2, TEXT: 3, ARRAY: 4, MAP: 5, TAG: 6 } as const;
const indefinite = 31;
const breakByte = 0xff;

export function parseCbor(bytes: Uint8Array): Json {
  const cursor = new ByteCursor(bytes);
  const reader = new Reader(cursor);
  return wholeOf(cursor, () => reader.one());
}

class Reader {
  readonly #cursor: ByteCursor;
  readonly #bounds = new DocumentBounds();

  constructor(cursor: ByteCursor) {
    this.#cursor = cursor;
  }

  one(): Json {
    return this.#known(this.#value(0));
  }

  /** Undefined: the end of a list of unknown length. */
  #value(depth: number): Json | undefined {
    const cursor = this.#cursor;
    this.#bounds.value(depth, cursor.at);
    const first = cursor.byte();
    if (first === breakByte) return undefined;
    const [major, info] = [first >> 5, first & 31];
    if (major === 7) return this.#simple(info);
    const argument = this.#argument(info, major);
    switch (major) {
      case Major.UNSIGNED:
        return numberOf(argument!);
      case Major.NEGATIVE:
        return numberOf(-1n - argument!);
      case Major.BYTES:
        return bytesText(this.#string(argument, depth));
      case Major.TEXT:
        return textOrNull(this.#string(argument, depth)) ?? this.#fail();
      case Major.ARRAY:
        return this.#array(argument, depth);
      case Major.MAP:
        return this.#map(argument, depth);
      default:
        return new Map<string, Json>([
          ['tag', numberOf(argument!)],
          ['value', this.#known(this.#value(depth + 1))],
        ]);
    }
  }

  #simple(info: number): Json {
    const cursor = this.#cursor;
    if (info === 20 || info === 21) return info === 21;
    if (info === 22) return null;
    if (info === 25 || info === 26 || info === 27) return numberOf(cursor.float(2 ** (info - 24)));
    return `simple(${info === 24 ? cursor.byte() : info})`;
  }

  /** Null: of unknown length. */
  #argument(info: number, major: number): bigint | null {
    if (info < 24) return BigInt(info);
    if (info < 28) return this.#cursor.unsigned(2 ** (info - 24));
    const canBeOpen = major >= Major.BYTES && major <= Major.MAP;
    return info === indefinite && canBeOpen ? null : this.#fail();
  }

  #string(length: bigint | null, depth: number): Uint8Array {
    if (length !== null) return this.#cursor.bytes(Number(length));
    const pieces: Uint8Array[] = [];
    for (;;) {
      this.#bounds.value(depth, this.#cursor.at);
      const first = this.#cursor.byte();
      if (first === breakByte) return Buffer.concat(pieces);
      const size = this.#argument(first & 31, first >> 5) ?? this.#fail();
      pieces.push(this.#cursor.bytes(Number(size)));
    }
  }

  #array(length: bigint | null, depth: number): Json {
    const items: Json[] = [];
    for (let i = 0n; length === null || i < length; i++) {
      const item = this.#value(depth + 1);
      if (item === undefined && length === null) break;
      items.push(this.#known(item));
    }
    return items;
  }

  #map(length: bigint | null, depth: number): Json {
    const members = new Map<string, Json>();
    for (let i = 0n; length === null || i < length; i++) {
      const key = this.#value(depth + 1);
      if (key === undefined && length === null) break;
      members.set(nameOf(this.#known(key)), this.#known(this.#value(depth + 1)));
    }
    return members;
  }

  #known(value: Json | undefined): Json {
    return value === undefined ? this.#fail() : value;
  }

  #fail(): never {
    throw invalidDocument(this.#cursor.at);
  }
}
