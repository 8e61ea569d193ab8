import { limits } from '../limits.js';
import { Char, equalsIgnoringCase, isFieldByte, isTokenByte } from './chars.js';
import { ResponseFault } from './response-fault.js';
import { FieldKind, type ResponseHead } from './response-head.js';
import { Scan } from './scan.js';

/** "HTTP/1.1 200" */
const STATUS_LINE_BYTES_MIN = 12;
const VERSION_START = 'HTTP/1.';
const MINOR_VERSION_AT = 7;
const STATUS_AT = 9;
const LOWEST_STATUS = 100;
const UPGRADE_REQUIRED = 426;

/**
 * `scanHead` scans the lines of a response head from `head.scanned` to `end` (a position in `head.bytes`). It
 * can be called again when more bytes have arrived: complete lines are never scanned twice. `head.scanned` is
 * then the length of the head, or where a line begins that is not complete; `head.fault` says why it was
 * rejected.
 */
export function scanHead(head: ResponseHead, end: number): Scan {
  if (head.scanned === 0) {
    const scan = scanStatusLine(head, end);
    if (scan !== Scan.DONE) return scan;
  }
  return scanFields(head, end);
}

/**
 * `scanStatusLine` reads `HTTP/1.x SP 3DIGIT SP [reason] CRLF` (RFC 9112, section 4). The second space may be
 * missing, as it often is.
 */
function scanStatusLine(head: ResponseHead, end: number): Scan {
  const { bytes, base } = head;
  if (end - base < STATUS_LINE_BYTES_MIN + 2) return scanStatusLineStart(head, end);
  const minor = bytes[base + MINOR_VERSION_AT]! - Char.ZERO;
  if (!isHttp1(bytes, base) || (minor !== 0 && minor !== 1) || bytes[base + STATUS_AT - 1] !== Char.SP) {
    return refuse(head, ResponseFault.STATUS_LINE);
  }
  const status = threeDigits(bytes, base + STATUS_AT);
  if (status < LOWEST_STATUS) return refuse(head, ResponseFault.STATUS_LINE);

  let at = base + STATUS_LINE_BYTES_MIN;
  head.reasonStart = STATUS_LINE_BYTES_MIN + 1;
  if (bytes[at] === Char.SP) {
    at++;
    while (at < end && isFieldByte[bytes[at]!] === 1) at++;
    head.reasonEnd = at - base;
  } else {
    head.reasonEnd = head.reasonStart;
  }
  if (end - at < 2)
    return at < end && bytes[at] !== Char.CR ? refuse(head, ResponseFault.STATUS_LINE) : Scan.PARTIAL;
  if (bytes[at] !== Char.CR || bytes[at + 1] !== Char.LF) return refuse(head, ResponseFault.STATUS_LINE);
  head.status = status;
  head.minorVersion = minor;
  head.scanned = at + 2 - base;
  return Scan.DONE;
}

/**
 * `scanStatusLineStart` checks an incomplete line, so that bytes that can't become a status line are rejected
 * at once.
 */
function scanStatusLineStart(head: ResponseHead, end: number): Scan {
  for (let at = head.base; at < end; at++) {
    const i = at - head.base;
    const fits =
      i < VERSION_START.length ? head.bytes[at] === VERSION_START.charCodeAt(i) : head.bytes[at] !== Char.LF;
    if (!fits) return refuse(head, ResponseFault.STATUS_LINE);
  }
  return Scan.PARTIAL;
}

/** `scanFields` reads `name ":" OWS value OWS CRLF` lines up to the empty one (RFC 9112, section 5). */
function scanFields(head: ResponseHead, end: number): Scan {
  const { bytes, base } = head;
  // An imported binding is loaded at each use, which in these loops would be once per byte.
  const tokens = isTokenByte;
  const values = isFieldByte;
  for (;;) {
    const nameStart = base + head.scanned;
    let at = nameStart;
    while (at < end && tokens[bytes[at]!] === 1) at++;
    const nameEnd = at;
    if (nameEnd === nameStart && at < end) {
      if (bytes[at] !== Char.CR) return refuse(head, notAName(bytes[at]!));
      if (at + 1 === end) return Scan.PARTIAL;
      if (bytes[at + 1] !== Char.LF) return refuse(head, ResponseFault.FIELD_NAME);
      head.scanned += 2;
      return Scan.DONE;
    }
    while (at < end && (bytes[at] === Char.SP || bytes[at] === Char.HTAB)) at++;
    if (at === end) return Scan.PARTIAL;
    if (bytes[at] !== Char.COLON) return refuse(head, ResponseFault.FIELD_NAME);
    at++;
    while (at < end && (bytes[at] === Char.SP || bytes[at] === Char.HTAB)) at++;
    const valueStart = at;
    while (at < end && values[bytes[at]!] === 1) at++;
    if (at === end) return Scan.PARTIAL;
    if (bytes[at] !== Char.CR) return refuse(head, ResponseFault.FIELD_VALUE);
    if (at + 1 === end) return Scan.PARTIAL;
    if (bytes[at + 1] !== Char.LF) return refuse(head, ResponseFault.FIELD_VALUE);
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--;

    if (head.fieldCount === limits.responseFields) return refuse(head, ResponseFault.TOO_MANY_FIELDS);
    const kind = noteKind(head, nameStart, nameEnd);
    head.addField(nameStart - base, nameEnd - base, valueStart - base, valueEnd - base, kind);
    head.scanned = at + 2 - base;
  }
}

/**
 * `noteKind` returns the kind of a field by its name. The length is compared first, so that only names of
 * these lengths are compared at all. The list is in RFC 9110, section 7.6.1.
 */
function noteKind(head: ResponseHead, start: number, end: number): FieldKind {
  const { bytes } = head;
  switch (end - start) {
    case 2:
      return equalsIgnoringCase(bytes, start, end, 'te') ? FieldKind.HOP_BY_HOP : FieldKind.FORWARD;
    case 4:
      if (!equalsIgnoringCase(bytes, start, end, 'date')) return FieldKind.FORWARD;
      head.hasDate = true;
      return FieldKind.DATE;
    case 7:
      if (equalsIgnoringCase(bytes, start, end, 'trailer')) return FieldKind.TRAILER;
      // A 426 must name the protocols to upgrade to (RFC 9110, section 15.5.22).
      return equalsIgnoringCase(bytes, start, end, 'upgrade') && head.status !== UPGRADE_REQUIRED
        ? FieldKind.HOP_BY_HOP
        : FieldKind.FORWARD;
    case 10:
      if (equalsIgnoringCase(bytes, start, end, 'connection')) {
        if (head.connectionRow < 0) head.connectionRow = head.fieldCount;
        return FieldKind.HOP_BY_HOP;
      }
      if (!equalsIgnoringCase(bytes, start, end, 'keep-alive')) return FieldKind.FORWARD;
      if (head.keepAliveRow < 0) head.keepAliveRow = head.fieldCount;
      return FieldKind.HOP_BY_HOP;
    case 14:
      if (!equalsIgnoringCase(bytes, start, end, 'content-length')) return FieldKind.FORWARD;
      if (head.lengthRow < 0) head.lengthRow = head.fieldCount;
      head.lengthRows++;
      return FieldKind.HOP_BY_HOP;
    case 16:
      return equalsIgnoringCase(bytes, start, end, 'proxy-connection')
        ? FieldKind.HOP_BY_HOP
        : FieldKind.FORWARD;
    case 17:
      if (!equalsIgnoringCase(bytes, start, end, 'transfer-encoding')) return FieldKind.FORWARD;
      if (head.codingRow < 0) head.codingRow = head.fieldCount;
      return FieldKind.HOP_BY_HOP;
    default:
      return FieldKind.FORWARD;
  }
}

function refuse(head: ResponseHead, fault: ResponseFault): Scan {
  head.fault = fault;
  return Scan.REFUSED;
}

function notAName(byte: number): ResponseFault {
  return isBlank(byte) ? ResponseFault.FOLDED : ResponseFault.FIELD_NAME;
}

function isBlank(byte: number): boolean {
  return byte === Char.SP || byte === Char.HTAB;
}

function isHttp1(bytes: Buffer, start: number): boolean {
  for (let i = 0; i < VERSION_START.length; i++) {
    if (bytes[start + i] !== VERSION_START.charCodeAt(i)) return false;
  }
  return true;
}

/** `threeDigits` returns the number, or -1 if one of the three is not a digit. */
function threeDigits(bytes: Buffer, at: number): number {
  const a = bytes[at]! - Char.ZERO;
  const b = bytes[at + 1]! - Char.ZERO;
  const c = bytes[at + 2]! - Char.ZERO;
  if (a < 0 || a > 9 || b < 0 || b > 9 || c < 0 || c > 9) return -1;
  return a * 100 + b * 10 + c;
}
