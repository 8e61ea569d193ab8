import { lowerOf } from '../http/chars.js';
import { EncoderTable } from './encoder-table.js';
import { hashName, hashValue, isText, knownName } from './field-names.js';
import { codedBytes, encodeHuffman } from './huffman.js';
import { hasName } from './never-indexed.js';
import { staticFields } from './static-table.js';

/** First bits of each representation (RFC 7541, section 6), and the bits that are left for its number. */
const INDEXED = 0x80;
const INDEXED_BITS = 7;
const INSERTED = 0x40;
const INSERTED_BITS = 6;
const SIZE_UPDATE = 0x20;
const SIZE_UPDATE_BITS = 5;
const NEVER_INDEXED = 0x10;
const NOT_INDEXED = 0;
const LITERAL_BITS = 4;
const HUFFMAN = 0x80;
const STRING_BITS = 7;

/** Bytes that a field may take beside its characters: three numbers of four bytes at most. */
export const FIELD_FRAMING_BYTES_MAX = 12;
/** Bytes that a block may begin with: two size updates. */
export const BLOCK_FRAMING_BYTES_MAX = 12;

const QUESTION_MARK = 0x3f;
const PATH = ':path';

/**
 * Encodes header blocks of one connection (RFC 7541) from bytes, so that a head that is forwarded is never
 * made into strings. A field that was sent before enters the dynamic table when it is sent again: the second
 * repetition of a response takes a byte for each field. Secrets, and what the sender marked as never to be
 * indexed, stay literals that may never be indexed.
 *
 * Each block must be sent, in the order in which they were encoded: the peer's table follows them.
 */
export class HpackEncoder {
  readonly table: EncoderTable;
  /** Where the next byte of the block goes. */
  #at = 0;
  #out: Buffer = none;
  readonly #tableBytesMax: number;
  /** The table sizes that the peer must be informed of: the smallest since the last block, and the last. */
  #smallest = -1;
  #latest = -1;
  /** Names that are never indexed in this block. */
  #neverIndexed = '';

  /** `tableBytesMax`: how much of the peer's table is used, whatever more it offers. */
  constructor(tableBytesMax: number, peerTableBytes: number) {
    this.#tableBytesMax = tableBytesMax;
    this.table = new EncoderTable(Math.min(tableBytesMax, peerTableBytes));
    // The peer takes its own size to be in use until it reads of another one.
    if (tableBytesMax < peerTableBytes) this.#announce(tableBytesMax);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; the next block begins with what follows from it (section 4.2). */
  usePeerTable(bytes: number): void {
    const size = Math.min(bytes, this.#tableBytesMax);
    if (size !== (this.#latest >= 0 ? this.#latest : this.table.sizeMax)) this.#announce(size);
  }

  /**
   * Begins a block at the start of `out`, which has room for all of it. `neverIndexed`: names of fields, as
   * in core/http2/never-indexed.
   */
  begin(out: Buffer, neverIndexed = ''): void {
    this.#out = out;
    this.#at = 0;
    this.#neverIndexed = neverIndexed;
    if (this.#latest < 0) return;
    if (this.#smallest < this.#latest) this.#number(SIZE_UPDATE, SIZE_UPDATE_BITS, this.#smallest);
    this.#number(SIZE_UPDATE, SIZE_UPDATE_BITS, this.#latest);
    this.table.resize(this.#smallest);
    this.table.resize(this.#latest);
    this.#smallest = -1;
    this.#latest = -1;
  }

  /** A field of `bytes`; capital letters of its name are sent as small ones. */
  field(bytes: Buffer, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const nameHash = hashName(bytes, nameStart, nameEnd);
    const hash = hashValue(nameHash, bytes, valueStart, valueEnd);
    const { table } = this;
    const found = table.find(bytes, nameStart, nameEnd, valueStart, valueEnd, hash);
    if (found > 0) {
      this.#indexed(found);
      return;
    }
    const known = knownName(bytes, nameStart, nameEnd, nameHash);
    let nameIndex = 0;
    let isSecret = false;
    if (known !== null) {
      for (let index = known.index; index > 0 && index <= known.lastIndex; index++) {
        if (!isText(staticFields[index]!.value, bytes, valueStart, valueEnd) || valueEnd === valueStart)
          continue;
        this.#indexed(index);
        return;
      }
      nameIndex = known.index;
      isSecret = known.isSecret;
    }
    if (nameIndex === 0) nameIndex = table.findName(bytes, nameStart, nameEnd, nameHash);
    isSecret ||= hasName(this.#neverIndexed, bytes, nameStart, nameEnd);

    const isInserted =
      !isSecret &&
      table.fits(nameEnd - nameStart + valueEnd - valueStart) &&
      !isPrivatePath(nameIndex, bytes, valueStart, valueEnd) &&
      table.isRepeated(hash);
    if (isInserted) this.#number(INSERTED, INSERTED_BITS, nameIndex);
    else this.#number(isSecret ? NEVER_INDEXED : NOT_INDEXED, LITERAL_BITS, nameIndex);
    if (nameIndex === 0) this.#name(bytes, nameStart, nameEnd);
    this.#string(bytes, valueStart, valueEnd);
    if (isInserted) table.add(bytes, nameStart, nameEnd, valueStart, valueEnd, nameHash, hash);
  }

  /** Ends the block, and returns its length. */
  end(): number {
    this.#out = none;
    this.#neverIndexed = '';
    return this.#at;
  }

  #indexed(index: number): void {
    this.#number(INDEXED, INDEXED_BITS, index);
  }

  #announce(size: number): void {
    this.#smallest = this.#smallest < 0 ? size : Math.min(this.#smallest, size);
    this.#latest = size;
  }

  #number(first: number, bits: number, value: number): void {
    const out = this.#out;
    const most = (1 << bits) - 1;
    if (value < most) {
      out[this.#at++] = first | value;
      return;
    }
    out[this.#at++] = first | most;
    let rest = value - most;
    while (rest >= 0x80) {
      out[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    out[this.#at++] = rest;
  }

  /** A name that no table has, in small letters. */
  #name(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > names.length) names = Buffer.allocUnsafeSlow(length * 2);
    for (let at = 0; at < length; at++) names[at] = lowerOf[bytes[start + at]!]!;
    this.#string(names, 0, length);
  }

  #string(bytes: Buffer, start: number, end: number): void {
    const coded = codedBytes(bytes, start, end);
    if (coded < end - start) {
      this.#number(HUFFMAN, STRING_BITS, coded);
      this.#at = encodeHuffman(bytes, start, end, this.#out, this.#at);
    } else {
      this.#number(0, STRING_BITS, end - start);
      this.#at += bytes.copy(this.#out, this.#at, start, end);
    }
  }
}

const pathIndex = staticFields.findIndex(({ name }) => name === PATH);

/** A query may hold tokens, so a path that has one enters no table. */
function isPrivatePath(nameIndex: number, bytes: Buffer, start: number, end: number): boolean {
  if (nameIndex !== pathIndex) return false;
  for (let at = start; at < end; at++) if (bytes[at] === QUESTION_MARK) return true;
  return false;
}

const none = Buffer.alloc(0);
/** Where names are put into small letters. */
let names = Buffer.allocUnsafeSlow(1024);
