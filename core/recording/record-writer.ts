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
import type { Redactor } from './redactor.js';

const SLASH = 0x2f;
const recordEnd = '\r\n\r\n';
const scratchBytes = 64 * 1024;
/** Stands in a URI where a client of HTTP/1.0 named no host. */
const noHost = 'unknown.invalid';

/** A body as it is recorded: one that came, or what redaction made of it. */
interface Content {
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  readonly changed?: boolean;
  readonly withheld?: boolean;
}

export class RecordWriter {
  readonly #redactor: Redactor;
  readonly #ids: RecordIds;
  /** Reused by each record. */
  #scratch = Buffer.allocUnsafeSlow(scratchBytes);
  /** Of the record that was made last. */
  #blockStart = 0;

  constructor(redactor: Redactor, ids: RecordIds) {
    this.#redactor = redactor;
    this.#ids = ids;
  }

  /** Hands each record of `copy` to `take` as a view that the next one overwrites. `date`: of `Dates`. */
  write(copy: Copy, date: string, take: (record: Uint8Array) => void): void {
    const redactor = this.#redactor;
    const requestId = this.#ids.next();
    const responseId = copy.response === null ? '' : this.#ids.next();
    // What is not told to be harmless by its bytes alone is written once more, without what has to be hidden.
    let target = maySpellNamesOtherwise(copy.target) ? redactor.target(copy.target) : copy.target;
    let shared = sharedHeaders(copy, target, date);
    let record = this.#request(copy, target, requestId, responseId, shared, copy.fields, copy.trailers, copy);
    if (!redactor.isHarmless(record, this.#blockStart, record.byteLength)) {
      target = redactor.target(copy.target);
      shared = sharedHeaders(copy, target, date);
      const safe = redactor.message(copy.fields, copy.body, copy.bodyBytes);
      const trailers = redactor.message(copy.trailers, [], 0).fields;
      record = this.#request(copy, target, requestId, responseId, shared, safe.fields, trailers, safe);
    }
    take(record);
    if (copy.response !== null)
      take(this.#safeResponse(copy.response, copy.method, requestId, responseId, shared));
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
    fields: string,
    trailers: string,
    content: Content,
  ): Uint8Array {
    const { body, bodyBytes } = content;
    const framing = content.changed === true ? Framing.LENGTH : copy.framing;
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
    const cut = content.withheld === true ? 'WARC-Truncated: unspecified\r\n' : '';
    const start = `WARC/1.1\r\nWARC-Type: request\r\nWARC-Record-ID: <urn:uuid:${id}>\r\n${shared}${concurrent}${cut}Content-Type: application/http;msgtype=request\r\n`;
    return this.#record(
      start,
      chunked && bodyBytes > 0 ? head + chunkStart(bodyBytes) : head,
      body,
      bodyBytes,
      chunked ? (bodyBytes > 0 ? CHUNK_END : '') + lastChunk(trailers) : '',
    );
  }

  #safeResponse(
    response: CopiedResponse,
    method: string,
    requestId: string,
    id: string,
    shared: string,
  ): Uint8Array {
    const head = response.head.endsWith('\r\n') ? response.head : `${response.head}\r\n`;
    const statusEnd = head.indexOf('\r\n') + 2;
    const status = head.slice(0, statusEnd);
    const fields = head.slice(statusEnd);
    const record = this.#response(response, method, requestId, id, shared, status, fields, response);
    if (this.#redactor.isHarmless(record, this.#blockStart, record.byteLength)) return record;
    const safe = this.#redactor.message(fields, response.body, response.bodyBytes);
    return this.#response(response, method, requestId, id, shared, status, safe.fields, safe);
  }

  #response(
    response: CopiedResponse,
    method: string,
    requestId: string,
    id: string,
    shared: string,
    status: string,
    fields: string,
    content: Content,
  ): Uint8Array {
    const { body, bodyBytes } = content;
    const bodyless = method === 'HEAD' || response.status === 204 || response.status === 304;
    const framing = bodyless ? '' : `Content-Length: ${bodyBytes}\r\n`;
    const cut = response.truncated ? 'length' : 'unspecified';
    const truncated = response.truncated || content.withheld === true ? `WARC-Truncated: ${cut}\r\n` : '';
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
    this.#blockStart = before.length - head.length;
    let at = before.length;
    for (const piece of body) {
      scratch.set(piece, at);
      at += piece.byteLength;
    }
    latin1Write(scratch, tail + recordEnd, at);
    return scratch.subarray(0, bytes);
  }
}

function sharedHeaders({ host, route }: Copy, target: string, date: string): string {
  return `WARC-Date: ${date}\r\nWARC-Target-URI: ${uriOf(host, target)}\r\nUmbra-Route: ${route}\r\n`;
}

/** By percent-encoding, or as user information. */
function maySpellNamesOtherwise(target: string): boolean {
  return target.includes('%') || target.includes('@');
}

/** A target in absolute form is a URI already. */
function uriOf(host: string, target: string): string {
  if (target.charCodeAt(0) !== SLASH && /^https?:\/\//i.test(target)) return target;
  return `http://${host === '' ? noHost : host}${target === '*' ? '' : target}`;
}
