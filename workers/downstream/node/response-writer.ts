import { STATUS_CODES } from 'node:http';
import { Framing } from '../../../core/http/message.js';
import { CHUNK_END, chunkStart, lastChunk } from '../../../core/http/request-writer.js';
import { type ResponseHead, Without } from '../../../core/http/response-head.js';
import { limits } from '../../../core/limits.js';
import { dateLine } from '../date-line.js';
import { hasNoBody } from '../downstream.js';
import type { Output } from './output.js';

/** How a response's connection continues, as its head must say it (RFC 9112, section 9.3). */
export const Persistence = {
  /** HTTP/1.1 keeps the connection without a word. */
  KEEP: '',
  /** HTTP/1.0 keeps it only where the head says so. */
  KEEP_SAID: '\r\nConnection: keep-alive',
  CLOSE: '\r\nConnection: close',
} as const;
export type Persistence = (typeof Persistence)[keyof typeof Persistence];

const VERSION = 'HTTP/1.1 ';
/** Readers take chunk sizes of at least 16 digits; ours have at most eight. */
const ZEROS = '00000000';
const END = '\r\n\r\n';

/**
 * Writes one response of HTTP/1.1 into the thread's output: the head as it came with our own framing, then
 * the body in that framing. To HTTP/1.0 a body of unknown length ends with the connection.
 */
export class ResponseWriter {
  /** Lines that are sent with the end of a chunked body: whole field lines. */
  trailers = '';
  readonly #output: Output;
  #framing: Framing = Framing.NONE;
  #owed = 0;
  /** Bytes that were sent ahead of the next head or chunk. */
  #ahead = 0;
  #aheadOfHead = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** A response begins. */
  begin(): void {
    this.#ahead = 0;
  }

  /**
   * Sends one byte ahead: of the version before a head, and before a chunk a zero, which its size may begin
   * with (RFC 9112, section 7.1). False: no more bytes are certain.
   */
  probe(headSent: boolean): boolean {
    if (headSent && this.#framing !== Framing.CHUNKED) return false;
    const bytes = headSent ? ZEROS : VERSION;
    if (this.#ahead === bytes.length) return false;
    this.#output.text(bytes.charAt(this.#ahead));
    this.#ahead++;
    return true;
  }

  /** The body's end can only be shown by closing the connection. */
  get endsWithConnection(): boolean {
    return this.#framing === Framing.CLOSE;
  }

  /** Bytes of a body whose length was announced are still to come. */
  get isShort(): boolean {
    return this.#owed > 0;
  }

  interim(head: ResponseHead): void {
    this.#forward(head);
    this.#output.text(END);
  }

  /**
   * A 101: what it switches to is written again, as the field is hop-by-hop. `asked` is what the request
   * named.
   */
  switching(head: ResponseHead, asked: string): void {
    this.#forward(head);
    const upgrade = head.fieldValue('upgrade') ?? asked;
    this.#output.text(`\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}${END}`);
  }

  /** The head was taken back before it left. */
  recalled(): void {
    this.#ahead = this.#aheadOfHead;
  }

  /** Returns whether `persistence` can hold: what ends with the connection can't keep it. */
  head(head: ResponseHead, http10: boolean, persistence: Persistence): boolean {
    this.#aheadOfHead = this.#ahead;
    const unknownLength = head.framing === Framing.CHUNKED || head.framing === Framing.CLOSE;
    this.#framing = unknownLength ? (http10 ? Framing.CLOSE : Framing.CHUNKED) : head.framing;
    if (head.bodyless) this.#framing = Framing.NONE;
    this.#owed = this.#framing === Framing.LENGTH ? head.contentLength : 0;
    this.trailers = '';
    const ends = this.#framing === Framing.CLOSE;
    // HTTP/1.0 has no trailers.
    this.#forward(head, http10 ? Without.TRAILER : Without.NOTHING);
    const length = head.hasContentLength ? `\r\nContent-Length: ${head.contentLength}` : '';
    const chunked = this.#framing === Framing.CHUNKED ? '\r\nTransfer-Encoding: chunked' : '';
    const date = head.hasDate ? '' : dateLine();
    this.#output.text(length + chunked + date + (ends ? Persistence.CLOSE : persistence) + END);
    return !ends;
  }

  /** False: longer than announced, and not written. */
  body(bytes: Uint8Array): boolean {
    switch (this.#framing) {
      case Framing.LENGTH:
        if (bytes.length > this.#owed) return false;
        this.#owed -= bytes.length;
        this.#output.bytes(bytes);
        return true;
      case Framing.CHUNKED:
        this.#ahead = 0;
        this.#output.text(chunkStart(bytes.length));
        this.#output.bytes(bytes);
        this.#output.text(CHUNK_END);
        return true;
      case Framing.CLOSE:
        this.#output.bytes(bytes);
        return true;
      default:
        return true;
    }
  }

  end(): void {
    if (this.#framing === Framing.CHUNKED) this.#output.text(lastChunk(this.trailers));
  }

  /** An answer of umbra's own, whole. `toHead`: its body stays here. */
  answer(status: number, body: string, lines: string, toHead: boolean, persistence: Persistence): void {
    this.#framing = Framing.NONE;
    this.#owed = 0;
    const length = hasNoBody(status) ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const head = `${this.#version()}${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}${length}`;
    // The last line's end is the beginning of what follows.
    this.#output.text(head.slice(0, -2) + dateLine() + persistence + END);
    if (!toHead && !hasNoBody(status)) this.#output.bytes(Buffer.from(body));
  }

  /** What is still to be sent of it. */
  #version(): string {
    const rest = this.#ahead === 0 ? VERSION : VERSION.slice(this.#ahead);
    this.#ahead = 0;
    return rest;
  }

  #forward(head: ResponseHead, without: number = Without.NOTHING): void {
    const output = this.#output;
    output.text(this.#version());
    output.reserve(limits.responseHeadBytes);
    output.wrote(head.writeForward(output.memory, without, output.end));
  }
}
