import { limits } from '../limits.js';
import { withoutBlanks } from '../trim.js';
import { Char, equalsIgnoringCase } from './chars.js';
import { Framing } from './message.js';
import { ResponseFault } from './response-fault.js';
import type { ResponseHead } from './response-head.js';

/**
 * `decideFraming` decides from a scanned head how its body is delimited and whether the connection may be
 * reused, in the order of RFC 9112, section 6.3. It also removes the fields that Connection names. It rejects
 * what two parsers could read in two ways; the fault is returned and kept in the head.
 */
export function decideFraming(head: ResponseHead, toHead: boolean): ResponseFault {
  const fault = readFraming(head, toHead);
  head.fault = fault;
  return fault;
}

const CONTINUE_CLASS_END = 200;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const UPGRADE_REQUIRED = 426;

function readFraming(head: ResponseHead, toHead: boolean): ResponseFault {
  const { status } = head;
  head.keepAlive = head.minorVersion === 1;
  if (head.connectionRow >= 0) {
    const fault = readConnection(head);
    if (fault !== ResponseFault.NONE) return fault;
  }

  const neverHasLength = status < CONTINUE_CLASS_END || status === NO_CONTENT;
  head.bodyless = toHead || neverHasLength || status === NOT_MODIFIED;
  let coding: Coding = Coding.NONE;
  if (head.codingRow >= 0) {
    // Both together may be an attempt to split the response. HTTP/1.0 does not define Transfer-Encoding.
    if (head.lengthRow >= 0 || head.minorVersion === 0) return ResponseFault.TRANSFER_ENCODING;
    coding = readCodings(head);
    if (coding === Coding.REFUSED) return ResponseFault.TRANSFER_ENCODING;
  }
  if (head.lengthRow >= 0) {
    const length = readContentLength(head);
    if (length < 0) return ResponseFault.CONTENT_LENGTH;
    head.contentLength = length;
    head.hasContentLength = !neverHasLength;
  }

  if (head.bodyless) head.framing = Framing.NONE;
  else if (coding === Coding.CHUNKED) head.framing = Framing.CHUNKED;
  else if (!head.hasContentLength) head.framing = Framing.CLOSE;
  else head.framing = Framing.LENGTH;
  if (head.framing === Framing.CLOSE) head.keepAlive = false;
  return ResponseFault.NONE;
}

/**
 * `readContentLength` accepts digits only. A list, or repeated fields, of the same digits counts as one (RFC
 * 9110, section 8.6). It returns -1 for anything else and for numbers above 2^53 - 1.
 */
function readContentLength(head: ResponseHead): number {
  const row = head.lengthRow;
  if (head.lengthRows > 1) return repeatedLength(head);
  const length = parseLength(head.bytes, head.valueStart(row), head.valueEnd(row));
  return length < 0 ? repeatedLength(head) : length;
}

/**
 * `repeatedLength` is rare and may use strings. Every element must be the same text, because `030` and `30`
 * may be read as two numbers.
 */
function repeatedLength(head: ResponseHead): number {
  let first = '';
  for (let row = head.lengthRow; row < head.fieldCount; row++) {
    if (!head.nameIs(row, 'content-length')) continue;
    for (const element of head.fieldText(row).split(',')) {
      const text = withoutBlanks(element);
      if (first === '') first = text;
      if (text === '' || text !== first) return -1;
    }
  }
  const digits = Buffer.from(first, 'latin1');
  return parseLength(digits, 0, digits.length);
}

function parseLength(bytes: Buffer, start: number, end: number): number {
  if (start === end) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - Char.ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > Number.MAX_SAFE_INTEGER) return -1;
  }
  return value;
}

/** The meaning of all Transfer-Encoding fields together for the end of the body. */
const Coding = { NONE: 0, CHUNKED: 1, REFUSED: 2 } as const;
type Coding = (typeof Coding)[keyof typeof Coding];

/**
 * `readCodings` accepts chunked once, with only `identity` before it. Any other coding is rejected: the field
 * is hop-by-hop, so the client would get coded bytes without their label (docs/decisions/006).
 */
function readCodings(head: ResponseHead): Coding {
  let together: Coding = Coding.NONE;
  for (let row = head.codingRow; row < head.fieldCount; row++) {
    if (!head.nameIs(row, 'transfer-encoding')) continue;
    const end = head.valueEnd(row);
    let start = head.valueStart(row);
    do {
      const elementEnd = endOfElement(head.bytes, start, end);
      const coding = readCoding(head.bytes, start, elementEnd);
      if (coding === Coding.REFUSED || together === Coding.CHUNKED) return Coding.REFUSED;
      together = coding;
      start = elementEnd + 1;
    } while (start <= end);
  }
  return together;
}

function readCoding(bytes: Buffer, start: number, end: number): Coding {
  while (start < end && isBlank(bytes[start]!)) start++;
  while (end > start && isBlank(bytes[end - 1]!)) end--;
  if (equalsIgnoringCase(bytes, start, end, 'chunked')) return Coding.CHUNKED;
  return equalsIgnoringCase(bytes, start, end, 'identity') ? Coding.NONE : Coding.REFUSED;
}

/**
 * End-to-end fields that a recipient relies on. Connection must never name them (RFC 9110, section 7.6.1). If
 * an upstream names them, the client gets them nevertheless.
 */
const protectedNames: readonly string[] = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-security-policy',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'set-cookie',
  'strict-transport-security',
  'vary',
  'www-authenticate',
];

/**
 * `readConnection` reads the Connection fields: whether to keep the connection, and which fields are
 * hop-by-hop.
 */
function readConnection(head: ResponseHead): ResponseFault {
  const { bytes } = head;
  let options = 0;
  let closes = false;
  for (let row = head.connectionRow; row < head.fieldCount; row++) {
    if (!head.nameIs(row, 'connection')) continue;
    const valueEnd = head.valueEnd(row);
    let at = head.valueStart(row);
    while (at < valueEnd) {
      const elementEnd = endOfElement(bytes, at, valueEnd);
      let start = at;
      let end = elementEnd;
      while (start < end && isBlank(bytes[start]!)) start++;
      while (end > start && isBlank(bytes[end - 1]!)) end--;
      if (equalsIgnoringCase(bytes, start, end, 'close')) closes = true;
      else if (equalsIgnoringCase(bytes, start, end, 'keep-alive')) head.keepAlive = true;
      else if (start !== end) {
        // Each option is searched among all fields, so their number bounds the work that a head can cause.
        if (++options > limits.connectionOptions) return ResponseFault.TOO_MANY_FIELDS;
        const name = bytes.toString('latin1', start, end).toLowerCase();
        head.named += head.named === '' ? name : `,${name}`;
        takeOut(head, name);
      }
      at = elementEnd + 1;
    }
  }
  if (closes) head.keepAlive = false;
  return ResponseFault.NONE;
}

function takeOut(head: ResponseHead, lowerName: string): void {
  if (protectedNames.includes(lowerName)) return;
  if (lowerName === 'upgrade' && head.status === UPGRADE_REQUIRED) return;
  for (let row = 0; row < head.fieldCount; row++) {
    if (head.nameIs(row, lowerName)) head.markHopByHop(row);
  }
}

/** `endOfElement` returns the end of the list element that begins at `at`: a comma or `end`. */
function endOfElement(bytes: Buffer, at: number, end: number): number {
  while (at < end && bytes[at] !== Char.COMMA) at++;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === Char.SP || byte === Char.HTAB;
}
