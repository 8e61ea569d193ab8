import { lowerOf } from '../http/chars.js';
import { EncoderTable } from './encoder-table.js';
import { hashName, hashValue, hashWhole, isText, type KnownName, knownName } from './field-names.js';
import { codedBytes, encodeHuffman } from './huffman.js';
import { Line } from './line.js';
import { hasName } from './never-indexed.js';
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
import { staticFields } from './static-table.js';

const NOT_INDEXED = 0;

/** Most bytes of a field in addition to its characters: three integers of four bytes. */
export const FIELD_FRAMING_BYTES_MAX = 12;
/** Most bytes of the two size updates that a block may begin with. */
export const BLOCK_FRAMING_BYTES_MAX = 12;

const QUESTION_MARK = 0x3f;
const PATH = ':path';

/**
 * `HpackEncoder` encodes the header blocks of one connection (RFC 7541) from bytes, so that forwarded heads
 * need no strings. A field enters the dynamic table when it is sent for the second time. From the third time
 * on, a repeating response takes one byte per field. Secrets, and fields that arrived as never-indexed
 * literals, are sent as such.
 *
 * Blocks must be sent in the order of encoding, because each may change the peer's table.
 */
export class HpackEncoder {
  readonly table: EncoderTable;
  /** The end of the block so far. */
  #at = 0;
  #out: Buffer = none;
  readonly #tableBytesMax: number;
  /** Table sizes to announce: the smallest since the last block, and the current one; -1: none. */
  #smallest = -1;
  #latest = -1;
  /** Names of fields that are never indexed in this block. */
  #neverIndexed = '';

  /** `tableBytesMax`: the most that is used of the peer's table. */
  constructor(tableBytesMax: number, peerTableBytes: number) {
    this.#tableBytesMax = tableBytesMax;
    this.table = new EncoderTable(Math.min(tableBytesMax, peerTableBytes));
    // The peer assumes its own size until a size update announces another one.
    if (tableBytesMax < peerTableBytes) this.#announce(tableBytesMax);
  }

  /**
   * Applies the peer's SETTINGS_HEADER_TABLE_SIZE. The next block begins with the size update (section 4.2).
   */
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

  /**
   * Encodes a field from `bytes`. Its name is sent in lower case. Returns the line of which the field is an
   * index from now on, or null.
   */
  field(
    bytes: Buffer,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
  ): Line | null {
    const nameHash = hashName(bytes, nameStart, nameEnd);
    const hash = hashValue(nameHash, bytes, valueStart, valueEnd);
    const { table } = this;
    const entry = table.find(bytes, nameStart, nameEnd, valueStart, valueEnd, hash);
    if (entry !== null) {
      this.#indexed(table.indexOf(entry));
      return entry.line;
    }
    const known = knownName(bytes, nameStart, nameEnd, nameHash);
    const staticIndex = known === null ? 0 : staticIndexOf(known, bytes, valueStart, valueEnd);
    if (staticIndex > 0) {
      this.#indexed(staticIndex);
      return staticLine(staticIndex);
    }
    const nameIndex = known?.index || table.findName(bytes, nameStart, nameEnd, nameHash);
    const isSecret = known?.isSecret || hasName(this.#neverIndexed, bytes, nameStart, nameEnd);
    const isInserted =
      !isSecret &&
      table.fits(nameEnd - nameStart + valueEnd - valueStart) &&
      !isPrivatePath(nameIndex, bytes, valueStart, valueEnd) &&
      table.isRepeated(hashWhole(nameHash, bytes, valueStart, valueEnd));
    if (isInserted) this.#number(INSERTED, INSERTED_BITS, nameIndex);
    else this.#number(isSecret ? NEVER_INDEXED : NOT_INDEXED, LITERAL_BITS, nameIndex);
    if (nameIndex === 0) this.#name(bytes, nameStart, nameEnd);
    this.#string(bytes, valueStart, valueEnd);
    if (!isInserted) return null;
    const line = new Line(bytes, nameStart, nameEnd, valueStart, valueEnd, nameHash, hash);
    table.add(line);
    return line;
  }

  /** Encodes a field that is known to be this line. False: it has no index here, and nothing was encoded. */
  line(line: Line): boolean {
    if (line.staticIndex > 0) {
      this.#indexed(line.staticIndex);
      return true;
    }
    const entry = this.table.findLine(line);
    if (entry === null) return false;
    this.#indexed(this.table.indexOf(entry));
    return true;
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

  /** Encodes a name that no table has, in lower case. */
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

/** Returns the index of the static table that has the whole field, or 0. */
function staticIndexOf(known: KnownName, bytes: Buffer, start: number, end: number): number {
  if (known.index === 0 || start === end) return 0;
  for (let index = known.index; index <= known.lastIndex; index++)
    if (isText(staticFields[index]!.value, bytes, start, end)) return index;
  return 0;
}

/** Lines of the static table, made when they are first sent. */
const staticLines: (Line | null)[] = staticFields.map(() => null);

function staticLine(index: number): Line {
  const made = staticLines[index]!;
  if (made !== null) return made;
  const { name, value } = staticFields[index]!;
  const bytes = Buffer.from(name + value, 'latin1');
  const split = name.length;
  const nameHash = hashName(bytes, 0, split);
  const hash = hashValue(nameHash, bytes, split, bytes.length);
  const line = new Line(bytes, 0, split, split, bytes.length, nameHash, hash, index);
  staticLines[index] = line;
  return line;
}

const pathIndex = staticFields.findIndex(({ name }) => name === PATH);

/** Whether the field is a path with a query. A query may contain tokens, so it enters no table. */
function isPrivatePath(nameIndex: number, bytes: Buffer, start: number, end: number): boolean {
  if (nameIndex !== pathIndex) return false;
  for (let at = start; at < end; at++) if (bytes[at] === QUESTION_MARK) return true;
  return false;
}

const none = Buffer.alloc(0);
/** Scratch space for names in lower case. */
let names = Buffer.allocUnsafeSlow(1024);
