/**
 * Copies as records of WARC/1.1 (ISO 28500:2017): one `request` record, and a `response` record where the
 * primary's response was asked for, each of which names the other (`WARC-Concurrent-To`). The block is the
 * HTTP message: head and body, framed by what was understood, so a chunked body is one chunk. `WARC-Date` is
 * when the request came, in microseconds.
 *
 * `WARC-Protocol: h2`, of the extension of that name, says that the client used HTTP/2: the block is HTTP/1.1
 * all the same, and trailers stand behind the last chunk.
 *
 * Four fields are umbra's own, as section 5.1 of the standard allows: `Umbra-Route`; on requests of a mirror
 * with an `order`, `Umbra-Order`, a hash of the key in hexadecimal; on responses `Umbra-Latency-Us`, the time
 * from the first byte sent to the primary to the last one received; and on both sides of a gRPC call
 * `Umbra-Message-Us`, the times of its messages (core/grpc/message-times).
 */
import { Char } from '../http/chars.js';
import { latin1Write } from '../http/wire.js';
import type { Copy } from '../sink/sink.js';
import { blockBytes, type HttpBlock, requestBlock, responseBlock, writeBlock } from './http-block.js';
import type { RecordIds } from './record-ids.js';
import type { Redactor } from './redactor.js';
import {
  hides,
  type ShownRequest,
  type ShownResponse,
  safeRequest,
  safeResponse,
  wholeRequest,
  wholeResponse,
} from './shown.js';

const recordEnd = '\r\n\r\n';
const scratchBytes = 64 * 1024;
/** Stands in a URI where a client of HTTP/1.0 named no host. */
const noHost = 'unknown.invalid';

/** The ids of the records of one exchange. */
interface RecordNames {
  readonly request: string;
  /** Empty: there is none. */
  readonly response: string;
}

export class RecordWriter {
  readonly #redactor: Redactor;
  readonly #ids: RecordIds;
  /** Reused by each record. */
  #scratch = Buffer.allocUnsafeSlow(scratchBytes);
  /** Where the block of the latest record begins. */
  #blockStart = 0;

  constructor(redactor: Redactor, ids: RecordIds) {
    this.#redactor = redactor;
    this.#ids = ids;
  }

  /** Hands each record of `copy` to `take` as a view that the next one overwrites. `date`: of `Dates`. */
  write(copy: Copy, date: string, take: (record: Uint8Array) => void): void {
    const redactor = this.#redactor;
    const names = { request: this.#ids.next(), response: copy.response === null ? '' : this.#ids.next() };
    // A record that the pre-filter does not pass is written once more, without what has to be hidden.
    let shown = wholeRequest(copy);
    let shared = sharedHeaders(copy, shown.target, date);
    let isRedacted = false;
    let record = this.#request(copy, shown, names, shared);
    if (!this.#isHarmless(record)) {
      const safe = safeRequest(copy, redactor);
      isRedacted = hides(shown, safe);
      shown = safe;
      shared = sharedHeaders(copy, shown.target, date);
      record = this.#request(copy, shown, names, shared);
    }
    take(record);
    if (copy.response !== null) {
      let response = wholeResponse(copy.response);
      record = this.#response(copy, response, names, shared);
      if (!this.#isHarmless(record)) {
        const safe = safeResponse(response, redactor);
        isRedacted ||= hides(response, safe);
        response = safe;
        record = this.#response(copy, response, names, shared);
      }
      take(record);
    }
    if (isRedacted) copy.redacted();
  }

  info(software: string, id: string, date: string, file: string): Uint8Array {
    const block = `software: ${software}\r\nformat: WARC File Format 1.1\r\nconformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n`;
    const start = `WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:${id}>\r\nWARC-Date: ${date}\r\nWARC-Filename: ${file}\r\nContent-Type: application/warc-fields\r\n`;
    return this.#record(start, { head: block, body: [], bodyBytes: 0, tail: '' });
  }

  #isHarmless(record: Uint8Array): boolean {
    return this.#redactor.isHarmless(record, this.#blockStart, record.byteLength);
  }

  #request(copy: Copy, shown: ShownRequest, names: RecordNames, shared: string): Uint8Array {
    const concurrent = names.response === '' ? '' : `WARC-Concurrent-To: <urn:uuid:${names.response}>\r\n`;
    const cut = shown.content.withheld === true ? 'WARC-Truncated: unspecified\r\n' : '';
    const order = copy.orderKey === 0 ? '' : `Umbra-Order: ${copy.orderKey.toString(16)}\r\n`;
    const start = `WARC/1.1\r\nWARC-Type: request\r\nWARC-Record-ID: <urn:uuid:${names.request}>\r\n${shared}${order}${concurrent}${cut}${timesLine(copy.messageTimes)}Content-Type: application/http;msgtype=request\r\n`;
    return this.#record(start, requestBlock(copy, shown));
  }

  #response(copy: Copy, shown: ShownResponse, names: RecordNames, shared: string): Uint8Array {
    const response = copy.response!;
    const cut = response.truncated ? 'length' : 'unspecified';
    const truncated =
      response.truncated || shown.content.withheld === true ? `WARC-Truncated: ${cut}\r\n` : '';
    const start = `WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:${names.response}>\r\n${shared}WARC-Concurrent-To: <urn:uuid:${names.request}>\r\n${truncated}Umbra-Latency-Us: ${Math.round(response.latencyUs)}\r\n${timesLine(response.messageTimes)}Content-Type: application/http;msgtype=response\r\n`;
    return this.#record(start, responseBlock(response, shown, copy.method));
  }

  #record(start: string, block: HttpBlock): Uint8Array {
    const header = `${start}Content-Length: ${blockBytes(block)}\r\n\r\n`;
    const bytes = header.length + blockBytes(block) + recordEnd.length;
    if (bytes > this.#scratch.byteLength) this.#scratch = Buffer.allocUnsafeSlow(2 * bytes);
    const scratch = this.#scratch;
    latin1Write(scratch, header, 0);
    this.#blockStart = header.length;
    const end = writeBlock(block, scratch, header.length);
    latin1Write(scratch, recordEnd, end);
    return scratch.subarray(0, bytes);
  }
}

function sharedHeaders({ host, route, http2 }: Copy, target: string, date: string): string {
  const protocol = http2 ? 'WARC-Protocol: h2\r\n' : '';
  return `WARC-Date: ${date}\r\nWARC-Target-URI: ${uriOf(host, target)}\r\n${protocol}Umbra-Route: ${route}\r\n`;
}

function timesLine(times: string): string {
  return times === '' ? '' : `Umbra-Message-Us: ${times}\r\n`;
}

/** A target in absolute form is a URI already. */
function uriOf(host: string, target: string): string {
  if (target.charCodeAt(0) !== Char.SLASH && /^https?:\/\//i.test(target)) return target;
  return `http://${host === '' ? noHost : host}${target === '*' ? '' : target}`;
}
