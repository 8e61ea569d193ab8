/**
 * The words in which the two sides of the proxy speak about a message.
 *
 * A **wire string** is a JavaScript string whose char codes are the bytes on the wire (latin1): one flat
 * one-byte string per head is the cheapest carrier Node has between two sockets, and it keeps every byte.
 */

/** How a message's body is delimited (RFC 9112, section 6). */
export const Framing = {
  /** No body. */
  NONE: 0,
  /** Content-Length. */
  LENGTH: 1,
  /** Transfer-Encoding: chunked. */
  CHUNKED: 2,
  /** A response that ends when the connection does. */
  CLOSE: 3,
} as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/**
 * The lines of a request whose client takes trailers. Both are about one connection only, so they are written
 * again (RFC 9110, section 10.1.4).
 */
export const TAKES_TRAILERS = 'Connection: TE\r\nTE: trailers\r\n';

/**
 * A request as a downstream engine understood it. Engines reuse one object: it is valid only during
 * `onRequest`; the strings in it may be kept.
 */
export class RequestHead {
  /** A token, case kept. */
  method = 'GET';
  /** Origin-form path and query as received, or `*`; a wire string. */
  target = '/';
  /** The Host field's value: exactly one, checked; a wire string. */
  host = '';
  /**
   * The end-to-end field lines, `name: value CRLF` each, order and repeats kept; a wire string. Host,
   * Content-Length, Transfer-Encoding, Expect and all hop-by-hop fields are not in it, but `TE: trailers` is,
   * with the Connection field that it needs, where the client takes trailers.
   */
  fields = '';
  framing: Framing = Framing.NONE;
  /** With `Framing.LENGTH`: bytes of the body, above 0. A length of 0 is `NONE` with `lengthZero` set. */
  contentLength = 0;
  /** The client said `Content-Length: 0`, which is forwarded as said. */
  lengthZero = false;
  /**
   * The Upgrade field's value where Connection names it, the request has no body, and the engine can switch
   * to it; else empty, and the field was left out (RFC 9110, section 7.8: an upgrade may be ignored).
   */
  upgrade = '';
  /**
   * The client waits for a 100 before it sends the body (RFC 9110, section 10.1.1), and the engine passes one
   * on: the expectation is the primary's to meet.
   */
  expectsContinue = false;
  /**
   * Names of fields that came as literals never to be indexed, and must leave so (RFC 7541, section 6.2.3):
   * `,name,name,`, in lower case. Empty: there are none, or the client speaks HTTP/1.
   */
  neverIndexed = '';
  /** Arrived over TLS. */
  secure = false;
  /** The client speaks HTTP/1.0. */
  http10 = false;
  /**
   * The client's address where a proxy that the listener trusts has named it; empty: the peer is the client.
   * Set by the edge.
   */
  client = '';
  /** Port of the listener that it came to; 0: it has none. Set by the edge. */
  localPort = 0;
}

/** Copies every field of one head to another, which lives longer. */
export function copyHead(from: RequestHead, to: RequestHead): void {
  to.method = from.method;
  to.target = from.target;
  to.host = from.host;
  to.fields = from.fields;
  to.framing = from.framing;
  to.contentLength = from.contentLength;
  to.lengthZero = from.lengthZero;
  to.upgrade = from.upgrade;
  to.expectsContinue = from.expectsContinue;
  to.neverIndexed = from.neverIndexed;
  to.secure = from.secure;
  to.http10 = from.http10;
  to.client = from.client;
  to.localPort = from.localPort;
}
