import { Framing } from './message.js';

/**
 * The head of a request as a wire string: request line, Host right after it (RFC 9110, section 7.2), the
 * end-to-end field lines as they came, the framing that we chose, and the empty line. HTTP/1.1 keeps the
 * connection without being asked.
 *
 * `fields` are whole lines, each ending in CRLF. `lengthZero` says `Content-Length: 0` with `Framing.NONE`,
 * for a client that said it. All parts are wire strings and were checked: nothing is escaped here.
 */
export function writeRequestHead(
  method: string,
  target: string,
  host: string,
  fields: string,
  framing: Framing,
  contentLength: number,
  lengthZero = false,
): string {
  const start = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}`;
  if (framing === Framing.LENGTH) return `${start}Content-Length: ${contentLength}\r\n\r\n`;
  if (framing === Framing.CHUNKED) return `${start}Transfer-Encoding: chunked\r\n\r\n`;
  return lengthZero ? `${start}Content-Length: 0\r\n\r\n` : `${start}\r\n`;
}

/** The lines that ask for another protocol, to be put among the fields; hop-by-hop, so they are always written anew. */
export function upgradeLines(protocol: string): string {
  return `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
}

/** The expectation that a client waits for, to be put among the fields. */
export const EXPECT_CONTINUE = 'Expect: 100-continue\r\n';

/** What stands before the data of a chunk of `bytes` bytes; above 0, for 0 would end the body. */
export function chunkStart(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

/** What stands after the data of each chunk. */
export const CHUNK_END = '\r\n';

/** The last chunk, after the end of the one before it, and an empty trailer section. */
export const LAST_CHUNK = '0\r\n\r\n';

/** The last chunk with a trailer section of `trailers`: whole field lines, or none. */
export function lastChunk(trailers: string): string {
  return trailers === '' ? LAST_CHUNK : `0\r\n${trailers}\r\n`;
}
