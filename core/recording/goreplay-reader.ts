/**
 * Files of GoReplay (`--output-file`): payloads between lines of three monkeys, each with a line before it of
 * kind, id and time in nanoseconds. Kind 1 is a request, 2 the response that it got; 3, of a replay, is
 * passed over.
 */
import { latin1Slice } from '../http/wire.js';
import { type RecordedMessage, readRequest, readResponse, type Skipped } from './recorded.js';
import type { Window } from './window.js';

const separator = Buffer.from('\n🐵🙈🙉\n');
const firstLine = /^([123]) ([0-9a-f]{1,64}) (\d{1,20})(?: (-?\d{1,20}))?\r?$/;
const firstLineBytesMax = 256;

export function isGoReplay(start: Buffer): boolean {
  const end = start.indexOf(0x0a);
  return end > 0 && end <= firstLineBytesMax && firstLine.test(latin1Slice(start, 0, end));
}

export function* readGoReplay(window: Window): Generator<RecordedMessage | Skipped> {
  while (window.has(1)) {
    const { offset } = window;
    let end = window.bytes.indexOf(separator);
    let searched = 0;
    while (end < 0) {
      searched = Math.max(0, window.bytes.byteLength - separator.byteLength);
      if (!window.more()) break;
      end = window.bytes.indexOf(separator, searched);
    }
    if (end < 0) {
      const rest = window.bytes.byteLength;
      // The last one has no line behind it where the file was cut.
      yield payloadOf(window.bytes, offset) ?? { offset, reason: 'cut off' };
      window.skip(rest);
      if (!window.seek(separator)) return;
      window.skip(separator.byteLength);
      continue;
    }
    const message = payloadOf(window.bytes.subarray(0, end), offset);
    if (message !== null) yield message;
    window.skip(end + separator.byteLength);
  }
}

/** Null: of a replay. */
function payloadOf(bytes: Buffer, offset: number): RecordedMessage | Skipped | null {
  const lineEnd = bytes.indexOf(0x0a);
  const line = lineEnd < 0 || lineEnd > firstLineBytesMax ? '' : latin1Slice(bytes, 0, lineEnd);
  const parts = firstLine.exec(line);
  if (parts === null) return { offset, reason: 'not a payload of GoReplay' };
  const [, kind, id, time, latency] = parts;
  if (kind === '3') return null;
  const block = bytes.subarray(lineEnd + 1);
  const about = { offset, id, concurrentTo: '', timeUs: Number(time) / 1000, route: '', order: '' };
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
