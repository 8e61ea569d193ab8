/**
 * A decoded field with its HTTP/1.1 line and its meaning to a proxy. It is checked once: fields in a table
 * are used again without another check.
 */
import { isGrpcType } from '../grpc/grpc-method.js';
import { isFieldByte, isTokenByte } from '../http/chars.js';
import { latin1Slice, latin1Write } from '../http/wire.js';

/** How a proxy treats a field (RFC 9113, sections 8.2 and 8.3). */
export const Meaning = {
  /** End to end: forwarded unchanged. */
  FORWARD: 0,
  DATE: 1,
  /** The Trailer field, which heads forward. */
  TRAILER: 2,
  CONTENT_LENGTH: 3,
  /** A part of the cookie, which becomes one line (section 8.2.3). */
  COOKIE: 4,
  TE: 5,
  HOST: 6,
  EXPECT: 7,
  METHOD: 8,
  SCHEME: 9,
  AUTHORITY: 10,
  PATH: 11,
  STATUS: 12,
  /** A connection-specific field: the message is malformed (section 8.2.2). */
  CONNECTION: 13,
  /** An invalid name or value, or an undefined pseudo-header: the message is malformed. */
  BAD: 14,
  /** A framing field with an underscore for its dash, which some servers treat as the field itself. */
  DISGUISE: 15,
  /** The Content-Type of a gRPC message; forwarded unchanged. */
  GRPC: 16,
} as const;
export type Meaning = (typeof Meaning)[keyof typeof Meaning];

/** The overhead that the size of each field includes (RFC 7541, section 4.1). */
export const FIELD_OVERHEAD_BYTES = 32;

const COLON = 0x3a;
const SP = 0x20;
const HTAB = 0x09;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

const pseudoMeanings = new Map<string, Meaning>([
  [':method', Meaning.METHOD],
  [':scheme', Meaning.SCHEME],
  [':authority', Meaning.AUTHORITY],
  [':path', Meaning.PATH],
  [':status', Meaning.STATUS],
]);

const meanings = new Map<string, Meaning>([
  ['date', Meaning.DATE],
  ['trailer', Meaning.TRAILER],
  ['content-length', Meaning.CONTENT_LENGTH],
  ['cookie', Meaning.COOKIE],
  ['te', Meaning.TE],
  ['host', Meaning.HOST],
  ['expect', Meaning.EXPECT],
  ['connection', Meaning.CONNECTION],
  ['keep-alive', Meaning.CONNECTION],
  ['proxy-connection', Meaning.CONNECTION],
  ['transfer-encoding', Meaning.CONNECTION],
  ['upgrade', Meaning.CONNECTION],
  ['content_length', Meaning.DISGUISE],
  ['transfer_encoding', Meaning.DISGUISE],
]);

/**
 * A field. The decoder reuses one object for literals that enter no table; it is valid only during the call
 * that passes it.
 */
export class Field {
  name = '';
  value = '';
  /** `name: value CRLF`, a wire string; empty for pseudo-headers and invalid fields. */
  line = '';
  meaning: Meaning = Meaning.BAD;
  /** Its size in a table and in a header list. */
  size = 0;
  /** The field arrived as a never-indexed literal and must be forwarded as one (RFC 7541, section 6.2.3). */
  neverIndexed = false;
  /** The field never changes, so whoever has seen the object knows what it says. */
  isKept = false;

  set(name: string, value: string, neverIndexed = false): void {
    this.name = name;
    this.value = value;
    this.meaning = judge(name, value);
    this.line = name.charCodeAt(0) === COLON || this.meaning === Meaning.BAD ? '' : `${name}: ${value}\r\n`;
    this.size = name.length + value.length + FIELD_OVERHEAD_BYTES;
    this.neverIndexed = neverIndexed;
  }

  /** `kept` returns a copy for a table. Its line is a flat string, because it is concatenated often. */
  kept(): Field {
    const field = new Field();
    field.name = this.name;
    field.value = this.value;
    field.line = flat(this.line);
    field.meaning = this.meaning;
    field.size = this.size;
    field.isKept = true;
    return field;
  }
}

function judge(name: string, value: string): Meaning {
  if (!isValue(value)) return Meaning.BAD;
  if (name.charCodeAt(0) === COLON) return pseudoMeanings.get(name) ?? Meaning.BAD;
  if (!isName(name)) return Meaning.BAD;
  if (name === 'content-type' && isGrpcType(value)) return Meaning.GRPC;
  return meanings.get(name) ?? Meaning.FORWARD;
}

/** Whether `name` is a token without upper-case letters (RFC 9113, section 8.2.1). */
function isName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (isTokenByte[code] !== 1 || (code >= UPPER_A && code <= UPPER_Z)) return false;
  }
  return name.length > 0;
}

/** Whether `value` has neither control characters nor blanks at its ends (RFC 9113, section 8.2.1). */
function isValue(value: string): boolean {
  const last = value.length - 1;
  if (last < 0) return true;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(last))) return false;
  for (let at = 0; at <= last; at++) if (isFieldByte[value.charCodeAt(at)] !== 1) return false;
  return true;
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

/** Has room for every line that fits into a table of the default size. */
const scratch = Buffer.allocUnsafeSlow(8 * 1024);

function flat(line: string): string {
  if (line === '' || line.length > scratch.length) return line;
  latin1Write(scratch, line, 0);
  return latin1Slice(scratch, 0, line.length);
}
