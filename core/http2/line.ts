import { Char, lowerOf } from '../http/chars.js';

const SEPARATOR_BYTES = 2;
const CRLF_BYTES = 2;

/**
 * A field that the encoders of a thread send as an index, with what they need to know of it: it is found in
 * the next block by comparing bytes, without hashes. Connections share the object, which does not change.
 */
export class Line {
  /** The length of the name, and of all of `name: value CRLF`. */
  readonly nameLength: number;
  readonly length: number;
  /** The name in lower case, a gap of two bytes, and the value. */
  readonly bytes: Uint8Array;
  readonly nameHash: number;
  readonly hash: number;
  /** The index of the static table that has all of it, or 0. */
  readonly staticIndex: number;

  constructor(
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    nameHash: number,
    hash: number,
    staticIndex = 0,
  ) {
    this.nameLength = nameEnd - nameStart;
    this.length = this.nameLength + SEPARATOR_BYTES + valueEnd - valueStart + CRLF_BYTES;
    this.bytes = new Uint8Array(this.length - CRLF_BYTES);
    for (let at = nameStart; at < nameEnd; at++) this.bytes[at - nameStart] = lowerOf[bytes[at]!]!;
    for (let at = valueStart; at < valueEnd; at++) this.bytes[this.valueStart + at - valueStart] = bytes[at]!;
    this.nameHash = nameHash;
    this.hash = hash;
    this.staticIndex = staticIndex;
  }

  get valueStart(): number {
    return this.nameLength + SEPARATOR_BYTES;
  }

  /** The characters of name and value. */
  get characters(): number {
    return this.length - SEPARATOR_BYTES - CRLF_BYTES;
  }

  /** Whether this is the name, in any case. */
  isNamed(bytes: Uint8Array, start: number, end: number): boolean {
    const known = this.bytes;
    const lower = lowerOf;
    if (end - start !== this.nameLength) return false;
    for (let at = start; at < end; at++) if (known[at - start] !== lower[bytes[at]!]) return false;
    return true;
  }

  /** Whether this is the field, with its name in any case. */
  is(bytes: Uint8Array, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): boolean {
    const known = this.bytes;
    const from = this.valueStart - valueStart;
    if (valueEnd + from !== known.length) return false;
    for (let at = valueStart; at < valueEnd; at++) if (known[at + from] !== bytes[at]) return false;
    return this.isNamed(bytes, nameStart, nameEnd);
  }

  equals({ bytes, nameLength, valueStart }: Line): boolean {
    return this.is(bytes, 0, nameLength, valueStart, bytes.length);
  }

  /** Whether `bytes[start, end)` begins with the line as most peers write it. */
  beginsAt(bytes: Uint8Array, start: number, end: number): boolean {
    const lineEnd = start + this.length;
    const nameEnd = start + this.nameLength;
    return (
      lineEnd <= end &&
      bytes[nameEnd] === Char.COLON &&
      bytes[nameEnd + 1] === Char.SP &&
      bytes[lineEnd - 2] === Char.CR &&
      bytes[lineEnd - 1] === Char.LF &&
      this.is(bytes, start, nameEnd, nameEnd + SEPARATOR_BYTES, lineEnd - CRLF_BYTES)
    );
  }
}
