import { Framing, type RequestParts } from './message.js';

/**
 * The head of a request that umbra sends, before it is written in a protocol. A client's `RequestHead` is
 * one.
 */
export interface OutgoingHead extends RequestParts {
  /** With `Framing.LENGTH`: bytes of the body. */
  readonly contentLength: number;
  /** The protocol that the request asks for; empty for none. */
  readonly upgrade: string;
  /** The request asks for a 100 before its body. */
  readonly expectsContinue: boolean;
  /** Names of fields, as in `RequestHead`; HTTP/1.1 has no use for them. */
  readonly neverIndexed: string;
}

/**
 * `writeRequestHead` returns the head of a request as a wire string: request line, Host right after it (RFC
 * 9110, section 7.2), the end-to-end field lines, the lines about this connection, the framing that umbra
 * chose, and the empty line. HTTP/1.1 keeps the connection by default. Nothing is escaped here.
 */
export function writeRequestHead(head: OutgoingHead): string {
  const { framing } = head;
  const start = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.host}\r\n${head.fields}${connectionLines(head)}`;
  if (framing === Framing.LENGTH) return `${start}Content-Length: ${head.contentLength}\r\n\r\n`;
  if (framing === Framing.CHUNKED) return `${start}Transfer-Encoding: chunked\r\n\r\n`;
  return head.lengthZero ? `${start}Content-Length: 0\r\n\r\n` : `${start}\r\n`;
}

/**
 * `connectionLines` returns the hop-by-hop lines: an upgrade (RFC 9110, section 7.8), or the expectation of a
 * 100.
 */
function connectionLines({ upgrade, expectsContinue }: OutgoingHead): string {
  if (upgrade !== '') return `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return expectsContinue ? 'Expect: 100-continue\r\n' : '';
}

/**
 * `chunkStart` returns the text before the data of a chunk of `bytes` bytes. It must not be 0, which would
 * end the body.
 */
export function chunkStart(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

/** The text after the data of each chunk. */
export const CHUNK_END = '\r\n';

/** The last chunk, after the end of the previous one, with an empty trailer section. */
const LAST_CHUNK = '0\r\n\r\n';

/** `lastChunk` returns the last chunk with the trailer section `trailers`: whole field lines, or none. */
export function lastChunk(trailers: string): string {
  return trailers === '' ? LAST_CHUNK : `0\r\n${trailers}\r\n`;
}
