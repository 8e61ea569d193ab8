import { STATUS_CODES } from 'node:http';
import { Char } from '../http/chars.js';
import { Framing } from '../http/message.js';
import { FieldKind, ResponseHead } from '../http/response-head.js';
import { latin1Write } from '../http/wire.js';
import { limits } from '../limits.js';
import { type Field, Meaning } from './field.js';
import type { FieldSink } from './hpack-decoder.js';
import { LengthField } from './length-field.js';
import { withName } from './never-indexed.js';

const VERSION = 'HTTP/1.1 ';
const CRLF = '\r\n';
const CRLF_BYTES = 2;
const COLON_BYTES = 2;
const STATUS_BYTES = 3;

const LOWEST_STATUS = 100;
const INTERIM_END = 200;
const SWITCHING = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * `ResponseFields` builds a `ResponseHead` from the fields of a response (RFC 9113, sections 8.2 and 8.3.2).
 * It writes them as HTTP/1.1 lines, so that all readers of heads work unchanged. There is one per thread.
 * The head and its bytes are valid until the next response begins.
 */
export class ResponseFields implements FieldSink {
  readonly head = new ResponseHead();
  readonly #length = new LengthField();
  readonly #bytes = Buffer.allocUnsafeSlow(limits.responseHeadBytes + 256);
  /**
   * The fields whose lines were written before, by row, and where they begin. The first `#intact` of them are
   * still there, and are not written again: most responses repeat the lines of the one before.
   */
  readonly #written: (Field | null)[] = [];
  readonly #starts: number[] = [];
  #intact = 0;
  /** The field of the status line that is there, with its number and length. */
  #statusField: Field | null = null;
  #lineStatus = 0;
  #lineBytes = 0;
  #used = 0;
  #status = 0;
  #isMalformed = false;

  begin(): void {
    this.head.begin(this.#bytes, 0);
    this.#length.begin();
    this.#used = 0;
    this.#status = 0;
    this.#isMalformed = false;
  }

  onField(field: Field): void {
    // Nothing is written between the lines that are kept.
    if (this.#isMalformed) return;
    const { meaning } = field;
    if (meaning === Meaning.STATUS) {
      this.#takeStatus(field);
      return;
    }
    // Pseudo-headers of a request have no line and are malformed, as undefined ones are.
    if (this.#status === 0 || field.line === '') {
      this.#isMalformed = true;
      return;
    }
    if (field.neverIndexed) this.head.neverIndexed = withName(this.head.neverIndexed, field.name);
    switch (meaning) {
      case Meaning.CONTENT_LENGTH:
        if (!this.#length.take(field.value)) this.#isMalformed = true;
        else if (this.head.lengthRow < 0) {
          this.head.lengthRow = this.head.fieldCount;
          this.head.lengthRows = 1;
          this.#row(field, FieldKind.HOP_BY_HOP);
        }
        break;
      case Meaning.DATE:
        this.head.hasDate = true;
        this.#row(field, FieldKind.DATE);
        break;
      case Meaning.TRAILER:
        this.#row(field, FieldKind.TRAILER);
        break;
      case Meaning.CONNECTION:
      case Meaning.BAD:
      case Meaning.DISGUISE:
        this.#isMalformed = true;
        break;
      default:
        this.#row(field, FieldKind.FORWARD);
    }
  }

  /**
   * Completes the head. `ended`: the stream ended with it. `toHead`: the request was HEAD. False: malformed.
   * A response that may have a body and ends with its head has an empty body.
   */
  complete(ended: boolean, toHead: boolean): boolean {
    const { head } = this;
    const status = this.#status;
    const isInterim = status < INTERIM_END;
    if (this.#isMalformed || status === 0 || status === SWITCHING || (isInterim && ended)) return false;
    const length = this.#length.bytes;
    const neverHasLength = isInterim || status === NO_CONTENT;
    head.bodyless = toHead || neverHasLength || status === NOT_MODIFIED;
    if (ended && length > 0 && !head.bodyless) return false;
    const isEmpty = ended && !head.bodyless;
    head.hasContentLength = (length >= 0 && !neverHasLength) || isEmpty;
    head.contentLength = Math.max(0, length);
    if (head.bodyless) head.framing = Framing.NONE;
    else head.framing = head.hasContentLength ? Framing.LENGTH : Framing.CHUNKED;
    this.#bytes[this.#used] = Char.CR;
    this.#bytes[this.#used + 1] = Char.LF;
    this.#intact = head.fieldCount;
    head.scanned = this.#used + CRLF_BYTES;
    return true;
  }

  /** Section 8.3.2: three digits, once, before all regular fields. */
  #takeStatus(field: Field): void {
    const { head } = this;
    this.#isMalformed = this.#status !== 0 || head.fieldCount > 0;
    if (this.#isMalformed) return;
    if (field !== this.#statusField) this.#writeStatus(field);
    this.#isMalformed = this.#lineStatus < LOWEST_STATUS;
    if (this.#isMalformed) return;
    this.#status = this.#lineStatus;
    head.status = this.#lineStatus;
    head.reasonStart = VERSION.length + STATUS_BYTES + 1;
    head.reasonEnd = this.#lineBytes - CRLF_BYTES;
    this.#used = this.#lineBytes;
  }

  #writeStatus(field: Field): void {
    const { value } = field;
    this.#intact = 0;
    this.#statusField = field.isKept ? field : null;
    this.#lineStatus = isThreeDigits(value) ? Number(value) : 0;
    const line = `${VERSION}${value} ${STATUS_CODES[this.#lineStatus] ?? ''}${CRLF}`;
    this.#lineBytes = line.length;
    if (this.#lineStatus !== 0) latin1Write(this.#bytes, line, 0);
  }

  /** Writes a line and its row. The limit of header lists leaves enough room. */
  #row(field: Field, kind: FieldKind): void {
    const { name, line } = field;
    const { head } = this;
    const row = head.fieldCount;
    const start = this.#used;
    if (line.length > this.#bytes.length - start - CRLF_BYTES) {
      this.#isMalformed = true;
      return;
    }
    this.#used = start + line.length;
    if (row < this.#intact && this.#written[row] === field && this.#starts[row] === start) {
      head.fieldCount++;
      return;
    }
    latin1Write(this.#bytes, line, start);
    const nameEnd = start + name.length;
    head.addField(start, nameEnd, nameEnd + COLON_BYTES, this.#used - CRLF_BYTES, kind);
    this.#written[row] = field.isKept ? field : null;
    this.#starts[row] = start;
    this.#intact = row + 1;
  }
}

function isThreeDigits(text: string): boolean {
  if (text.length !== STATUS_BYTES) return false;
  for (let at = 0; at < STATUS_BYTES; at++) {
    const digit = text.charCodeAt(at) - Char.ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
}
