/**
 * The vocabulary of both sides of the proxy for messages.
 *
 * A **wire string** is a JavaScript string whose char codes are the bytes on the wire (latin1). One flat
 * one-byte string per head is the cheapest way in Node to carry a head between two sockets, and it keeps
 * every byte.
 */

/** How a message's body is delimited (RFC 9112, section 6). */
export const Framing = {
  /** No body. */
  NONE: 0,
  /** Content-Length. */
  LENGTH: 1,
  /** Transfer-Encoding: chunked. */
  CHUNKED: 2,
  /** The response ends when its connection closes. */
  CLOSE: 3,
} as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/**
 * The lines of a request whose client accepts trailers. Both belong to one connection, so they are written
 * again (RFC 9110, section 10.1.4).
 */
export const TAKES_TRAILERS = 'Connection: TE\r\nTE: trailers\r\n';

/**
 * The parts of a request that a copy and a recording keep too. All strings are valid wire strings.
 */
export interface RequestParts {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Whole end-to-end field lines without Host and framing, each ending in CRLF. */
  readonly fields: string;
  readonly framing: Framing;
  /** With `Framing.NONE`: the client sent `Content-Length: 0`, which is forwarded. */
  readonly lengthZero: boolean;
}

/**
 * A request as a downstream engine parsed it. Engines reuse one object: it is valid only during `onRequest`,
 * but its strings may be kept.
 */
export class RequestHead {
  /** A token; its case is kept. */
  method = 'GET';
  /** Origin-form path and query as received, or `*`; a wire string. */
  target = '/';
  /** The value of the one valid Host field; a wire string. */
  host = '';
  /**
   * The end-to-end field lines, `name: value CRLF` each, with order and repeats kept; a wire string. It lacks
   * Host, Content-Length, Transfer-Encoding, Expect and all hop-by-hop fields. If the client accepts
   * trailers, it has `TE: trailers` with the Connection field that this needs.
   */
  fields = '';
  framing: Framing = Framing.NONE;
  /** Bytes of the body with `Framing.LENGTH`, above 0. A length of 0 is `NONE` with `lengthZero` set. */
  contentLength = 0;
  /** The client sent `Content-Length: 0`, which is forwarded. */
  lengthZero = false;
  /**
   * The Upgrade field's value if Connection names it, the request has no body, and the engine can switch.
   * Otherwise it is empty, and the field was removed (RFC 9110, section 7.8: an upgrade may be ignored).
   */
  upgrade = '';
  /**
   * The client waits for a 100 before it sends the body (RFC 9110, section 10.1.1), and the engine can
   * forward one: the primary answers the expectation.
   */
  expectsContinue = false;
  /**
   * Names of fields that arrived as never-indexed literals and must be forwarded as such (RFC 7541, section
   * 6.2.3): as core/http2/never-indexed writes them. Empty when there are none or the client uses HTTP/1.
   */
  neverIndexed = '';
  /** The request arrived over TLS. */
  secure = false;
  /** The client uses HTTP/1.0. */
  http10 = false;
  /** The client uses HTTP/2. */
  http2 = false;
  /** The request is a gRPC call: HTTP/2 with a Content-Type of gRPC. */
  grpc = false;
  /**
   * The client's address as a proxy that the listener trusts reported it. Empty: the peer is the client. The
   * edge sets it.
   */
  client = '';
  /** Port of the listener that received the request; 0 when it has none. The edge sets it. */
  localPort = 0;
}

/** `copyHead` copies every field of one head to another, which lives longer. */
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
  to.http2 = from.http2;
  to.grpc = from.grpc;
  to.client = from.client;
  to.localPort = from.localPort;
}
