/**
 * A copy, and the primary's response to it, as HTTP/1.1 messages: what a record of a recording and a message
 * of a stream hold.
 */
import { Framing } from '../http/message.js';
import { CHUNK_END, chunkStart, lastChunk, writeRequestHead } from '../http/request-writer.js';
import { latin1Write } from '../http/wire.js';
import type { CopiedResponse, Copy } from '../sink/sink.js';
import type { Content, ShownRequest, ShownResponse } from './shown.js';

/** One message in three parts; `head` and `tail` are wire strings. */
export interface HttpBlock {
  readonly head: string;
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  readonly tail: string;
}

/**
 * Framed by what was understood, so a chunked body is one chunk; a body that redaction changed has a length.
 */
export function requestBlock(
  { method, host, lengthZero, framing: asItCame }: Copy,
  { target, fields, trailers, content }: ShownRequest,
): HttpBlock {
  const { body, bodyBytes } = content;
  const framing = content.changed === true ? Framing.LENGTH : asItCame;
  const head = writeRequestHead({
    method,
    target,
    host,
    fields,
    framing,
    contentLength: bodyBytes,
    lengthZero,
    upgrade: '',
    expectsContinue: false,
    neverIndexed: '',
  });
  return framing === Framing.CHUNKED
    ? chunkedBlock(head, content, trailers)
    : { head, body, bodyBytes, tail: '' };
}

/** The body as one chunk, with its trailers. */
function chunkedBlock(head: string, { body, bodyBytes }: Content, trailers: string): HttpBlock {
  if (bodyBytes === 0) return { head, body, bodyBytes, tail: lastChunk(trailers) };
  return { head: head + chunkStart(bodyBytes), body, bodyBytes, tail: CHUNK_END + lastChunk(trailers) };
}

/** `method`: the request's. A response with trailers is one chunk, as only chunked messages have them. */
export function responseBlock(
  { status }: CopiedResponse,
  { statusLine, fields, trailers, content }: ShownResponse,
  method: string,
): HttpBlock {
  const { body, bodyBytes } = content;
  const bodyless = method === 'HEAD' || status === 204 || status === 304;
  const start = `HTTP/1.1 ${statusLine}${fields}`;
  if (trailers !== '' && !bodyless)
    return chunkedBlock(`${start}Transfer-Encoding: chunked\r\n\r\n`, content, trailers);
  const framing = bodyless ? '' : `Content-Length: ${bodyBytes}\r\n`;
  return { head: `${start}${framing}\r\n`, body, bodyBytes, tail: '' };
}

export function blockBytes({ head, bodyBytes, tail }: HttpBlock): number {
  return head.length + bodyBytes + tail.length;
}

/** Returns where the block ends in `into`, which has the room. */
export function writeBlock({ head, body, tail }: HttpBlock, into: Buffer, at: number): number {
  latin1Write(into, head, at);
  let end = at + head.length;
  for (const piece of body) {
    into.set(piece, end);
    end += piece.byteLength;
  }
  latin1Write(into, tail, end);
  return end + tail.length;
}
