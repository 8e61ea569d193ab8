import { chunkStart } from '../../../core/http/request-writer.js';
import { type ResponseHead, Without } from '../../../core/http/response-head.js';
import { limits } from '../../../core/limits.js';
import { dateLine } from '../date-line.js';
import type { UwsResponse } from './binding.js';

const HTAB = 9;
const LF = 10;
const SP = 32;
const COLON = 58;
const CRLF = Buffer.from('\r\n');
/** Ends a chunk and the body; uWS adds the last line end. */
const CHUNKS_END = Buffer.from('\r\n0\r\n');
const NAME_END = Buffer.from(': ');
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

  /** Keeps the final head in `held`. */
  hold(head: ResponseHead, held: HeldHead): void {
    held.keep(this.#afterVersion, head.writeForward(this.#afterVersion, Without.DATE | Without.TRAILER));
  }

  /** Writes the head that `held` has; then it has none. */
  writeHeld(res: UwsResponse, held: HeldHead, statusUsed: boolean): void {
    if (statusUsed) {
      const length = held.copyTo(this.#afterVersion);
      this.#writeAsField(res, VERSION.length + length, 0);
    } else {
      res.writeStatus(held.view());
    }
    held.drop();
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

  /**
   * Writes a whole response, which ends its connection, where uWS expects no more than a status line (or a
   * field, where that is used up) and adds one line end. That line end is the last one of the chunked body,
   * or of a head without a body. `head`: status line and field lines, each with its end. `body` is null where
   * the status has none; `toHead`: it stays here.
   */
  writeWhole(
    res: UwsResponse,
    head: string,
    body: Uint8Array | null,
    toHead: boolean,
    statusUsed: boolean,
  ): void {
    const statusEnd = head.indexOf('\n') + 1;
    const isChunked = !toHead && body !== null && body.length > 0;
    const length = body === null ? '' : `Content-Length: ${body.length}\r\n`;
    const framing = isChunked ? `Transfer-Encoding: chunked\r\n\r\n${chunkStart(body.length)}` : length;
    const fields = `close${dateLine()}\r\n${head.slice(statusEnd)}${framing}`;
    const rest = Buffer.from(fields, 'latin1');
    const value = isChunked ? Buffer.concat([rest, body, CHUNKS_END]) : rest;
    const start = Buffer.from(`${head.slice(0, statusEnd)}Connection`, 'latin1');
    if (statusUsed) res.writeHeader(Buffer.concat([VERSION, start]), value);
    else res.writeStatus(Buffer.concat([start, NAME_END, value]));
  }

  /** The same with the head that `held` has. */
  writeHeldWhole(res: UwsResponse, held: HeldHead, body: Uint8Array, statusUsed: boolean): void {
    this.writeWhole(res, `${Buffer.from(held.view()).toString('latin1')}\r\n`, body, false, statusUsed);
    held.drop();
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

/** The largest memory that a held head leaves to the next one. */
const KEPT_BYTES = 4096;

/** A final head that waits for the first byte of its body. */
export class HeldHead {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  get isHeld(): boolean {
    return this.#length > 0;
  }

  keep(from: Uint8Array, length: number): void {
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(Math.max(length, KEPT_BYTES));
    this.#bytes.set(new Uint8Array(from.buffer, from.byteOffset, length));
    this.#length = length;
  }

  view(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, 0, this.#length);
  }

  copyTo(target: Uint8Array): number {
    target.set(this.view());
    return this.#length;
  }

  drop(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(0);
  }
}
