/**
 * Copies as records of WARC/1.1 (ISO 28500:2017): one `request` record, and a `response` record where the primary's response
 * was asked for, each of which names the other (`WARC-Concurrent-To`). The block is the HTTP message: head and body, framed
 * by what was understood, so a chunked body is one chunk. `WARC-Date` is when the request came, in microseconds.
 *
 * Two fields are umbra's own, as section 5.1 of the standard allows: `Umbra-Route`, and on responses `Umbra-Latency-Us`, the
 * time from the first byte sent to the primary to the last one received.
 */
import { Framing } from '../http/message.js';
import { CHUNK_END, chunkStart, lastChunk, writeRequestHead } from '../http/request-writer.js';
import { latin1Write } from '../http/wire.js';
import type { CopiedResponse, Copy } from '../sink/sink.js';
import type { RecordIds } from './record-ids.js';
import type { RedactedMessage, Redactor } from './redactor.js';

const recordEnd = '\r\n\r\n';
const scratchBytes = 64 * 1024;
/** Stands in a URI where a client of HTTP/1.0 named no host. */
const noHost = 'unknown.invalid';

export class RecordWriter {
  readonly #redactor: Redactor;
  readonly #ids: RecordIds;
  /** Reused by each record. */
  #scratch = Buffer.allocUnsafeSlow(scratchBytes);

  constructor(redactor: Redactor, ids: RecordIds) {
    this.#redactor = redactor;
    this.#ids = ids;
  }

  /** Hands each record of `copy` to `take` as a view that the next one overwrites. `date`: of `dateText`. */
  write(copy: Copy, date: string, take: (record: Uint8Array) => void): void {
    const target = this.#redactor.target(copy.target);
    const requestId = this.#ids.next();
    const responseId = copy.response === null ? '' : this.#ids.next();
    const shared = `WARC-Date: ${date}\r\nWARC-Target-URI: ${uriOf(copy.host, target)}\r\nUmbra-Route: ${copy.route}\r\n`;
    const message = this.#redactor.message(copy.fields, copy.body, copy.bodyBytes);
    take(this.#request(copy, target, requestId, responseId, shared, message));
    if (copy.response !== null)
      take(this.#response(copy.response, copy.method, requestId, responseId, shared));
  }

  info(software: string, id: string, date: string, file: string): Uint8Array {
    const block = `software: ${software}\r\nformat: WARC File Format 1.1\r\nconformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n`;
    const start = `WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:${id}>\r\nWARC-Date: ${date}\r\nWARC-Filename: ${file}\r\nContent-Type: application/warc-fields\r\n`;
    return this.#record(start, block, [], 0, '');
  }

  #request(
    copy: Copy,
    target: string,
    id: string,
    responseId: string,
    shared: string,
    { fields, body, bodyBytes, changed, withheld }: RedactedMessage,
  ): Uint8Array {
    const framing = changed ? Framing.LENGTH : copy.framing;
    const head = writeRequestHead(
      copy.method,
      target,
      copy.host,
      fields,
      framing,
      bodyBytes,
      copy.lengthZero,
    );
    const chunked = framing === Framing.CHUNKED;
    const concurrent = responseId === '' ? '' : `WARC-Concurrent-To: <urn:uuid:${responseId}>\r\n`;
    const cut = withheld ? 'WARC-Truncated: unspecified\r\n' : '';
    const start = `WARC/1.1\r\nWARC-Type: request\r\nWARC-Record-ID: <urn:uuid:${id}>\r\n${shared}${concurrent}${cut}Content-Type: application/http;msgtype=request\r\n`;
    const trailers = chunked ? this.#redactor.message(copy.trailers, [], 0).fields : '';
    return this.#record(
      start,
      chunked && bodyBytes > 0 ? head + chunkStart(bodyBytes) : head,
      body,
      bodyBytes,
      chunked ? (bodyBytes > 0 ? CHUNK_END : '') + lastChunk(trailers) : '',
    );
  }

  #response(
    response: CopiedResponse,
    method: string,
    requestId: string,
    id: string,
    shared: string,
  ): Uint8Array {
    const head = response.head.endsWith('\r\n') ? response.head : `${response.head}\r\n`;
    const lines = head.indexOf('\r\n') + 2;
    const message = this.#redactor.message(head.slice(lines), response.body, response.bodyBytes);
    const { fields, body, bodyBytes, withheld } = message;
    const status = head.slice(0, lines);
    const bodyless = method === 'HEAD' || response.status === 204 || response.status === 304;
    const framing = bodyless ? '' : `Content-Length: ${bodyBytes}\r\n`;
    const cut = response.truncated ? 'length' : 'unspecified';
    const truncated = response.truncated || withheld ? `WARC-Truncated: ${cut}\r\n` : '';
    const start = `WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:${id}>\r\n${shared}WARC-Concurrent-To: <urn:uuid:${requestId}>\r\n${truncated}Umbra-Latency-Us: ${Math.round(response.latencyUs)}\r\nContent-Type: application/http;msgtype=response\r\n`;
    return this.#record(start, `HTTP/1.1 ${status}${fields}${framing}\r\n`, body, bodyBytes, '');
  }

  #record(
    start: string,
    head: string,
    body: readonly Uint8Array[],
    bodyBytes: number,
    tail: string,
  ): Uint8Array {
    const blockBytes = head.length + bodyBytes + tail.length;
    const before = `${start}Content-Length: ${blockBytes}\r\n\r\n${head}`;
    const bytes = before.length + bodyBytes + tail.length + recordEnd.length;
    if (bytes > this.#scratch.byteLength) this.#scratch = Buffer.allocUnsafeSlow(2 * bytes);
    const scratch = this.#scratch;
    latin1Write(scratch, before, 0);
    let at = before.length;
    for (const piece of body) {
      scratch.set(piece, at);
      at += piece.byteLength;
    }
    latin1Write(scratch, tail + recordEnd, at);
    return scratch.subarray(0, bytes);
  }
}

/** A target in absolute form is a URI already. */
function uriOf(host: string, target: string): string {
  if (/^https?:\/\//i.test(target)) return target;
  return `http://${host === '' ? noHost : host}${target === '*' ? '' : target}`;
}
