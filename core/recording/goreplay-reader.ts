/**
 * Files of GoReplay (`--output-file`): payloads between lines of three monkeys, each with a line before it of
 * kind, id and time in nanoseconds. Kind 1 is a request, 2 the response that it got; 3, of a replay, is
 * passed over. Lines may end in CRLF. A body may hold the separator: a payload ends with the first one behind
 * all bytes that its head announces.
 */
import { Char } from '../http/chars.js';
import { fieldValue } from '../http/fields.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import { type RecordedMessage, readRequest, readResponse, type SkippedRecord } from './recorded.js';
import type { Window } from './window.js';

const monkeys = Buffer.from('\n🐵🙈🙉');
const firstLine = /^([123]) ([0-9a-f]{1,64}) (\d{1,20})(?: (-?\d{1,20}))?\r?$/;
const firstLineBytesMax = 256;
const headEnd = Buffer.from('\r\n\r\n');

export function isGoReplay(start: Buffer): boolean {
  const end = start.indexOf(Char.LF);
  return end > 0 && end <= firstLineBytesMax && firstLine.test(latin1Slice(start, 0, end));
}

export function* readGoReplay(window: Window): Generator<RecordedMessage | SkippedRecord> {
  while (window.has(1)) {
    const { offset } = window;
    const end = payloadEnd(window);
    const { bytes } = window;
    if (end === null) {
      // The last one has no line behind it where the file was cut.
      yield payloadOf(bytes, offset) ?? { offset, reason: 'cut off' };
      window.skip(bytes.byteLength);
      const next = window.seek(monkeys) ? separatorAt(window.bytes, 0) : null;
      if (next === null) return;
      window.skip(next.bytes);
      continue;
    }
    const message = payloadOf(bytes.subarray(0, end.at), offset);
    if (message !== null) yield message;
    window.skip(end.at + end.bytes);
  }
}

interface Separator {
  /** The end of the payload before the separator. */
  readonly at: number;
  /** 1 where a CR stands before its first LF. */
  readonly before: number;
  /** Bytes of the separator, with the line ends on both sides. */
  readonly bytes: number;
}

/** The separator behind the payload at which `window` stands, which then holds both; null: there is none. */
function payloadEnd(window: Window): Separator | null {
  let from = 0;
  for (;;) {
    const separator = separatorAt(window.bytes, from);
    if (separator !== null) {
      const mark = separator.at + separator.before;
      const announced = announcedBytes(window.bytes.subarray(0, mark));
      // A CR before the separator is the last byte of a body that is announced to hold it.
      if (announced === mark) return { at: mark, before: 0, bytes: separator.bytes - separator.before };
      if (announced < mark) return separator;
      // The separator is part of the body. A payload that is shorter than announced ends with the file, or as
      // a fault.
      if (announced > limits.recordBytes) return separator;
      from = Math.max(mark + 1, announced - monkeys.byteLength);
      if (!window.has(announced)) return separatorAt(window.bytes, 0);
      continue;
    }
    from = Math.max(from, window.bytes.byteLength - monkeys.byteLength - 3);
    if (!window.more()) return null;
  }
}

function separatorAt(bytes: Buffer, from: number): Separator | null {
  const mark = bytes.indexOf(monkeys, from);
  if (mark < 0) return null;
  let end = mark + monkeys.byteLength;
  if (bytes[end] === Char.CR) end++;
  if (bytes[end] !== Char.LF) return null;
  const before = mark > 0 && bytes[mark - 1] === Char.CR ? 1 : 0;
  return { at: mark - before, before, bytes: end + 1 - mark + before };
}

/** How many bytes a payload has by the Content-Length of its head; 0 where it does not say. */
function announcedBytes(payload: Buffer): number {
  const headStart = payload.indexOf(Char.LF) + 1;
  const end = payload.indexOf(headEnd, headStart);
  if (end < 0) return 0;
  const head = latin1Slice(payload, headStart, Math.min(end, headStart + limits.requestHeadBytesMax));
  const length = fieldValue(head, 'content-length') ?? '';
  return /^\d{1,15}$/.test(length) ? end + headEnd.byteLength + Number(length) : 0;
}

/** Null: of a replay. */
function payloadOf(bytes: Buffer, offset: number): RecordedMessage | SkippedRecord | null {
  const lineEnd = bytes.indexOf(Char.LF);
  const line = lineEnd < 0 || lineEnd > firstLineBytesMax ? '' : latin1Slice(bytes, 0, lineEnd);
  const parts = firstLine.exec(line);
  if (parts === null) return { offset, reason: 'not a payload of GoReplay' };
  const [, kind, id, time, latency] = parts;
  if (kind === '3') return null;
  const block = bytes.subarray(lineEnd + 1);
  const about = { offset, id, concurrentTo: [], timeUs: Number(time) / 1000, route: '', order: '' };
  if (kind === '1') {
    const request = readRequest(block);
    return typeof request === 'string' ? { offset, reason: request } : { ...about, request, response: null };
  }
  const latencyUs = latency === undefined ? -1 : Number(latency) / 1000;
  const response = readResponse(block, false, latencyUs);
  return response === null
    ? { offset, reason: 'not an HTTP response' }
    : { ...about, request: null, response };
}
