/**
 * HTTP Archive 1.2 (HAR), as browsers, mitmproxy and k6 write it, turned into records of WARC. A HAR file is
 * one JSON document, so it can't be read in place: it is converted once, and then read as every other
 * recording is.
 */

import { isoTime, msOfIsoTime } from '../clock.js';
import { asciiLowerCase } from '../http/chars.js';
import { hopByHopFields } from '../http/hop-by-hop.js';
import type { SkippedRecord } from './recorded.js';

interface HarField {
  readonly name: string;
  readonly value: string;
}

interface HarBody {
  readonly mimeType?: string;
  readonly text?: string;
  readonly encoding?: string;
  readonly size?: number;
  readonly params?: readonly { readonly name: string; readonly value?: string }[];
}

interface HarEntry {
  readonly startedDateTime?: string;
  readonly time?: number;
  readonly request?: {
    readonly method?: string;
    readonly url?: string;
    readonly headers?: readonly HarField[];
    readonly postData?: HarBody;
    readonly bodySize?: number;
  };
  readonly response?: {
    readonly status?: number;
    readonly statusText?: string;
    readonly headers?: readonly HarField[];
    readonly content?: HarBody;
  };
  readonly timings?: { readonly send?: number; readonly wait?: number; readonly receive?: number };
}

/** Fields that are written from what the archive says of the message, or that belong to its connection. */
const ownFields = new Set(['host', 'content-length', 'expect', ...hopByHopFields]);
const usPerMs = 1000;

/**
 * One buffer for each entry that can be played, a `request` record and, where there is one, its `response`
 * record; the reason for each other entry, with its number in place of an offset. Throws an Error where
 * `text` is no HAR.
 */
export function* warcOfHar(text: string): Generator<Buffer | SkippedRecord> {
  const entries = entriesOf(text);
  for (const [number, entry] of entries.entries()) {
    const record = recordsOf(entry, number);
    yield typeof record === 'string' ? { offset: number, reason: record } : record;
  }
}

function entriesOf(text: string): readonly HarEntry[] {
  let json: { log?: { entries?: unknown } };
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${(error as Error).message}`);
  }
  const entries = json?.log?.entries;
  if (!Array.isArray(entries)) throw new Error('it is JSON, but no HAR: it has no log.entries');
  return entries as HarEntry[];
}

function recordsOf(entry: HarEntry, number: number): Buffer | string {
  const { method, url: address, headers = [], postData, bodySize = -1 } = entry.request ?? {};
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return 'not a request over HTTP';
  if (typeof method !== 'string') return 'it has no method';
  const body = requestBody(postData);
  if (body === null || (body.byteLength === 0 && bodySize > 0)) return 'its body is not in the file';
  const length = headers.find(({ name }) => asciiLowerCase(name) === 'content-length')?.value;
  // A form that is made from its parameters may be spelled otherwise.
  const isAsSent = postData === undefined || postData.text !== undefined;
  if (isAsSent && length !== undefined && Number(length) !== body.byteLength)
    return `has ${body.byteLength} bytes of a body of ${length}`;
  const atMs = msOfIsoTime(entry.startedDateTime ?? '');
  if (Number.isNaN(atMs)) return 'it has no time';
  const id = `har-${number}`;
  const date = isoTime(atMs);
  const framing =
    body.byteLength > 0 || postData !== undefined ? `Content-Length: ${body.byteLength}\r\n` : '';
  const request = block(
    `${method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${fieldLines(headers)}${framing}`,
    body,
  );
  const pair = `WARC-Concurrent-To: <${id}-response>\r\n`;
  const records = [record('request', `${id}`, date, hasResponse(entry) ? pair : '', request)];
  if (hasResponse(entry)) records.push(responseRecord(entry, id, date));
  return Buffer.concat(records);
}

function hasResponse({ response }: HarEntry): boolean {
  const status = response?.status ?? 0;
  return status >= 100 && status <= 599;
}

function responseRecord({ response, timings, time }: HarEntry, id: string, date: string): Buffer {
  const { status, statusText = '', headers = [], content = {} } = response!;
  const body = content.text === undefined ? Buffer.alloc(0) : bytesOf(content.text, content.encoding);
  // The content is decoded.
  const fields = fieldLines(headers.filter(({ name }) => !/^content-encoding$/i.test(name)));
  const head = `HTTP/1.1 ${status} ${latin1(statusText)}\r\n${fields}Content-Length: ${body.byteLength}\r\n`;
  const isCut = content.text === undefined && (content.size ?? 0) > 0;
  const { send = 0, wait = -1, receive = 0 } = timings ?? {};
  const tookMs = wait < 0 ? (time ?? -1) : Math.max(0, send) + wait + Math.max(0, receive);
  const about =
    (isCut ? 'WARC-Truncated: length\r\n' : '') +
    (tookMs < 0 ? '' : `Umbra-Latency-Us: ${Math.round(tookMs * usPerMs)}\r\n`);
  return record('response', `${id}-response`, date, about, block(head, body));
}

/** Null: there was one, and it is not in the file. */
function requestBody(data: HarBody | undefined): Buffer | null {
  if (data === undefined) return Buffer.alloc(0);
  if (data.text !== undefined) return bytesOf(data.text, data.encoding);
  const { params = [], mimeType = '' } = data;
  if (params.length === 0) return Buffer.alloc(0);
  if (!/^application\/x-www-form-urlencoded/i.test(mimeType)) return null;
  const pairs = params.map(({ name, value = '' }): [string, string] => [name, value]);
  return Buffer.from(new URLSearchParams(pairs).toString());
}

function bytesOf(text: string, encoding: string | undefined): Buffer {
  return Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8');
}

/** Leaves out pseudo-fields of HTTP/2, whose names begin with a colon. */
function fieldLines(headers: readonly HarField[]): string {
  return headers
    .filter(({ name }) => !name.startsWith(':') && !ownFields.has(asciiLowerCase(name)))
    .map(({ name, value }) => `${latin1(name)}: ${latin1(value)}\r\n`)
    .join('');
}

/** What can't stand in a line of a head is left out. */
function latin1(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[\r\n\0]/g, '');
}

function block(head: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]);
}

function record(type: string, id: string, date: string, fields: string, content: Buffer): Buffer {
  const header = `WARC/1.1\r\nWARC-Type: ${type}\r\nWARC-Record-ID: <${id}>\r\nWARC-Date: ${date}\r\n${fields}Content-Type: application/http;msgtype=${type}\r\nContent-Length: ${content.byteLength}\r\n\r\n`;
  return Buffer.concat([Buffer.from(header, 'latin1'), content, Buffer.from('\r\n\r\n')]);
}
