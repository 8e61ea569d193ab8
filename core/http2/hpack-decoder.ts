import { latin1Slice } from '../http/wire.js';
import { DynamicTable } from './dynamic-table.js';
import { Field } from './field.js';
import { decodedBytesMax, decodeHuffman } from './huffman.js';
import type { LiteralCache } from './literal-cache.js';
import {
  HUFFMAN,
  INDEXED,
  INDEXED_BITS,
  INSERTED,
  INSERTED_BITS,
  LITERAL_BITS,
  NEVER_INDEXED,
  SIZE_UPDATE,
  SIZE_UPDATE_BITS,
  STRING_BITS,
} from './representation.js';
import { FIRST_DYNAMIC, staticFields } from './static-table.js';

/** Receives the fields of one block in order. */
export interface FieldSink {
  /** The object is valid only during the call, because the decoder may reuse it. Its strings may be kept. */
  onField(field: Field): void;
}

/** Most continuation bytes of an integer: no table and no block is larger than 2^28. */
const CONTINUED_BYTES_MAX = 4;

/** A position or length after a fault; valid ones are not negative. */
const MALFORMED = -1;

/**
 * `HpackDecoder` decodes the header blocks of one connection (RFC 7541). After a fault the tables of both
 * sides differ, so the connection must end with COMPRESSION_ERROR.
 *
 * Fields above `listBytesMax` or `fieldsMax` are not delivered. The block is still decoded to its end,
 * because later blocks refer to what it adds to the table. No strings are made of fields that are neither
 * delivered nor added.
 */
export class HpackDecoder {
  readonly table: DynamicTable;
  /** The list of the last block exceeded a limit, so some fields were not delivered. */
  overflowed = false;
  readonly #tableBytesMax: number;
  readonly #literals: LiteralCache;
  readonly #literal = new Field();
  #bytes: Buffer = none;
  #end = 0;
  /** The position of the next byte, or `MALFORMED`. */
  #at = 0;

  constructor(tableBytesMax: number, literals: LiteralCache) {
    this.#tableBytesMax = tableBytesMax;
    this.#literals = literals;
    this.table = new DynamicTable(tableBytesMax);
  }

  /** Decodes a whole block, `bytes[start, end)`. False: malformed. */
  decode(
    bytes: Buffer,
    start: number,
    end: number,
    listBytesMax: number,
    fieldsMax: number,
    sink: FieldSink,
  ): boolean {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.overflowed = false;
    const isRight = this.#decode(bytes, listBytesMax, fieldsMax, sink);
    // An idle connection must not keep the memory of its last read alive.
    this.#bytes = none;
    return isRight;
  }

  #decode(bytes: Buffer, listBytesMax: number, fieldsMax: number, sink: FieldSink): boolean {
    const end = this.#end;
    let fields = 0;
    // The size of the list as RFC 9113, section 6.5.2 counts it.
    let listBytes = 0;
    let mayResize = true;
    while (this.#at !== MALFORMED && this.#at < end) {
      const first = bytes[this.#at]!;
      if (first < INDEXED && (first & 0xe0) === SIZE_UPDATE) {
        if (!mayResize || !this.#resize()) return false;
        continue;
      }
      mayResize = false;
      const field = this.#field(first);
      if (field === null) {
        if (!this.overflowed) return false;
        continue;
      }
      listBytes += field.size;
      if (++fields > fieldsMax || listBytes > listBytesMax) this.overflowed = true;
      if (!this.overflowed) sink.onField(field);
    }
    return this.#at === end;
  }

  /** Decodes the next field. Null: it is malformed, or skipped because the list has overflowed. */
  #field(first: number): Field | null {
    if (first >= INDEXED) return this.#indexed(this.#number(INDEXED_BITS));
    const isInserted = first >= INSERTED;
    const nameIndex = this.#number(isInserted ? INSERTED_BITS : LITERAL_BITS);
    if (!isInserted && this.overflowed) {
      if (nameIndex === 0) this.#skipString();
      else if (this.#indexed(nameIndex) === null) return null;
      this.#skipString();
      return null;
    }
    const named = nameIndex === 0 ? null : this.#indexed(nameIndex);
    // What must not be remembered elsewhere is not remembered here.
    const field =
      !isInserted && first >= NEVER_INDEXED ? this.#read(named, true) : this.#literalField(named, isInserted);
    if (field !== null && isInserted) this.table.add(field);
    return field;
  }

  /** Reads a literal. The field is only kept for the table, or where it repeats. */
  #literalField(named: Field | null, isInserted: boolean): Field | null {
    const literals = this.#literals;
    const bytes = this.#bytes;
    const name = named?.name ?? '';
    const start = this.#at;
    if (named === null) this.#skipString();
    this.#skipString();
    const end = this.#at;
    if (end === MALFORMED) return null;
    const known = literals.find(name, bytes, start, end);
    if (known !== null) return known;
    const isRepeated = literals.isRepeated(bytes, start, end);
    this.#at = start;
    const field = this.#read(named, false);
    if (field === null || (!isInserted && !isRepeated)) return field;
    const kept = field.kept();
    if (isRepeated) literals.add(name, bytes, start, end, kept);
    return kept;
  }

  /** Decodes the strings of a literal. */
  #read(named: Field | null, neverIndexed: boolean): Field | null {
    const name = named === null ? this.#string() : named.name;
    const value = this.#string();
    if (this.#at === MALFORMED) return null;
    this.#literal.set(name, value, neverIndexed);
    return this.#literal;
  }

  #indexed(index: number): Field | null {
    if (index > 0) {
      const field = index < FIRST_DYNAMIC ? staticFields[index]! : this.table.at(index - FIRST_DYNAMIC);
      if (field !== null) return field;
    }
    this.#at = MALFORMED;
    return null;
  }

  /** Decodes a size update, which must not exceed our SETTINGS (RFC 7541, section 4.2). */
  #resize(): boolean {
    const size = this.#number(SIZE_UPDATE_BITS);
    if (size < 0 || size > this.#tableBytesMax) return false;
    this.table.resize(size);
    return true;
  }

  /** Decodes an integer with a prefix of `bits` bits (RFC 7541, section 5.1), or returns `MALFORMED`. */
  #number(bits: number): number {
    if (this.#at === MALFORMED) return MALFORMED;
    const bytes = this.#bytes;
    const most = (1 << bits) - 1;
    let value = bytes[this.#at++]! & most;
    if (value < most) return value;
    for (let shift = 0; shift < CONTINUED_BYTES_MAX * 7; shift += 7) {
      if (this.#at >= this.#end) break;
      const byte = bytes[this.#at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.#at = MALFORMED;
    return MALFORMED;
  }

  #string(): string {
    if (this.#at === MALFORMED || this.#at >= this.#end) return this.#malformed();
    const isHuffman = (this.#bytes[this.#at]! & HUFFMAN) !== 0;
    const length = this.#number(STRING_BITS);
    const start = this.#at;
    if (start === MALFORMED || length > this.#end - start) return this.#malformed();
    this.#at = start + length;
    if (!isHuffman) return latin1Slice(this.#bytes, start, start + length);
    const needed = decodedBytesMax(length);
    if (needed > decoded.length) decoded = Buffer.allocUnsafeSlow(needed * 2);
    const count = decodeHuffman(this.#bytes, start, start + length, decoded);
    return count < 0 ? this.#malformed() : latin1Slice(decoded, 0, count);
  }

  /** `#skipString` does not decode the Huffman code, because the string is not delivered. */
  #skipString(): void {
    if (this.#at === MALFORMED || this.#at >= this.#end) {
      this.#malformed();
      return;
    }
    const length = this.#number(STRING_BITS);
    if (this.#at === MALFORMED || length > this.#end - this.#at) this.#malformed();
    else this.#at += length;
  }

  #malformed(): string {
    this.#at = MALFORMED;
    return '';
  }
}

const none = Buffer.alloc(0);
/** Scratch space for decoded strings; the limit of a block bounds its growth. */
let decoded = Buffer.allocUnsafeSlow(4 * 1024);
