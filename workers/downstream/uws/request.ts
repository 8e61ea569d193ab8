import { asciiLowerCase } from '../../../core/http/chars.js';
import { withoutFields } from '../../../core/http/field-edits.js';
import { listMembers, withoutNamed } from '../../../core/http/hop-by-hop.js';
import { Framing, type RequestHead } from '../../../core/http/message.js';
import { RequestFault } from '../../../core/http/request-fault.js';
import { readTransferCoding } from '../../../core/http/transfer-coding.js';
import { limits } from '../../../core/limits.js';
import type { UwsRequest } from './binding.js';

/** RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/**
 * uri-host [ ":" port ] of RFC 9110, section 7.2, without the comma: a list means that two Host fields were
 * joined.
 */
const hostValue = /^(?:[A-Za-z0-9\-._~%!$&'()*+;=]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?$/;
/** What uWS puts in place of bytes that are not UTF-8: what was sent is lost, so it can't be forwarded. */
const LOST_BYTES = '\ufffd';
/** The one control character that uWS lets through. */
const DEL = '\x7f';
/** Up to here a length is exact in a number. */
const LENGTH_DIGITS_MAX = 15;
const ZERO = 48;
const NINE = 57;

const noOptions: ReadonlySet<string> = new Set();

/** Not passed on: the engine could not speak what the two ends agree on. */
const extensionsField = ['sec-websocket-extensions'];

/**
 * Turns uWS's request object into a `RequestHead`, and refuses what uWS lets through although another parser
 * could read it differently. One per thread: it is only busy during `read`. Makes one flat string and no
 * array per request.
 */
export class RequestReader {
  readonly #secure: boolean;
  readonly #onField = (name: string, value: string): void => this.#readField(name, value);
  #fault: RequestFault = RequestFault.NONE;
  #fields = '';
  #host = '';
  /** The last host that was valid: most connections name one host again and again. */
  #validHost: string | null = null;
  #length: string | null = null;
  #chunked = false;
  #connection = '';
  #upgrade = '';
  /** Sec-WebSocket-Key of the request that was read last, if `head.upgrade` is set. */
  webSocketKey = '';
  /**
   * The request that was read last has `close` among other options of Connection, or in another spelling. uWS
   * knows `close` alone.
   */
  asksToClose = false;

  constructor(secure: boolean) {
    this.#secure = secure;
  }

  /**
   * Fills in `head`; `canUpgrade`: uWS could make the connection a WebSocket, which `head.upgrade` then asks
   * for. Anything but NONE: the request must be refused, and `head` holds only its method.
   */
  read(req: UwsRequest, head: RequestHead, canUpgrade = false): RequestFault {
    this.#fault = RequestFault.NONE;
    this.#fields = '';
    this.#host = '';
    this.#length = null;
    this.#chunked = false;
    this.#connection = '';
    this.#upgrade = '';
    this.asksToClose = false;
    head.upgrade = '';

    const method = req.getCaseSensitiveMethod();
    const path = req.getUrl();
    const query = req.getQuery();
    head.method = method;
    if (!isKnownMethod(method)) this.#checkMethod(method);
    req.forEach(this.#onField);
    if (this.#fault !== RequestFault.NONE) return this.#fault;

    if (this.#host !== this.#validHost) {
      if (!hostValue.test(this.#host)) return RequestFault.HOST;
      this.#validHost = this.#host;
    }
    const target = query === undefined ? path : `${path}?${query}`;
    if (target.includes('#')) return RequestFault.TARGET;
    const wireTarget = toWireString(target);
    if (wireTarget === null) return RequestFault.TARGET_BYTES;
    if (wireTarget.includes(DEL)) return RequestFault.TARGET;
    let fields = toWireString(this.#fields);
    if (fields === null) return RequestFault.FIELD_BYTES;
    if (fields.includes(DEL)) return RequestFault.FIELD_VALUE;
    const options = this.#connection === '' ? noOptions : listMembers(this.#connection);
    if (options.size > 0) {
      fields = withoutNamed(fields, options);
      this.asksToClose = options.has('close');
    }

    if (canUpgrade && options.has('upgrade') && asciiLowerCase(this.#upgrade) === 'websocket') {
      head.upgrade = 'websocket';
      this.webSocketKey = req.getHeader('sec-websocket-key');
      fields = withoutFields(fields, extensionsField);
    }
    head.target = wireTarget;
    head.host = this.#host;
    head.fields = fields;
    head.secure = this.#secure;
    const fault = this.#frame(head);
    if (head.framing !== Framing.NONE) head.upgrade = '';
    return fault;
  }

  #readField(name: string, value: string): void {
    // Lengths first: almost every field is settled by one comparison of two small integers.
    switch (name.length) {
      case 2:
        if (name === 'te') return;
        break;
      case 4:
        if (name === 'host') {
          this.#host = value;
          return;
        }
        break;
      case 6:
        if (name === 'expect') {
          // uWS answers 100 itself; forwarding the field would ask the upstream for a second one.
          if (value !== '100-continue' && value.toLowerCase() !== '100-continue') {
            this.#fault = RequestFault.EXPECTATION;
          }
          return;
        }
        break;
      case 7:
        if (name === 'upgrade') {
          this.#upgrade = value;
          return;
        }
        break;
      case 10:
        if (name === 'connection') {
          if (value !== 'keep-alive' && value !== 'close') this.#connection += `,${value}`;
          return;
        }
        if (name === 'keep-alive') return;
        break;
      case 14:
        if (name === 'content-length') {
          // Identical repeats may be merged (RFC 9110, section 8.6); uWS takes the first and ignores the
          // others.
          if (this.#length !== null && this.#length !== value) this.#fault = RequestFault.LENGTH;
          this.#length = value;
          return;
        }
        if (name === 'content_length') this.#fault = RequestFault.FIELD_NAME;
        break;
      case 16:
        if (name === 'proxy-connection') return;
        break;
      case 17:
        if (name === 'transfer-encoding') {
          // uWS takes any value for chunked. Codings in a list or in two fields are what smuggling is made
          // of.
          if (this.#chunked) this.#fault = RequestFault.CODING_END;
          else if (value !== 'chunked') this.#noteFault(readTransferCoding(value));
          this.#chunked = true;
          return;
        }
        if (name === 'transfer_encoding') this.#fault = RequestFault.FIELD_NAME;
        break;
    }
    this.#fields += `${name}: ${value}\r\n`;
  }

  /** The request that was read last names a body, whether or not that is valid. */
  get bodyAnnounced(): boolean {
    return this.#chunked || (this.#length !== null && this.#length !== '0');
  }

  #noteFault(fault: RequestFault): void {
    if (fault !== RequestFault.NONE) this.#fault = fault;
  }

  #checkMethod(method: string): void {
    if (method === 'CONNECT') this.#fault = RequestFault.CONNECT;
    else if (method.length > limits.methodBytes) this.#fault = RequestFault.METHOD_TOO_LONG;
    else if (!token.test(method)) this.#fault = RequestFault.METHOD;
  }

  #frame(head: RequestHead): RequestFault {
    head.framing = Framing.NONE;
    head.contentLength = 0;
    head.lengthZero = false;
    if (this.#length !== null) {
      // uWS refuses a length beside Transfer-Encoding unless the length is empty, and calls back before it
      // refuses a malformed one: both end here, before the proxy sees the request.
      const length = this.#chunked ? -1 : parseLength(this.#length);
      if (length < 0) return RequestFault.LENGTH;
      if (length === 0) {
        head.lengthZero = true;
      } else {
        head.framing = Framing.LENGTH;
        head.contentLength = length;
      }
    } else if (this.#chunked) {
      head.framing = Framing.CHUNKED;
    }
    return RequestFault.NONE;
  }
}

function isKnownMethod(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'POST':
    case 'PUT':
    case 'HEAD':
    case 'DELETE':
    case 'PATCH':
    case 'OPTIONS':
      return true;
    default:
      return false;
  }
}

/** 1*DIGIT of at most LENGTH_DIGITS_MAX, or -1. */
function parseLength(text: string): number {
  if (text.length === 0 || text.length > LENGTH_DIGITS_MAX) return -1;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char < ZERO || char > NINE) return -1;
    length = length * 10 + (char - ZERO);
  }
  return length;
}

/** Char codes become the bytes that were sent; null when uWS has already lost them. */
function toWireString(text: string): string | null {
  if (Buffer.byteLength(text) === text.length) return text;
  if (text.includes(LOST_BYTES)) return null;
  return Buffer.from(text, 'utf8').toString('latin1');
}
