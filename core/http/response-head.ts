import { Char, equalsIgnoringCase } from './chars.js';
import { Framing } from './message.js';
import { ResponseFault } from './response-fault.js';

/** What a field line is to a proxy. */
export const FieldKind = {
  /** End to end: forwarded as it came. */
  FORWARD: 0,
  /** Forwarded, unless the downstream engine writes its own. */
  DATE: 1,
  /** About this connection only, or about framing that we write ourselves: never forwarded. */
  HOP_BY_HOP: 2,
  /** Forwarded, unless the downstream engine can't send trailers to this client. */
  TRAILER: 3,
} as const;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

/** What `writeForward` leaves out beside what is never forwarded; bits. */
export const Without = { NOTHING: 0, DATE: 1, TRAILER: 2 } as const;

/** Columns of one row in the offset table. */
const NAME_START = 0;
const NAME_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const KIND = 4;
const COLUMNS = 5;

/** Rows that a new head has room for; a longer head doubles it, up to `limits.responseFields`. */
const FIRST_ROWS = 32;

const STATUS_DIGITS = 3;
const CRLF_BYTES = 2;

/**
 * A response head as offsets into the bytes that were read: no string is made until somebody asks for one.
 * The object is reused; it and its bytes are valid only during the call that hands it out.
 * Filled by `scanHead`, then by `decideFraming`.
 */
export class ResponseHead {
  status = 0;
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  minorVersion = 1;
  framing: Framing = Framing.NONE;
  /** Bytes of the body that the head announces; for HEAD and 304 of the body that is not sent. */
  contentLength = 0;
  /** A Content-Length that may be passed on was there (it may not on 1xx and 204: RFC 9110, section 8.6). */
  hasContentLength = false;
  /** No body follows, whatever the fields say: HEAD, 1xx, 204, 304 (RFC 9112, section 6.3). */
  bodyless = false;
  /** A Date field was there. */
  hasDate = false;
  /** What Connection names beside `close` and `keep-alive`, in lower case, joined by commas. */
  named = '';
  /** The upstream lets this connection be used again (RFC 9112, section 9.3). */
  keepAlive = true;
  fieldCount = 0;
  /** Names of fields, as in `RequestHead`; empty for HTTP/1.1. */
  neverIndexed = '';

  /** Where the head is; every offset in here counts from `base`. */
  bytes: Buffer = emptyBytes;
  base = 0;
  /** Offset up to which whole lines were scanned; after the scan, the length of the head. */
  scanned = 0;
  reasonStart = 0;
  reasonEnd = 0;
  fault: ResponseFault = ResponseFault.NONE;

  /** What the scan noted for `decideFraming`: row of the first such field, or -1, and how many there are. */
  lengthRow = -1;
  lengthRows = 0;
  codingRow = -1;
  connectionRow = -1;
  keepAliveRow = -1;

  #offsets = new Int32Array(FIRST_ROWS * COLUMNS);

  /** Makes the object ready for a head that begins at `base` in `bytes`. */
  begin(bytes: Buffer, base: number): void {
    this.status = 0;
    this.minorVersion = 1;
    this.framing = Framing.NONE;
    this.contentLength = 0;
    this.hasContentLength = false;
    this.bodyless = false;
    this.hasDate = false;
    this.named = '';
    this.keepAlive = true;
    this.fieldCount = 0;
    this.neverIndexed = '';
    this.bytes = bytes;
    this.base = base;
    this.scanned = 0;
    this.reasonStart = 0;
    this.reasonEnd = 0;
    this.fault = ResponseFault.NONE;
    this.lengthRow = -1;
    this.lengthRows = 0;
    this.codingRow = -1;
    this.connectionRow = -1;
    this.keepAliveRow = -1;
  }

  /** The same head, moved to other bytes. */
  relocate(bytes: Buffer, base: number): void {
    this.bytes = bytes;
    this.base = base;
  }

  /** Adds a row. Offsets count from `base`. */
  addField(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, kind: FieldKind): void {
    const at = this.fieldCount * COLUMNS;
    if (at === this.#offsets.length) this.#grow();
    const offsets = this.#offsets;
    offsets[at + NAME_START] = nameStart;
    offsets[at + NAME_END] = nameEnd;
    offsets[at + VALUE_START] = valueStart;
    offsets[at + VALUE_END] = valueEnd;
    offsets[at + KIND] = kind;
    this.fieldCount++;
  }

  /** Takes a field out of what is forwarded, because Connection named it. */
  markHopByHop(row: number): void {
    this.#offsets[row * COLUMNS + KIND] = FieldKind.HOP_BY_HOP;
  }

  nameIs(row: number, lowerName: string): boolean {
    const at = row * COLUMNS;
    const { base } = this;
    const start = base + this.#offsets[at + NAME_START]!;
    return equalsIgnoringCase(this.bytes, start, base + this.#offsets[at + NAME_END]!, lowerName);
  }

  /** Positions in `bytes` (not offsets) of a row's name and value. */
  nameStart(row: number): number {
    return this.base + this.#offsets[row * COLUMNS + NAME_START]!;
  }
  nameEnd(row: number): number {
    return this.base + this.#offsets[row * COLUMNS + NAME_END]!;
  }
  valueStart(row: number): number {
    return this.base + this.#offsets[row * COLUMNS + VALUE_START]!;
  }
  valueEnd(row: number): number {
    return this.base + this.#offsets[row * COLUMNS + VALUE_END]!;
  }

  /** The name of the field in a row, lower case. Rows keep the order of arrival. */
  fieldName(row: number): string {
    return this.bytes.toString('latin1', this.nameStart(row), this.nameEnd(row)).toLowerCase();
  }

  /** The value of the field in a row, without whitespace around it; a wire string. */
  fieldText(row: number): string {
    return this.bytes.toString('latin1', this.valueStart(row), this.valueEnd(row));
  }

  /** Whether the field in a row is end to end; Date is. */
  isForwarded(row: number): boolean {
    return this.#offsets[row * COLUMNS + KIND] !== FieldKind.HOP_BY_HOP;
  }

  /** The value of the first field with this name as a wire string, or null. `lowerName` is lower case. */
  fieldValue(lowerName: string): string | null {
    for (let row = 0; row < this.fieldCount; row++) {
      if (this.nameIs(row, lowerName)) return this.fieldText(row);
    }
    return null;
  }

  /**
   * Writes the head for a client: `200 OK CRLF name: value CRLF ... name: value`, without `HTTP/1.1` in front
   * and without the last CRLF, so that an engine can put its own status line, framing and end around it.
   * Order and bytes are kept; hop-by-hop fields, fields named by Connection, Content-Length and
   * Transfer-Encoding are left out, and what `without` (bits of `Without`) says.
   *
   * `out` holds at least `limits.responseHeadBytes`: what is written is never longer than what was read.
   * Returns the bytes written.
   */
  writeForward(out: Buffer, without: number): number {
    const { bytes, base } = this;
    const offsets = this.#offsets;
    // "200" and the space that the grammar wants even before an empty reason; some upstreams leave it out.
    let to = copyBytes(bytes, base + this.reasonStart - STATUS_DIGITS - 1, out, 0, STATUS_DIGITS);
    out[to++] = Char.SP;
    to = copyBytes(bytes, base + this.reasonStart, out, to, this.reasonEnd - this.reasonStart);

    // Neighbouring lines that are forwarded as they stand go out as one piece: most heads are two or three.
    let runStart = 0;
    let runEnd = 0;
    const end = this.fieldCount * COLUMNS;
    for (let at = 0; at < end; at += COLUMNS) {
      const kind = offsets[at + KIND]!;
      if (kind !== FieldKind.FORWARD && isLeftOut(kind, without)) continue;
      const nameStart = offsets[at + NAME_START]!;
      const nameEnd = offsets[at + NAME_END]!;
      if (bytes[base + nameEnd] !== Char.COLON) {
        // Whitespace before the colon is taken out on the way (RFC 9112, section 5.1).
        to = writeLines(bytes, base + runStart, out, to, runEnd - runStart);
        to = writeLines(bytes, base + nameStart, out, to, nameEnd - nameStart);
        out[to++] = Char.COLON;
        const valueStart = offsets[at + VALUE_START]!;
        to = copyBytes(bytes, base + valueStart, out, to, offsets[at + VALUE_END]! - valueStart);
        runStart = runEnd = 0;
        continue;
      }
      if (nameStart !== runEnd + CRLF_BYTES || runEnd === 0) {
        to = writeLines(bytes, base + runStart, out, to, runEnd - runStart);
        runStart = nameStart;
      }
      runEnd = offsets[at + VALUE_END]!;
    }
    return writeLines(bytes, base + runStart, out, to, runEnd - runStart);
  }

  #grow(): void {
    const larger = new Int32Array(this.#offsets.length * 2);
    larger.set(this.#offsets);
    this.#offsets = larger;
  }
}

const emptyBytes = Buffer.alloc(0);

function isLeftOut(kind: number, without: number): boolean {
  if (kind === FieldKind.DATE) return (without & Without.DATE) !== 0;
  return kind === FieldKind.HOP_BY_HOP || (without & Without.TRAILER) !== 0;
}

/** CRLF and then the lines, or nothing if there are none. Returns the new end of `out`. */
function writeLines(from: Buffer, start: number, out: Buffer, to: number, count: number): number {
  if (count === 0) return to;
  out[to] = Char.CR;
  out[to + 1] = Char.LF;
  return copyBytes(from, start, out, to + CRLF_BYTES, count);
}

/** Below this a loop beats the call into the runtime. */
const NATIVE_COPY_BYTES = 48;

function copyBytes(from: Buffer, start: number, out: Buffer, to: number, count: number): number {
  if (count >= NATIVE_COPY_BYTES) {
    from.copy(out, to, start, start + count);
    return to + count;
  }
  for (let i = 0; i < count; i++) out[to + i] = from[start + i]!;
  return to + count;
}
