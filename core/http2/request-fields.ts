import { isTargetByte, isTokenByte } from '../http/chars.js';
import { Framing, RequestHead, TAKES_TRAILERS } from '../http/message.js';
import { RequestFault } from '../http/request-fault.js';
import { isHost, isOriginForm } from '../http/request-target.js';
import { limits } from '../limits.js';
import { type Field, Meaning } from './field.js';
import type { FieldSink } from './hpack-decoder.js';
import { LengthField } from './length-field.js';
import { withName } from './never-indexed.js';

/** The result of reading a request's fields. */
export const Verdict = {
  OK: 0,
  /** The request is malformed: a stream error PROTOCOL_ERROR (RFC 9113, section 8.1.1). */
  MALFORMED: 1,
  /** umbra answers the request itself; `fault` says how. */
  REFUSED: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

const METHOD = 1;
const SCHEME = 2;
const AUTHORITY = 4;
const PATH = 8;
const REQUIRED = METHOD | SCHEME | PATH;

/**
 * `RequestFields` builds a `RequestHead` from the fields of a request (RFC 9113, sections 8.2 and 8.3).
 * There is one per thread. The head is valid until the next request begins; its strings may be kept.
 */
export class RequestFields implements FieldSink {
  readonly head = newHead();
  fault: RequestFault = RequestFault.NONE;
  readonly #length = new LengthField();
  /** Pseudo-headers received, as bits. */
  #pseudo = 0;
  #isMalformed = false;
  /** A regular field was received, after which no pseudo-header may follow. */
  #regular = false;
  #authority = '';
  #host: string | null = null;
  #cookie = '';
  #takesTrailers = false;
  /** The last valid host: most connections repeat one host. */
  #validHost = '';

  /** The announced length of the body, or `ANY_LENGTH`. */
  get length(): number {
    return this.#length.bytes;
  }

  begin(): void {
    const { head } = this;
    head.method = '';
    head.target = '';
    head.host = '';
    head.fields = '';
    head.framing = Framing.NONE;
    head.contentLength = 0;
    head.lengthZero = false;
    head.upgrade = '';
    head.expectsContinue = false;
    head.http10 = false;
    head.grpc = false;
    this.fault = RequestFault.NONE;
    head.neverIndexed = '';
    this.#length.begin();
    this.#pseudo = 0;
    this.#isMalformed = false;
    this.#regular = false;
    this.#authority = '';
    this.#host = null;
    this.#cookie = '';
    this.#takesTrailers = false;
  }

  onField(field: Field): void {
    const { meaning, value } = field;
    if (meaning >= Meaning.METHOD && meaning <= Meaning.STATUS) {
      this.#takePseudo(meaning, value);
      return;
    }
    this.#regular = true;
    if (field.neverIndexed) this.head.neverIndexed = withName(this.head.neverIndexed, field.name);
    switch (meaning) {
      case Meaning.GRPC:
        this.head.grpc = true;
        this.head.fields += field.line;
        break;
      case Meaning.FORWARD:
      case Meaning.DATE:
      case Meaning.TRAILER:
        this.head.fields += field.line;
        break;
      case Meaning.COOKIE:
        // RFC 9113, section 8.2.3.
        this.#cookie += this.#cookie === '' ? value : `; ${value}`;
        break;
      case Meaning.CONTENT_LENGTH:
        if (!this.#length.take(value)) this.#isMalformed = true;
        break;
      case Meaning.TE:
        if (value !== 'trailers') this.#isMalformed = true;
        this.#takesTrailers = true;
        break;
      case Meaning.HOST:
        if (this.#host !== null) this.#refuse(RequestFault.HOST);
        this.#host = value;
        break;
      case Meaning.EXPECT:
        if (value.toLowerCase() !== '100-continue') this.#refuse(RequestFault.EXPECTATION);
        this.head.expectsContinue = true;
        break;
      case Meaning.DISGUISE:
        this.#refuse(RequestFault.FIELD_NAME);
        break;
      default:
        this.#isMalformed = true;
    }
  }

  /**
   * Completes the head. `ended`: the stream ended with it. `overflowed`: fields are missing because the list
   * exceeds its limit, so only the fields that were received are checked.
   */
  complete(ended: boolean, overflowed: boolean): Verdict {
    if (this.#isMalformed) return Verdict.MALFORMED;
    if (overflowed) return this.#refused(RequestFault.HEAD_TOO_LARGE);
    const { head } = this;
    if (head.method === 'CONNECT') return this.#refused(RequestFault.CONNECT);
    if ((this.#pseudo & REQUIRED) !== REQUIRED || !this.#setTarget()) return Verdict.MALFORMED;
    if (!this.#setHost() || !this.#setFraming(ended)) return Verdict.MALFORMED;
    if (this.#cookie !== '') head.fields += `cookie: ${this.#cookie}\r\n`;
    if (this.#takesTrailers) head.fields += TAKES_TRAILERS;
    return this.fault === RequestFault.NONE ? Verdict.OK : Verdict.REFUSED;
  }

  #refuse(fault: RequestFault): void {
    if (this.fault === RequestFault.NONE) this.fault = fault;
  }

  #refused(fault: RequestFault): Verdict {
    this.fault = fault;
    return Verdict.REFUSED;
  }

  /** Section 8.3: pseudo-headers of a request, each at most once, before all regular fields. */
  #takePseudo(meaning: Meaning, value: string): void {
    const bit = bitOf(meaning);
    if (bit === 0 || this.#regular || (this.#pseudo & bit) !== 0) this.#isMalformed = true;
    this.#pseudo |= bit;
    if (bit === METHOD) {
      if (!isToken(value)) this.#isMalformed = true;
      this.head.method = value;
    } else if (bit === PATH) {
      this.head.target = value;
    } else if (bit === AUTHORITY) {
      this.#authority = value;
    } else if (value !== 'http' && value !== 'https') {
      this.#refuse(RequestFault.TARGET);
    }
  }

  /** Section 8.3.1: a path with its query, or `*` for OPTIONS. False: malformed. */
  #setTarget(): boolean {
    const { head } = this;
    const { target } = head;
    if (target === '' || (!isOriginForm(target) && (target !== '*' || head.method !== 'OPTIONS')))
      return false;
    if (target.length > limits.requestTargetBytes) this.#refuse(RequestFault.TARGET_TOO_LONG);
    else if (!isTarget(target)) this.#refuse(RequestFault.TARGET);
    return true;
  }

  /** A Host field may replace or repeat `:authority`, but not contradict it. False: malformed. */
  #setHost(): boolean {
    const authority = this.#authority;
    const host = this.#host ?? '';
    if (authority !== '' && host !== '' && host.toLowerCase() !== authority.toLowerCase()) return false;
    const named = authority === '' ? host : authority;
    if (named !== this.#validHost && isHost(named)) this.#validHost = named;
    if (named === this.#validHost && named !== '') this.head.host = named;
    else this.#refuse(RequestFault.HOST);
    return true;
  }

  /** Sets the framing. False: malformed, because the stream ended before its announced length. */
  #setFraming(ended: boolean): boolean {
    const { head } = this;
    const length = this.#length.bytes;
    if (ended && length > 0) return false;
    head.lengthZero = length === 0;
    if (length > 0) {
      head.framing = Framing.LENGTH;
      head.contentLength = length;
    } else if (!ended && length < 0) {
      head.framing = Framing.CHUNKED;
    }
    // Without a body there is nothing to wait for (RFC 9110, section 10.1.1).
    if (head.framing === Framing.NONE) head.expectsContinue = false;
    return true;
  }
}

function newHead(): RequestHead {
  const head = new RequestHead();
  head.http2 = true;
  return head;
}

function bitOf(meaning: Meaning): number {
  switch (meaning) {
    case Meaning.METHOD:
      return METHOD;
    case Meaning.SCHEME:
      return SCHEME;
    case Meaning.AUTHORITY:
      return AUTHORITY;
    case Meaning.PATH:
      return PATH;
    default:
      return 0;
  }
}

function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isTokenByte[text.charCodeAt(at)] !== 1) return false;
  return text.length > 0;
}

function isTarget(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isTargetByte[text.charCodeAt(at)] !== 1) return false;
  return true;
}
