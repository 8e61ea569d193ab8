import { type ResponseHead, Without } from '../../../core/http/response-head.js';
import { limits } from '../../../core/limits.js';
import type { UwsResponse } from './binding.js';

const HTAB = 9;
const LF = 10;
const SP = 32;
const COLON = 58;
const CRLF = Buffer.from('\r\n');
const VERSION = Buffer.from('HTTP/1.1 ');
/** A field for a head without any where one is needed: it says what is so anyway. */
const HARMLESS_FIELD = Buffer.from('\r\nConnection: keep-alive');

/**
 * Writes whole heads as one buffer each, which uWS allows because it validates nothing; `ResponseHead` has.
 * One per thread: uWS copies the bytes before a call returns.
 *
 * uWS writes one status line a response. After an interim response it is used up, and the next head has to go
 * through `writeHeader`, which puts `: ` between its two arguments: the head is cut at its last field's
 * colon.
 */
export class HeadWriter {
  readonly #out = Buffer.allocUnsafeSlow(
    VERSION.length + limits.responseHeadBytes + HARMLESS_FIELD.length + CRLF.length,
  );
  /** Where a head begins that uWS puts `HTTP/1.1 ` before. */
  readonly #afterVersion = this.#out.subarray(VERSION.length);

  constructor() {
    VERSION.copy(this.#out);
  }

  writeFinal(res: UwsResponse, head: ResponseHead, statusUsed: boolean): void {
    const bytes = head.writeForward(this.#afterVersion, Without.DATE | Without.TRAILER);
    if (statusUsed) this.#writeAsField(res, VERSION.length + bytes, 0);
    else res.writeStatus(this.#view(VERSION.length, VERSION.length + bytes));
  }

  /** The caller remembers that the status line is used from now on. */
  writeInterim(res: UwsResponse, head: ResponseHead, statusUsed: boolean): void {
    const end = VERSION.length + head.writeForward(this.#afterVersion, Without.NOTHING);
    if (statusUsed) {
      this.#writeAsField(res, end, CRLF.length);
    } else {
      CRLF.copy(this.#out, end);
      res.writeStatus(this.#view(VERSION.length, end + CRLF.length));
    }
  }

  /**
   * The head of an answer of our own; the caller ends the response. `lines` are at most
   * `limits.responseHeadBytes`.
   */
  writeAnswer(res: UwsResponse, statusLine: string, lines: string, statusUsed: boolean): void {
    // uWS ends the last line.
    const head = `${statusLine}\r\n${lines}`.slice(0, -CRLF.length);
    const end = VERSION.length + this.#afterVersion.write(head, 'latin1');
    if (statusUsed) this.#writeAsField(res, end, 0);
    else res.writeStatus(this.#view(VERSION.length, end));
  }

  writeClose(res: UwsResponse): void {
    res.writeHeader('Connection', 'close');
  }

  /** Writes the bytes up to `end`, CRLF, and `blankBytes` (0 or 2) more of CRLF. */
  #writeAsField(res: UwsResponse, end: number, blankBytes: number): void {
    const out = this.#out;
    let line = out.lastIndexOf(LF, end - 1) + 1;
    if (line === 0) {
      line = end + CRLF.length;
      end += HARMLESS_FIELD.copy(out, end);
    }
    end += CRLF.copy(out, end, 0, blankBytes);
    const colon = out.indexOf(COLON, line);
    let value = colon + 1;
    // An empty value: behind `end` lies what another head left.
    while (value < end && (out[value] === SP || out[value] === HTAB)) value++;
    res.writeHeader(this.#view(0, colon), this.#view(value, end));
  }

  /** A plain view: a Buffer's costs several times as much to make. */
  #view(start: number, end: number): Uint8Array {
    return new Uint8Array(this.#out.buffer, start, end - start);
  }
}
