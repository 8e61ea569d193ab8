/** What a recording says of one exchange, whichever format it is in. */
import { digestBody } from '../compare/digest.js';
import { ChunkedDecoder } from '../http/chunked.js';
import { fieldValue } from '../http/fields.js';
import { listMembers } from '../http/hop-by-hop.js';
import { Framing } from '../http/message.js';
import { RequestFault, requestFaultAnswers } from '../http/request-fault.js';
import { RequestHeadScanner, Scan } from '../http/request-head-scanner.js';
import { ResponseFault } from '../http/response-fault.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Field lines without Host and framing, a wire string. */
  readonly fields: string;
  readonly framing: Framing;
  readonly lengthZero: boolean;
  readonly body: Buffer;
  readonly trailers: string;
}

export interface RecordedResponse {
  readonly status: number;
  /** Length of the body without framing. */
  readonly bytes: number;
  /** Null: it is not known. */
  readonly digest: number | null;
  /** The body is not all that was sent. */
  readonly truncated: boolean;
  /** -1: not recorded. */
  readonly latencyUs: number;
}

/** A message with what the recording says about it. */
export interface RecordedMessage {
  readonly offset: number;
  /** Its name within its recording; a request and its response may share it. */
  readonly id: string;
  /** The name of the other one of its exchange; empty where only the other one says it. */
  readonly concurrentTo: string;
  /** Wall clock; -1 where the recording does not say. */
  readonly timeUs: number;
  readonly route: string;
  /** The key of the mirror's `order`, in hexadecimal; empty: none was recorded. */
  readonly order: string;
  readonly request: RecordedRequest | null;
  readonly response: RecordedResponse | null;
}

/** A record that can't be used, and why. */
export interface Skipped {
  readonly offset: number;
  readonly reason: string;
}

const scanner = new RequestHeadScanner();

/**
 * A request as it stands in a recording, strictly: what is skipped could be read in two ways or is not whole.
 */
export function readRequest(block: Buffer): RecordedRequest | string {
  if (scanner.scan(block, 0, block.byteLength, limits.requestHeadBytesMax) !== Scan.DONE) {
    const why =
      scanner.fault === RequestFault.NONE ? 'its head is cut off' : requestFaultAnswers[scanner.fault].code;
    return `not a request that can be sent: ${why}`;
  }
  const { head, length } = scanner;
  // Offers of other protocols are ordinary requests.
  if (listMembers(head.upgrade).has('websocket')) return 'asks for another protocol';
  if (head.method === 'CONNECT') return 'asks for a tunnel';
  const rest = block.subarray(length);
  if (head.framing === Framing.NONE && rest.byteLength > 0) return 'has a body without a length';
  if (head.framing === Framing.LENGTH && rest.byteLength !== head.contentLength)
    return `has ${rest.byteLength} bytes of a body of ${head.contentLength}`;
  const decoded =
    head.framing === Framing.CHUNKED ? unchunked(rest) : { body: Buffer.from(rest), trailers: '' };
  if (decoded === null) return 'its chunked body is damaged or cut off';
  const { method, target, host, fields, framing, lengthZero } = head;
  return { method, target, host, fields, framing, lengthZero, ...decoded };
}

/** The status and the body of a response; null: it is none. */
export function readResponse(block: Buffer, truncated: boolean, latencyUs: number): RecordedResponse | null {
  const headEnd = block.indexOf('\r\n\r\n');
  const head = latin1Slice(block, 0, Math.max(0, Math.min(headEnd, limits.responseHeadBytes)));
  const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |\r|$)/.exec(head);
  if (status === null) return null;
  const rest = block.subarray(headEnd + 4);
  const fields = `${head.slice(head.indexOf('\n') + 1)}\r\n`;
  const chunked = fieldValue(fields, 'transfer-encoding')?.toLowerCase() === 'chunked';
  const body = chunked ? (unchunked(rest)?.body ?? null) : rest;
  return {
    status: Number(status[1]),
    bytes: body?.byteLength ?? 0,
    digest: body === null ? 0 : digestBody(body, 0),
    truncated: truncated || body === null,
    latencyUs,
  };
}

function unchunked(bytes: Buffer): { body: Buffer; trailers: string } | null {
  const decoder = new ChunkedDecoder();
  const pieces: Uint8Array[] = [];
  const end = decoder.feed(bytes, 0, bytes.byteLength, {
    onBody: (piece) => void pieces.push(Buffer.from(piece)),
  });
  if (!decoder.done || decoder.fault !== ResponseFault.NONE || end !== bytes.byteLength) return null;
  return { body: Buffer.concat(pieces), trailers: decoder.trailers };
}
