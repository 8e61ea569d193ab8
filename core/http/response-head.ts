import { Char, equalsIgnoringCase } from './chars.js';
import { Framing } from './message.js';
import { ResponseFault } from './response-fault.js';

/** How a proxy treats a field line. */
export const FieldKind = {
  /** End to end: forwarded unchanged. */
  FORWARD: 0,
  /** Forwarded, unless the downstream engine writes its own. */
  DATE: 1,
  /** About this connection only, or about framing that umbra writes itself: never forwarded. */
  HOP_BY_HOP: 2,
  /** Forwarded, unless the downstream engine can't send trailers to this client. */
  TRAILER: 3,
} as const;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

/** What `writeForward` leaves out in addition to hop-by-hop fields, as bits. */
export const Without = { NOTHING: 0, DATE: 1, TRAILER: 2 } as const;

/** Columns of one row in the offset table. */
const NAME_START = 0;
const NAME_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const KIND = 4;
const COLUMNS = 5;

/** Rows of a new head. A longer head doubles them, up to `limits.responseFields`. */
const FIRST_ROWS = 32;

const STATUS_DIGITS = 3;
const CRLF_BYTES = 2;

/**
 * A response head as offsets into the bytes that were read, so that no string is made before it is needed.
 * The object is reused; it and its bytes are valid only during the call that passes it. `scanHead` fills it,
 * then `decideFraming`.
 */
export class ResponseHead {
  status = 0;
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  minorVersion = 1;
  framing: Framing = Framing.NONE;
  /** Bytes of the body that the head announces. For HEAD and 304 that body is not sent. */
  contentLength = 0;
  /**
   * The head has a Content-Length that may be forwarded (it may not on 1xx and 204: RFC 9110, section 8.6).
   */
  hasContentLength = false;
  /** No body follows, whatever the fields say: HEAD, 1xx, 204, 304 (RFC 9112, section 6.3). */
  bodyless = false;
  /** The head has a Date field. */
  hasDate = false;
  /** Options of Connection except `close` and `keep-alive`, in lower case, joined by commas. */
  named = '';
  /** The upstream allows this connection to be reused (RFC 9112, section 9.3). */
  keepAlive = true;
  fieldCount = 0;
  /** Names of fields, as in `RequestHead`; empty for HTTP/1.1. */
  neverIndexed = '';

  /** The bytes of the head. Every offset counts from `base`. */
  bytes: Buffer = emptyBytes;
  base = 0;
  /** Offset up to which complete lines were scanned; after the scan, the length of the head. */
  scanned = 0;
  reasonStart = 0;
  reasonEnd = 0;
  fault: ResponseFault = ResponseFault.NONE;

  /** What the scan recorded for `decideFraming`: the first row of such a field, or -1, and their number. */
  lengthRow = -1;
  lengthRows = 0;
  codingRow = -1;
  connectionRow = -1;
  keepAliveRow = -1;

  #offsets = new Int32Array(FIRST_ROWS * COLUMNS);

  /** `begin` prepares the object for a head that begins at `base` in `bytes`. */
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

  /** `relocate` is called when the same head was moved to other bytes. */
  relocate(bytes: Buffer, base: number): void {
    this.bytes = bytes;
    this.base = base;
  }

  /** `addField` adds a row. Offsets count from `base`. */
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

  /** `markHopByHop` marks a field as not forwarded, because Connection named it. */
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

  /** `fieldName` returns the name of the field in a row in lower case. Rows keep the order of arrival. */
  fieldName(row: number): string {
    return this.bytes.toString('latin1', this.nameStart(row), this.nameEnd(row)).toLowerCase();
  }

  /** `fieldText` returns the value of the field in a row without white space around it; a wire string. */
  fieldText(row: number): string {
    return this.bytes.toString('latin1', this.valueStart(row), this.valueEnd(row));
  }

  /** `isForwarded` returns true when the field in a row is end to end, as Date is. */
  isForwarded(row: number): boolean {
    return this.#offsets[row * COLUMNS + KIND] !== FieldKind.HOP_BY_HOP;
  }

  /**
   * `fieldValue` returns the first value of the name as a wire string, or null. `lowerName` is lower case.
   */
  fieldValue(lowerName: string): string | null {
    for (let row = 0; row < this.fieldCount; row++) {
      if (this.nameIs(row, lowerName)) return this.fieldText(row);
    }
    return null;
  }

  /**
   * `writeForward` writes the head for a client: `200 OK CRLF name: value CRLF ... name: value`. It omits
   * `HTTP/1.1` in front and the last CRLF, so that an engine can add its own status line, framing and end.
   * Order and bytes are kept. Left out are hop-by-hop fields, fields named by Connection, Content-Length,
   * Transfer-Encoding, and the fields in `without` (bits of `Without`).
   *
   * `out` has at least `limits.responseHeadBytes` from `outStart` on: the result is never longer than the
   * input. It returns the number of written bytes.
   */
  writeForward(out: Buffer, without: number, outStart = 0): number {
    const { bytes, base } = this;
    const offsets = this.#offsets;
    // "200" and the space that the grammar requires even before an empty reason; some upstreams omit it.
    let to = copyBytes(bytes, base + this.reasonStart - STATUS_DIGITS - 1, out, outStart, STATUS_DIGITS);
    out[to++] = Char.SP;
    to = copyBytes(bytes, base + this.reasonStart, out, to, this.reasonEnd - this.reasonStart);

    // Adjacent lines that are forwarded unchanged are copied as one piece: most heads are two or three
    // pieces.
    let runStart = 0;
    let runEnd = 0;
    const end = this.fieldCount * COLUMNS;
    for (let at = 0; at < end; at += COLUMNS) {
      const kind = offsets[at + KIND]!;
      if (kind !== FieldKind.FORWARD && isLeftOut(kind, without)) continue;
      const nameStart = offsets[at + NAME_START]!;
      const nameEnd = offsets[at + NAME_END]!;
      if (bytes[base + nameEnd] !== Char.COLON) {
        // White space before the colon is removed (RFC 9112, section 5.1).
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
    return writeLines(bytes, base + runStart, out, to, runEnd - runStart) - outStart;
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

/**
 * `writeLines` writes CRLF and then the lines, or nothing if there are none. It returns the new end of `out`.
 */
function writeLines(from: Buffer, start: number, out: Buffer, to: number, count: number): number {
  if (count === 0) return to;
  out[to] = Char.CR;
  out[to + 1] = Char.LF;
  return copyBytes(from, start, out, to + CRLF_BYTES, count);
}

/** Below this size a loop is faster than the call into the runtime. */
const NATIVE_COPY_BYTES = 48;

function copyBytes(from: Buffer, start: number, out: Buffer, to: number, count: number): number {
  if (count >= NATIVE_COPY_BYTES) {
    from.copy(out, to, start, start + count);
    return to + count;
  }
  for (let i = 0; i < count; i++) out[to + i] = from[start + i]!;
  return to + count;
}
