/** Records of WARC files, gzipped by record or plain: the requests and responses among them. */
import { msOfIsoTime } from '../clock.js';
import { checkedTimes } from '../grpc/message-times.js';
import { fieldValue, fieldValues } from '../http/fields.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import { withoutBlanks } from '../trim.js';
import { gzipMark, readMembers } from './members.js';
import { type RecordedMessage, readRequest, readResponse, type SkippedRecord } from './recorded.js';
import { Window } from './window.js';

const recordMark = Buffer.from('WARC/1.');
const headerEnd = Buffer.from('\r\n\r\n');
const lineEndBytes = 2;
const recordEndBytes = 4;
const datePattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** Whether a file begins with a record as it is, also where its first bytes are damaged. */
export function isPlainWarc(start: Buffer): boolean {
  return startsRecord(start) || (start.includes(recordMark) && !start.includes(gzipMark));
}

/** The records of a file of gzip members, each with the offset of its member. */
export function* readPackedWarc(window: Window): Generator<RecordedMessage | SkippedRecord> {
  for (const member of readMembers(window)) {
    if ('reason' in member) yield member;
    else yield* readPlainWarc(Window.over(member.content), member.offset);
  }
}

/** `memberOffset`: of the gzip member that `window` holds, which stands for all records in it. */
export function* readPlainWarc(
  window: Window,
  memberOffset = -1,
): Generator<RecordedMessage | SkippedRecord> {
  while (window.has(1)) {
    const offset = memberOffset < 0 ? window.offset : memberOffset;
    const record = readRecord(window);
    if (typeof record === 'string') {
      yield { offset, reason: record };
      if (!window.seek(recordMark)) return;
      continue;
    }
    const message = messageOf(record.headers, record.block, offset);
    if (message !== null) yield message;
    window.skip(record.bytes);
  }
}

interface RawRecord {
  /** Field lines. */
  readonly headers: string;
  readonly block: Buffer;
  /** Bytes of the whole record. */
  readonly bytes: number;
}

function readRecord(window: Window): RawRecord | string {
  if (!window.has(recordMark.byteLength)) return 'cut off';
  if (!startsRecord(window.bytes)) return 'not a WARC record';
  let end = window.bytes.indexOf(headerEnd);
  while (end < 0) {
    if (window.bytes.byteLength > limits.recordHeaderBytes) return 'its header is too long';
    if (!window.more()) return 'cut off';
    end = window.bytes.indexOf(headerEnd);
  }
  if (end > limits.recordHeaderBytes) return 'its header is too long';
  const headers = headersOf(latin1Slice(window.bytes, 0, end + lineEndBytes));
  const length = fieldValue(headers, 'content-length') ?? '';
  if (!/^\d{1,15}$/.test(length)) return 'it has no Content-Length';
  const blockStart = end + headerEnd.byteLength;
  const bytes = blockStart + Number(length) + recordEndBytes;
  if (bytes > limits.recordBytes) return `larger than ${limits.recordBytes} bytes`;
  if (!window.has(bytes)) return 'cut off';
  const block = window.bytes.subarray(blockStart, bytes - recordEndBytes);
  if (!window.bytes.subarray(bytes - recordEndBytes, bytes).equals(headerEnd))
    return 'damaged: its length is wrong';
  return { headers, block, bytes };
}

/** Leaves out the line that names the format. */
function headersOf(text: string): string {
  return text.slice(text.indexOf('\n') + 1);
}

/** Null: a record of another kind, which is not for us. */
function messageOf(headers: string, block: Buffer, offset: number): RecordedMessage | SkippedRecord | null {
  const type = fieldValue(headers, 'warc-type');
  if (type !== 'request' && type !== 'response') return null;
  if (!/^application\/http\b/i.test(fieldValue(headers, 'content-type') ?? '')) return null;
  const about = {
    offset,
    id: fieldValue(headers, 'warc-record-id') ?? '',
    concurrentTo: valuesOf(headers, 'warc-concurrent-to'),
    timeUs: timeOf(fieldValue(headers, 'warc-date') ?? ''),
    route: fieldValue(headers, 'umbra-route') ?? '',
    order: fieldValue(headers, 'umbra-order') ?? '',
  };
  const truncated = fieldValue(headers, 'warc-truncated') !== null;
  if (type === 'response') {
    const latency = fieldValue(headers, 'umbra-latency-us') ?? '';
    const response = readResponse(block, truncated, /^\d{1,15}$/.test(latency) ? Number(latency) : -1);
    return response === null
      ? { offset, reason: 'not an HTTP response' }
      : { ...about, request: null, response };
  }
  if (truncated) return { offset, reason: 'its body was not recorded' };
  const request = readRequest(block);
  if (typeof request === 'string') return { offset, reason: request };
  const messageTimes = checkedTimes(fieldValue(headers, 'umbra-message-us'));
  return { ...about, request: { ...request, messageTimes }, response: null };
}

/** A field may be repeated, as WARC-Concurrent-To is where an exchange has more than two records. */
function valuesOf(headers: string, lowerName: string): string[] {
  const values = fieldValues(headers, lowerName);
  return values === '' ? [] : values.split(',').map(withoutBlanks);
}

/** The second that was read last: most times are within that of the one before. */
let knownSecond = '';
let knownSecondMs = Number.NaN;

/** Microseconds since 1970 of `2026-01-31T12:00:00.123456Z`; -1: it is none. */
function timeOf(date: string): number {
  const parts = datePattern.exec(date);
  if (parts === null) return -1;
  const [, second, fraction] = parts;
  if (second !== knownSecond) {
    knownSecondMs = msOfIsoTime(`${second}Z`);
    knownSecond = second;
  }
  if (Number.isNaN(knownSecondMs)) return -1;
  return knownSecondMs * 1000 + (fraction === undefined ? 0 : Number(fraction.padEnd(6, '0').slice(0, 6)));
}

function startsRecord(bytes: Buffer): boolean {
  return bytes.subarray(0, recordMark.byteLength).equals(recordMark);
}
