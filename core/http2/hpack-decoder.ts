import { latin1Slice } from '../http/wire.js';
import { DynamicTable } from './dynamic-table.js';
import { Field } from './field.js';
import { decodedBytesMax, decodeHuffman } from './huffman.js';
import { FIRST_DYNAMIC, staticFields } from './static-table.js';

/** Takes the fields of one block in their order. */
export interface FieldSink {
  /** The object may be the decoder's own: it is valid only during the call; the strings in it may be kept. */
  onField(field: Field): void;
}

/** Representations by their first bits (RFC 7541, section 6), and the bits that their numbers have there. */
const INDEXED = 0x80;
const INDEXED_BITS = 7;
const INSERTED = 0x40;
const INSERTED_BITS = 6;
const SIZE_UPDATE = 0x20;
const SIZE_UPDATE_BITS = 5;
const NEVER_INDEXED = 0x10;
const LITERAL_BITS = 4;
const HUFFMAN = 0x80;
const STRING_BITS = 7;

/** A number ends after so many bytes that go on: no table and no block is larger than 2^28. */
const CONTINUED_BYTES_MAX = 4;

/** Where a number is kept that can't be: positions and lengths are not negative. */
const MALFORMED = -1;

/**
 * Decodes header blocks of one connection (RFC 7541). A fault means that the tables differ from here on: the
 * connection must end with COMPRESSION_ERROR.
 *
 * A list that passes `listBytesMax` or `fieldsMax` is not handed out any further, and decoded to its end all
 * the same, because later blocks refer to what it adds to the table. What is neither handed out nor added is
 * not even made into strings.
 */
export class HpackDecoder {
  readonly table: DynamicTable;
  /** The block was larger than allowed when decoded. */
  overflowed = false;
  /** Bytes of the list as RFC 9113, section 6.5.2 counts them, as far as they were handed out. */
  listBytes = 0;
  readonly #tableBytesMax: number;
  readonly #literal = new Field();
  #bytes: Buffer = none;
  #end = 0;
  /** The next byte; `MALFORMED`: the block can't be understood. */
  #at = 0;

  constructor(tableBytesMax: number) {
    this.#tableBytesMax = tableBytesMax;
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
    this.listBytes = 0;
    const isRight = this.#decode(bytes, listBytesMax, fieldsMax, sink);
    // An idle connection must not hold on to the memory that it was last fed from.
    this.#bytes = none;
    return isRight;
  }

  #decode(bytes: Buffer, listBytesMax: number, fieldsMax: number, sink: FieldSink): boolean {
    const end = this.#end;
    let fields = 0;
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
      this.listBytes += field.size;
      if (++fields > fieldsMax || this.listBytes > listBytesMax) this.overflowed = true;
      if (!this.overflowed) sink.onField(field);
    }
    return this.#at === end;
  }

  /** The next field; null: malformed, or passed over because the list has overflowed. */
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
    const name = nameIndex === 0 ? this.#string() : (named?.name ?? '');
    const value = this.#string();
    if (this.#at === MALFORMED) return null;
    this.#literal.set(name, value, !isInserted && first >= NEVER_INDEXED);
    if (!isInserted) return this.#literal;
    const kept = this.#literal.kept();
    this.table.add(kept);
    return kept;
  }

  #indexed(index: number): Field | null {
    if (index > 0) {
      const field = index < FIRST_DYNAMIC ? staticFields[index]! : this.table.at(index - FIRST_DYNAMIC);
      if (field !== null) return field;
    }
    this.#at = MALFORMED;
    return null;
  }

  /** RFC 7541, section 4.2: never above what our SETTINGS allow. */
  #resize(): boolean {
    const size = this.#number(SIZE_UPDATE_BITS);
    if (size < 0 || size > this.#tableBytesMax) return false;
    this.table.resize(size);
    return true;
  }

  /** A number whose first byte has `bits` bits of it (RFC 7541, section 5.1); `MALFORMED`: it has no end. */
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

  /** `#skipString` leaves the Huffman code in it unread: nobody gets the string. */
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
/** Where strings are decoded; grows with the longest, which a block's bound bounds. */
let decoded = Buffer.allocUnsafeSlow(4 * 1024);
