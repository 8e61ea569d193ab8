/** MessagePack (github.com/msgpack/msgpack, spec.md) as a document. Throws `JsonFault`. */
import { nameOf, numberOf, utf8 } from './binary-value.js';
import { ByteCursor, wholeOf } from './byte-cursor.js';
import { bytesText, DocumentBounds, invalidDocument } from './document-bounds.js';
import type { Json } from './json.js';

export function parseMsgpack(bytes: Uint8Array): Json {
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
    return this.#value(0);
  }

  #value(depth: number): Json {
    const cursor = this.#cursor;
    this.#bounds.value(depth, cursor.at);
    const tag = cursor.byte();
    if (tag < 0x80) return numberOf(tag);
    if (tag < 0x90) return this.#map(tag & 15, depth);
    if (tag < 0xa0) return this.#array(tag & 15, depth);
    if (tag < 0xc0) return utf8(cursor.bytes(tag & 31), cursor.at);
    if (tag >= 0xe0) return numberOf(tag - 0x100);
    const size = (first: number) => Number(cursor.unsigned(2 ** (tag - first)));
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return bytesText(cursor.bytes(size(0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(size(0xc7));
      case 0xca:
        return numberOf(cursor.float(4));
      case 0xcb:
        return numberOf(cursor.float(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return numberOf(cursor.unsigned(2 ** (tag - 0xcc)));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return numberOf(cursor.signed(2 ** (tag - 0xd0)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(2 ** (tag - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return utf8(cursor.bytes(size(0xd9)), cursor.at);
      case 0xdc:
      case 0xdd:
        return this.#array(Number(cursor.unsigned(tag === 0xdc ? 2 : 4)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(Number(cursor.unsigned(tag === 0xde ? 2 : 4)), depth);
      default:
        throw invalidDocument(cursor.at);
    }
  }

  #extension(length: number): Json {
    const type = numberOf(this.#cursor.signed(1));
    return new Map<string, Json>([
      ['type', type],
      ['data', bytesText(this.#cursor.bytes(length))],
    ]);
  }

  #array(length: number, depth: number): Json {
    const items: Json[] = [];
    for (let i = 0; i < length; i++) items.push(this.#value(depth + 1));
    return items;
  }

  #map(length: number, depth: number): Json {
    const members = new Map<string, Json>();
    for (let i = 0; i < length; i++) {
      const name = nameOf(this.#value(depth + 1));
      members.set(name, this.#value(depth + 1));
    }
    return members;
  }
}
