import { Char, equalsIgnoringCase } from '../http/chars.js';
import { Framing } from '../http/message.js';
import type { OutgoingHead } from '../http/request-writer.js';
import type { ResponseHead } from '../http/response-head.js';
import { latin1Write } from '../http/wire.js';
import { limits } from '../limits.js';
import { BLOCK_FRAMING_BYTES_MAX, FIELD_FRAMING_BYTES_MAX, type HpackEncoder } from './hpack-encoder.js';
import type { Line } from './line.js';

/** The shortest field line, `a:CRLF`, which bounds the number of lines in a text. */
const LINE_BYTES_MIN = 4;
/** The most by which a block can be longer than its text, as a factor. */
const GROWTH = Math.ceil(FIELD_FRAMING_BYTES_MAX / LINE_BYTES_MIN) + 1;
/** Room for pseudo-headers and framing fields. */
const OWN_BYTES = 256;

/** Most fields of a block that are looked for where they were in the block before. */
const PLACES = 32;

/** The place of a field in blocks of one kind, and what was there in the last one. */
class Place {
  /** The line of which the field was an index, or null. */
  line: Line | null = null;
  /** The strings of which the line was made; of lines from bytes they are empty. */
  name = '';
  value = '';
}

/** The places of one kind of blocks. */
function places(): readonly Place[] {
  return Array.from({ length: PLACES }, () => new Place());
}

/**
 * `BlockWriter` encodes the heads of core/http as header blocks. Names become lower case, and
 * connection-specific fields (RFC 9113, section 8.2.2) and blanks around values are removed. There is one
 * per thread. A block is in `out` until the next one is written, and must be sent, because it may change the
 * peer's table.
 *
 * Most blocks have the fields of the block before in the same places, whatever the connection. These are
 * compared and not looked up.
 */
export class BlockWriter {
  /** `out[0, length)` is the latest block. */
  out: Buffer = Buffer.allocUnsafeSlow(16 * 1024);
  /** Scratch space for text as bytes. */
  #raw: Buffer = Buffer.allocUnsafeSlow(8 * 1024);
  #used = 0;
  readonly #requests = places();
  readonly #responses = places();
  readonly #others = places();
  /** The places of the current block's kind, and the place of its next field. */
  #places = this.#others;
  #place = 0;

  /** Encodes a request (section 8.3.1). Returns the length of the block, as all methods do. */
  request(encoder: HpackEncoder, head: OutgoingHead, isSecure: boolean): number {
    const { method, target, host, fields, framing, neverIndexed } = head;
    this.#begin(
      encoder,
      method.length + target.length + host.length + fields.length,
      this.#requests,
      neverIndexed,
    );
    this.#pair(encoder, ':method', method);
    this.#pair(encoder, ':scheme', isSecure ? 'https' : 'http');
    this.#pair(encoder, ':path', target);
    if (host !== '') this.#pair(encoder, ':authority', host);
    this.#lines(encoder, fields);
    if (framing === Framing.LENGTH) this.#pair(encoder, 'content-length', String(head.contentLength));
    else if (head.lengthZero) this.#pair(encoder, 'content-length', '0');
    if (head.expectsContinue) this.#pair(encoder, 'expect', '100-continue');
    return encoder.end();
  }

  /** Encodes a forwarded response, interim or final. `more`: whole field lines to add. */
  response(encoder: HpackEncoder, head: ResponseHead, more: string): number {
    const { bytes } = head;
    this.#begin(encoder, head.scanned + more.length, this.#responses, head.neverIndexed);
    this.#pair(encoder, ':status', String(head.status));
    for (let row = 0; row < head.fieldCount; row++) {
      const nameStart = head.nameStart(row);
      const nameEnd = head.nameEnd(row);
      if (!head.isForwarded(row) || isLeftOut(bytes, nameStart, nameEnd)) continue;
      this.#field(encoder, bytes, nameStart, nameEnd, head.valueStart(row), head.valueEnd(row));
    }
    // A response from HTTP/2 may have no Content-Length field: the end of its stream shows its length.
    if (head.hasContentLength && head.lengthRow >= 0)
      this.#pair(encoder, 'content-length', String(head.contentLength));
    this.#lines(encoder, more);
    return encoder.end();
  }

  /** Encodes umbra's own answer. `lines`: whole field lines without framing. */
  answer(encoder: HpackEncoder, status: number, lines: string): number {
    this.#begin(encoder, lines.length, this.#others);
    this.#pair(encoder, ':status', String(status));
    this.#lines(encoder, lines);
    return encoder.end();
  }

  /** Encodes trailers: whole field lines. */
  trailers(encoder: HpackEncoder, lines: string): number {
    this.#begin(encoder, lines.length, this.#others);
    this.#lines(encoder, lines);
    return encoder.end();
  }

  #begin(encoder: HpackEncoder, characters: number, kind: readonly Place[], neverIndexed = ''): void {
    const raw = characters + OWN_BYTES;
    const coded = raw * GROWTH + BLOCK_FRAMING_BYTES_MAX;
    if (this.#raw.length < raw) this.#raw = Buffer.allocUnsafeSlow(raw);
    if (this.out.length < coded) this.out = Buffer.allocUnsafeSlow(coded);
    // Releases the memory that a huge head needed.
    else if (this.out.length > limits.responseHeadBytes * GROWTH * 2 && coded * 2 < this.out.length)
      this.out = Buffer.allocUnsafeSlow(coded);
    this.#used = 0;
    this.#places = kind;
    this.#place = 0;
    encoder.begin(this.out, neverIndexed);
  }

  #pair(encoder: HpackEncoder, name: string, value: string): void {
    const place = this.#next();
    if (place.line !== null && place.name === name && place.value === value && encoder.line(place.line))
      return;
    const start = this.#used;
    const nameEnd = start + name.length;
    const end = nameEnd + value.length;
    latin1Write(this.#raw, name, start);
    latin1Write(this.#raw, value, nameEnd);
    this.#used = end;
    place.line = encoder.field(this.#raw, start, nameEnd, nameEnd, end);
    place.name = name;
    place.value = value;
  }

  #field(
    encoder: HpackEncoder,
    bytes: Buffer,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const place = this.#next();
    const { line } = place;
    if (line?.is(bytes, nameStart, nameEnd, valueStart, valueEnd) && encoder.line(line)) return;
    place.line = encoder.field(bytes, nameStart, nameEnd, valueStart, valueEnd);
    place.name = '';
  }

  #next(): Place {
    return this.#places[this.#place++] ?? new Place();
  }

  /** Encodes lines of the form `name ":" OWS value OWS CRLF`. */
  #lines(encoder: HpackEncoder, lines: string): void {
    const bytes = this.#raw;
    let at = this.#used;
    latin1Write(bytes, lines, at);
    const end = at + lines.length;
    this.#used = end;
    while (at < end) {
      const line = this.#places[this.#place]?.line;
      if (line?.beginsAt(bytes, at, end) && encoder.line(line)) {
        this.#place++;
        at += line.length;
        continue;
      }
      let nameEnd = at;
      while (bytes[nameEnd] !== Char.COLON) nameEnd++;
      let lineEnd = nameEnd;
      while (bytes[lineEnd] !== Char.LF) lineEnd++;
      let valueStart = nameEnd + 1;
      let valueEnd = lineEnd - 1;
      while (valueStart < valueEnd && isBlank(bytes[valueStart]!)) valueStart++;
      while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--;
      if (!isLeftOut(bytes, at, nameEnd) && isTeAllowed(bytes, at, nameEnd, valueStart, valueEnd))
        this.#field(encoder, bytes, at, nameEnd, valueStart, valueEnd);
      at = lineEnd + 1;
    }
  }
}

/** Whether a field is connection-specific. Only names of matching lengths are compared. */
function isLeftOut(bytes: Uint8Array, start: number, end: number): boolean {
  switch (end - start) {
    case 7:
      return equalsIgnoringCase(bytes, start, end, 'upgrade');
    case 10:
      return (
        equalsIgnoringCase(bytes, start, end, 'connection') ||
        equalsIgnoringCase(bytes, start, end, 'keep-alive')
      );
    case 16:
      return equalsIgnoringCase(bytes, start, end, 'proxy-connection');
    case 17:
      return equalsIgnoringCase(bytes, start, end, 'transfer-encoding');
    default:
      return false;
  }
}

/** Whether a field may be sent: TE must be `trailers`. */
function isTeAllowed(
  bytes: Uint8Array,
  start: number,
  nameEnd: number,
  valueStart: number,
  end: number,
): boolean {
  if (!equalsIgnoringCase(bytes, start, nameEnd, 'te')) return true;
  return equalsIgnoringCase(bytes, valueStart, end, 'trailers');
}

function isBlank(byte: number): boolean {
  return byte === Char.SP || byte === Char.HTAB;
}
