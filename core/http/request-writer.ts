import { Framing } from './message.js';

/**
 * The head of a request that umbra sends, before it has a protocol. All strings are wire strings and were
 * checked. A `RequestHead` of a client is one.
 */
export interface OutgoingHead {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Whole end-to-end field lines, each ending in CRLF. */
  readonly fields: string;
  readonly framing: Framing;
  /** With `Framing.LENGTH`: bytes of the body. */
  readonly contentLength: number;
  /** With `Framing.NONE`: the client sent `Content-Length: 0`, which is forwarded. */
  readonly lengthZero: boolean;
  /** The protocol that the request asks for; empty: none. */
  readonly upgrade: string;
  /** The request asks for a 100 before its body. */
  readonly expectsContinue: boolean;
  /** Names of fields, as in `RequestHead`; HTTP/1.1 has no use for them. */
  readonly neverIndexed: string;
}

/**
 * Writes the head of a request as a wire string: request line, Host right after it (RFC 9110, section 7.2),
 * the end-to-end field lines, the lines about this connection, the framing that umbra chose, and the empty
 * line. HTTP/1.1 keeps the connection without being asked. Nothing is escaped here.
 */
export function writeRequestHead(head: OutgoingHead): string {
  const { framing } = head;
  const start = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.host}\r\n${head.fields}${connectionLines(head)}`;
  if (framing === Framing.LENGTH) return `${start}Content-Length: ${head.contentLength}\r\n\r\n`;
  if (framing === Framing.CHUNKED) return `${start}Transfer-Encoding: chunked\r\n\r\n`;
  return head.lengthZero ? `${start}Content-Length: 0\r\n\r\n` : `${start}\r\n`;
}

/**
 * Hop-by-hop lines are always written here: an upgrade (RFC 9110, section 7.8), or the expectation of a 100.
 */
function connectionLines({ upgrade, expectsContinue }: OutgoingHead): string {
  if (upgrade !== '') return `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return expectsContinue ? 'Expect: 100-continue\r\n' : '';
}

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
