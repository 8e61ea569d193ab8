import { limits } from '../limits.js';
import { Char, equalsIgnoringCase, isFieldByte, isTargetByte, isTokenByte } from './chars.js';
import { listMembers, withoutNamed } from './hop-by-hop.js';
import { Framing, RequestHead, TAKES_TRAILERS } from './message.js';
import { RequestFault } from './request-fault.js';
import { isHost, isOriginForm, readTarget } from './request-target.js';
import { Scan } from './scan.js';
import { readTransferCoding } from './transfer-coding.js';
import { latin1Slice } from './wire.js';

/** The bytes end within the method. */
const WITHIN_METHOD = -2;
const VERSION_START = 'HTTP/';
/** Up to this number of digits a length is exact as a JavaScript number. */
const LENGTH_DIGITS_MAX = 15;

/**
 * Scans request heads in place and strictly (RFC 9112, sections 2 to 6): what two parsers could read in two
 * ways is rejected. There is one per thread. Its results are valid until the next scan, but its strings may
 * be kept.
 *
 * Each scan begins at the head's first byte and reads bytes in order only, so that a head that arrives in
 * pieces gets the same verdict as a whole one. A connection scans again when more bytes have arrived. Field
 * lines are forwarded byte for byte, whatever their case or spacing. Most heads need one slice for all field
 * lines, and nothing is allocated per field.
 *
 * The file is long because each state leads to the next one over the same bytes and fields.
 */
export class RequestHeadScanner {
  /** All fields are set after `Scan.DONE`. */
  readonly head = new RequestHead();
  fault: RequestFault = RequestFault.NONE;
  /** Bytes of the whole head, including empty lines before it. */
  length = 0;
  /** The client uses HTTP/1.0. */
  http10 = false;
  /** The client allows the connection to be reused (RFC 9112, section 9.3). */
  keepAlive = true;

  readonly #spliced: Buffer = Buffer.allocUnsafeSlow(limits.requestHeadBytesMax);
  #splicedBytes = 0;
  /** The last valid host: most connections send one host again and again. */
  #validHost = '';
  #hosts = 0;
  #hasLength = false;
  #lengthDigits = 0;
  #chunked = false;
  #closes = false;
  #persists = false;
  #takesTrailers = false;
  /** Joined values of Connection fields that have other options than `close` and `keep-alive`. */
  #options = '';
  /** Values of Upgrade fields, whether or not Connection names them. */
  #upgrade = '';

  /**
   * `scan` scans `bytes[start, end)`, which begins with a head. It rejects a head above `headBytesMax`, which
   * is at most `limits.requestHeadBytesMax`.
   */
  scan(bytes: Buffer, start: number, end: number, headBytesMax: number = limits.requestHeadBytes): Scan {
    this.#begin();
    const stop = Math.min(end, start + headBytesMax);
    const at = this.#scanLine(bytes, start, stop);
    const scan = at < 0 ? this.#stopped() : this.#scanFields(bytes, start, at, stop);
    if (scan === Scan.PARTIAL && stop - start === headBytesMax) {
      return this.#refuse(at === WITHIN_METHOD ? RequestFault.METHOD : RequestFault.HEAD_TOO_LARGE);
    }
    return scan;
  }

  #begin(): void {
    const { head } = this;
    head.method = 'GET';
    head.host = '';
    head.fields = '';
    head.framing = Framing.NONE;
    head.contentLength = 0;
    head.lengthZero = false;
    head.upgrade = '';
    head.expectsContinue = false;
    this.fault = RequestFault.NONE;
    this.length = 0;
    this.http10 = false;
    this.keepAlive = true;
    this.#splicedBytes = 0;
    this.#hosts = 0;
    this.#hasLength = false;
    this.#lengthDigits = 0;
    this.#chunked = false;
    this.#closes = false;
    this.#persists = false;
    this.#takesTrailers = false;
    this.#options = '';
    this.#upgrade = '';
  }

  /** Options of the Connection fields except `close` and `keep-alive`: a list in any case, as it arrived. */
  get named(): string {
    return this.#options;
  }

  /** `#stopped` handles a negative position: rejected if there is a fault, else more bytes are needed. */
  #stopped(): Scan {
    return this.fault === RequestFault.NONE ? Scan.PARTIAL : Scan.REFUSED;
  }

  #refuse(fault: RequestFault): Scan {
    this.fault = fault;
    return Scan.REFUSED;
  }

  /**
   * `#scanLine` reads `method SP target SP version CRLF` after any empty lines. It returns where the fields
   * begin, `WITHIN_METHOD`, or -1.
   */
  #scanLine(bytes: Buffer, start: number, stop: number): number {
    // An imported binding is loaded at each use, which in these loops would be once per byte.
    const tokens = isTokenByte;
    const targets = isTargetByte;
    let at = start;
    // RFC 9112, section 2.2: empty lines before a request are skipped. Their number is bounded, because each
    // read scans them again.
    const emptyStop = start + limits.emptyLines * 2;
    while (at < stop && bytes[at] === Char.CR) {
      if (at === emptyStop) return this.#fail(RequestFault.REQUEST_LINE);
      if (at + 1 === stop) return -1;
      if (bytes[at + 1] !== Char.LF) return this.#fail(RequestFault.REQUEST_LINE);
      at += 2;
    }
    const methodStart = at;
    while (at < stop && tokens[bytes[at]!] === 1) at++;
    if (at === stop) return WITHIN_METHOD;
    if (bytes[at] !== Char.SP || at === methodStart) return this.#fail(RequestFault.METHOD);
    if (at - methodStart > limits.methodBytes) return this.#fail(RequestFault.METHOD_TOO_LONG);
    const { head } = this;
    head.method = methodOf(bytes, methodStart, at);
    if (head.method === 'CONNECT') return this.#fail(RequestFault.CONNECT);

    const targetStart = ++at;
    const targetStop = Math.min(stop, targetStart + limits.requestTargetBytes);
    while (at < targetStop && targets[bytes[at]!] === 1) at++;
    if (at === stop) return -1;
    if (at - targetStart === limits.requestTargetBytes && targets[bytes[at]!] === 1) {
      return this.#fail(RequestFault.TARGET_TOO_LONG);
    }
    if (bytes[at] !== Char.SP || at === targetStart) return this.#fail(RequestFault.TARGET);
    head.target = latin1Slice(bytes, targetStart, at);
    return this.#scanVersion(bytes, at + 1, stop);
  }

  #scanVersion(bytes: Buffer, start: number, stop: number): number {
    let at = start;
    for (let i = 0; i < VERSION_START.length; i++, at++) {
      if (at === stop) return -1;
      if (bytes[at] !== VERSION_START.charCodeAt(i)) return this.#fail(RequestFault.REQUEST_LINE);
    }
    if (at === stop) return -1;
    const major = bytes[at]! - Char.ZERO;
    if (!isDigit(major)) return this.#fail(RequestFault.REQUEST_LINE);
    if (++at === stop) return -1;
    if (bytes[at] !== Char.DOT) return this.#fail(RequestFault.REQUEST_LINE);
    if (++at === stop) return -1;
    const minor = bytes[at]! - Char.ZERO;
    if (!isDigit(minor)) return this.#fail(RequestFault.REQUEST_LINE);
    if (++at === stop) return -1;
    if (bytes[at] !== Char.CR) return this.#fail(RequestFault.REQUEST_LINE);
    if (++at === stop) return -1;
    if (bytes[at] !== Char.LF) return this.#fail(RequestFault.REQUEST_LINE);
    if (major !== 1 || minor > 1) return this.#fail(RequestFault.VERSION);
    this.http10 = minor === 0;
    return at + 1;
  }

  #fail(fault: RequestFault): number {
    this.fault = fault;
    return -1;
  }

  /** `#scanFields` reads `name ":" OWS value OWS CRLF` lines up to the empty one (RFC 9112, section 5). */
  #scanFields(bytes: Buffer, start: number, from: number, stop: number): Scan {
    const tokens = isTokenByte;
    const values = isFieldByte;
    let at = from;
    let count = 0;
    // Adjacent forwarded lines form one run. A run is copied only when another one follows it.
    let runStart = from;
    let runEnd = from;
    for (;;) {
      const nameStart = at;
      while (at < stop && tokens[bytes[at]!] === 1) at++;
      const nameEnd = at;
      if (at === stop) return Scan.PARTIAL;
      if (nameEnd === nameStart) {
        if (bytes[at] !== Char.CR) return this.#refuse(notAName(bytes[at]!));
        if (at + 1 === stop) return Scan.PARTIAL;
        if (bytes[at + 1] !== Char.LF) return this.#refuse(RequestFault.FIELD_NAME);
        this.length = at + 2 - start;
        return this.#complete(bytes, runStart, runEnd);
      }
      if (bytes[at] !== Char.COLON) return this.#refuse(RequestFault.FIELD_NAME);
      at++;
      while (at < stop && (bytes[at] === Char.SP || bytes[at] === Char.HTAB)) at++;
      const valueStart = at;
      while (at < stop && values[bytes[at]!] === 1) at++;
      if (at === stop) return Scan.PARTIAL;
      if (bytes[at] !== Char.CR) return this.#refuse(RequestFault.FIELD_VALUE);
      if (at + 1 === stop) return Scan.PARTIAL;
      if (bytes[at + 1] !== Char.LF) return this.#refuse(RequestFault.FIELD_VALUE);
      let valueEnd = at;
      while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--;
      at += 2;

      if (++count > limits.requestFields) return this.#refuse(RequestFault.TOO_MANY_FIELDS);
      if (this.#isForwarded(bytes, nameStart, nameEnd, valueStart, valueEnd)) {
        if (nameStart !== runEnd) {
          this.#splice(bytes, runStart, runEnd);
          runStart = nameStart;
        }
        runEnd = at;
      } else if (this.fault !== RequestFault.NONE) {
        return Scan.REFUSED;
      }
    }
  }

  /**
   * `#isForwarded` reads a field about this connection or about framing, which umbra writes itself, and
   * returns true when the line is end to end. The length is compared first, so that only names of these
   * lengths are compared at all. Servers that pass fields to programs as variables (RFC 3875, section 4.1.18)
   * treat an underscore as the dash, so a framing field with underscores is rejected.
   */
  #isForwarded(bytes: Buffer, start: number, end: number, valueStart: number, valueEnd: number): boolean {
    switch (end - start) {
      case 2:
        if (!equalsIgnoringCase(bytes, start, end, 'te')) return true;
        this.#readTe(bytes, valueStart, valueEnd);
        return false;
      case 4:
        if (!equalsIgnoringCase(bytes, start, end, 'host')) return true;
        this.#readHost(bytes, valueStart, valueEnd);
        return false;
      case 6:
        if (!equalsIgnoringCase(bytes, start, end, 'expect')) return true;
        if (!equalsIgnoringCase(bytes, valueStart, valueEnd, '100-continue')) {
          this.fault = RequestFault.EXPECTATION;
        }
        this.head.expectsContinue = true;
        return false;
      case 7:
        if (equalsIgnoringCase(bytes, start, end, 'upgrade')) {
          this.#upgrade += `${this.#upgrade === '' ? '' : ', '}${latin1Slice(bytes, valueStart, valueEnd)}`;
          return false;
        }
        return true;
      case 10:
        if (equalsIgnoringCase(bytes, start, end, 'connection')) {
          this.#readConnection(bytes, valueStart, valueEnd);
          return false;
        }
        return !equalsIgnoringCase(bytes, start, end, 'keep-alive');
      case 14:
        if (!equalsIgnoringCase(bytes, start, end, 'content-length')) {
          if (equalsIgnoringCase(bytes, start, end, 'content_length')) this.fault = RequestFault.FIELD_NAME;
          return this.fault === RequestFault.NONE;
        }
        this.#readLength(bytes, valueStart, valueEnd);
        return false;
      case 16:
        return !equalsIgnoringCase(bytes, start, end, 'proxy-connection');
      case 17:
        if (!equalsIgnoringCase(bytes, start, end, 'transfer-encoding')) {
          if (equalsIgnoringCase(bytes, start, end, 'transfer_encoding'))
            this.fault = RequestFault.FIELD_NAME;
          return this.fault === RequestFault.NONE;
        }
        this.#readCoding(bytes, valueStart, valueEnd);
        return false;
      default:
        return true;
    }
  }

  #readHost(bytes: Buffer, start: number, end: number): void {
    if (++this.#hosts > 1) {
      this.fault = RequestFault.HOST;
      return;
    }
    if (!isText(bytes, start, end, this.#validHost)) {
      const host = latin1Slice(bytes, start, end);
      if (!isHost(host)) {
        this.fault = RequestFault.HOST;
        return;
      }
      this.#validHost = host;
    }
    this.head.host = this.#validHost;
  }

  #readConnection(bytes: Buffer, start: number, end: number): void {
    if (equalsIgnoringCase(bytes, start, end, 'keep-alive')) this.#persists = true;
    else if (equalsIgnoringCase(bytes, start, end, 'close')) this.#closes = true;
    else this.#options += `,${latin1Slice(bytes, start, end)}`;
  }

  /**
   * `#readLength` accepts 1*DIGIT. Repeats of the same digits may be merged (RFC 9110, section 8.6); a list
   * is rejected.
   */
  #readLength(bytes: Buffer, start: number, end: number): void {
    const digits = end - start;
    let length = 0;
    for (let at = start; at < end; at++) {
      const digit = bytes[at]! - Char.ZERO;
      if (!isDigit(digit)) this.fault = RequestFault.LENGTH;
      length = length * 10 + digit;
    }
    const { head } = this;
    const differs = this.#hasLength && (length !== head.contentLength || digits !== this.#lengthDigits);
    if (digits === 0 || digits > LENGTH_DIGITS_MAX || differs || this.#chunked) {
      this.fault = RequestFault.LENGTH;
    }
    this.#hasLength = true;
    this.#lengthDigits = digits;
    head.contentLength = length;
  }

  /** `#readCoding` accepts chunked once. Codings in a list or in two fields are how requests are smuggled. */
  #readCoding(bytes: Buffer, start: number, end: number): void {
    if (this.http10) this.fault = RequestFault.CODING_VERSION;
    else if (this.#hasLength) this.fault = RequestFault.LENGTH;
    else if (this.#chunked) this.fault = RequestFault.CODING_END;
    else if (!equalsIgnoringCase(bytes, start, end, 'chunked'))
      this.fault = readTransferCoding(latin1Slice(bytes, start, end));
    this.#chunked = true;
  }

  /**
   * `#readTe` reads TE. Of all codings that a client may accept, only trailers can be forwarded (RFC 9110,
   * section 10.1.4).
   */
  #readTe(bytes: Buffer, start: number, end: number): void {
    if (equalsIgnoringCase(bytes, start, end, 'trailers')) this.#takesTrailers = true;
    else if (listMembers(latin1Slice(bytes, start, end)).has('trailers')) this.#takesTrailers = true;
  }

  #splice(bytes: Buffer, start: number, end: number): void {
    this.#splicedBytes += bytes.copy(this.#spliced, this.#splicedBytes, start, end);
  }

  /** `#complete` runs at the empty line and decides what the fields mean together. */
  #complete(bytes: Buffer, runStart: number, runEnd: number): Scan {
    const { head } = this;
    if (this.#hosts === 0 && !this.http10) return this.#refuse(RequestFault.HOST);
    if (!isOriginForm(head.target)) {
      const parts = readTarget(head.method, head.target);
      if (parts === null) return this.#refuse(RequestFault.TARGET);
      head.target = parts.target;
      if (parts.host !== null) head.host = parts.host;
    }
    if (this.#chunked) {
      head.framing = Framing.CHUNKED;
    } else if (this.#hasLength) {
      head.lengthZero = head.contentLength === 0;
      if (!head.lengthZero) head.framing = Framing.LENGTH;
    }
    if (this.#splicedBytes === 0) {
      if (runEnd > runStart) head.fields = latin1Slice(bytes, runStart, runEnd);
    } else {
      this.#splice(bytes, runStart, runEnd);
      head.fields = latin1Slice(this.#spliced, 0, this.#splicedBytes);
    }
    if (this.#options !== '') this.#readOptions();
    if (this.#takesTrailers && !this.http10) head.fields += TAKES_TRAILERS;
    this.keepAlive = !this.#closes && (!this.http10 || this.#persists);
    // Without a body nothing waits for a 100, and HTTP/1.0 does not define it (RFC 9110, section 10.1.1).
    if (head.framing === Framing.NONE || this.http10) head.expectsContinue = false;
    return Scan.DONE;
  }

  /**
   * `#readOptions` handles the rare Connection fields with other options than one `close` or `keep-alive`.
   */
  #readOptions(): void {
    const options = listMembers(this.#options);
    if (options.has('close')) this.#closes = true;
    if (options.has('keep-alive')) this.#persists = true;
    const { head } = this;
    // HTTP/1.0 has no upgrades (RFC 9110, section 7.8), and a body would be between the request and the
    // tunnel.
    const maySwitch = !this.http10 && head.framing === Framing.NONE;
    if (maySwitch && options.has('upgrade')) head.upgrade = this.#upgrade;
    head.fields = withoutNamed(head.fields, options);
  }
}

/** `methodOf` returns common methods without allocating a string. */
function methodOf(bytes: Buffer, start: number, end: number): string {
  switch (end - start) {
    case 3:
      if (isText(bytes, start, end, 'GET')) return 'GET';
      if (isText(bytes, start, end, 'PUT')) return 'PUT';
      break;
    case 4:
      if (isText(bytes, start, end, 'POST')) return 'POST';
      if (isText(bytes, start, end, 'HEAD')) return 'HEAD';
      break;
  }
  return latin1Slice(bytes, start, end);
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
}

function isBlank(byte: number): boolean {
  return byte === Char.SP || byte === Char.HTAB;
}

function notAName(byte: number): RequestFault {
  return isBlank(byte) ? RequestFault.FOLDED : RequestFault.FIELD_NAME;
}
