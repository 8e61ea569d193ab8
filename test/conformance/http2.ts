/** Requests of HTTP/2 and what becomes of them: the rows of a table of docs/conformance.md. */
import type { Pair } from '../core/http2/hpack-lists.js';

/**
 * What umbra does, in the words of the page:
 *
 *   forwarded       the origin got it, and the client got what the origin answered
 *   answered 400    the client got this status from umbra itself
 *   reset CODE      the stream ended with this code, and no head came
 *   cut CODE        the same behind the head
 */
export type Http2Verdict = 'forwarded' | `answered ${number}` | `${'reset' | 'cut'} ${string}`;

export interface Http2Case {
  /** Unique. */
  readonly what: string;
  /** Where the RFCs speak of it. */
  readonly rfc: string;
  readonly asks: string;
  /** The fields of the request, pseudo-headers included. */
  readonly sends?: readonly Pair[];
  /** The header block, where no encoder makes it. */
  readonly block?: Buffer;
  /** Its body; without it the stream ends with the head. */
  readonly body?: string;
  readonly trailers?: readonly Pair[];
  /** The origin's bytes. A short 200 if unset. */
  readonly answers?: string;
  /** The origin ends its connection behind them. */
  readonly ends?: boolean;
  readonly verdict: Http2Verdict;
  /** More words for the page. */
  readonly note?: string;
  /** What the origin got. */
  readonly arrives?: RegExp;
  /** What the client got: frames as text, a line for each. */
  readonly comes?: RegExp;
}

const method = [':method', 'GET'] as const;
const scheme = [':scheme', 'http'] as const;
const path = [':path', '/case'] as const;
const authority = [':authority', 'h'] as const;
export const plainGet: readonly Pair[] = [method, scheme, path, authority];
const post: readonly Pair[] = [[':method', 'POST'], scheme, path, authority];
const chunked = 'HTTP/1.1 200 OK\r\nx-origin: 1\r\ntransfer-encoding: chunked\r\n\r\n';
const malformed = 'malformed: a stream error';
const protocolError = 'reset PROTOCOL_ERROR';

export const http2Cases: readonly Http2Case[] = [
  {
    what: 'A request without a body',
    rfc: '9113 8.3.1',
    asks: 'forward it; Host is :authority',
    verdict: 'forwarded',
    arrives: /^GET \/case HTTP\/1\.1\r\nHost: h\r\n/,
  },
  {
    what: 'Host in the place of :authority',
    rfc: '9113 8.3.1',
    asks: 'forward it',
    sends: [method, scheme, path, ['host', 'h']],
    verdict: 'forwarded',
    arrives: /\r\nHost: h\r\n/,
  },
  {
    what: 'Host that differs from :authority',
    rfc: '9113 8.3.1',
    asks: malformed,
    sends: [...plainGet, ['host', 'other']],
    verdict: protocolError,
  },
  {
    what: 'Neither Host nor :authority',
    rfc: '9113 8.3.1',
    asks: 'an intermediary to HTTP/1.1 needs one',
    sends: [method, scheme, path],
    verdict: 'answered 400',
  },
  {
    what: 'No :path',
    rfc: '9113 8.3.1',
    asks: malformed,
    sends: [method, scheme, authority],
    verdict: protocolError,
  },
  {
    what: 'A pseudo-header that nobody knows',
    rfc: '9113 8.3',
    asks: malformed,
    sends: [...plainGet, [':protocol', 'websocket']],
    verdict: protocolError,
  },
  {
    what: 'A pseudo-header behind a field',
    rfc: '9113 8.3',
    asks: malformed,
    sends: [method, scheme, authority, ['x-a', 'b'], path],
    verdict: protocolError,
  },
  {
    what: 'A field name with a capital letter',
    rfc: '9113 8.2.1',
    asks: malformed,
    block: Buffer.from('\x82\x86\x84\x01\x01h\x00\x03X-A\x01b', 'latin1'),
    verdict: protocolError,
  },
  {
    what: 'CR, LF or NUL in a value',
    rfc: '9113 8.2.1',
    asks: malformed,
    sends: [...plainGet, ['x-a', 'b\r\nx-b: c']],
    verdict: protocolError,
  },
  {
    what: 'Connection, Keep-Alive, Transfer-Encoding or Upgrade',
    rfc: '9113 8.2.2',
    asks: malformed,
    sends: [...plainGet, ['connection', 'close']],
    verdict: protocolError,
  },
  {
    what: '`TE: trailers`',
    rfc: '9113 8.2.2',
    asks: 'the only value there may be',
    sends: [...plainGet, ['te', 'trailers']],
    verdict: 'forwarded',
    arrives: /\r\nConnection: TE\r\nTE: trailers\r\n/,
  },
  {
    what: '`TE: gzip`',
    rfc: '9113 8.2.2',
    asks: malformed,
    sends: [...plainGet, ['te', 'gzip']],
    verdict: protocolError,
  },
  {
    what: 'Several Cookie fields',
    rfc: '9113 8.2.3',
    asks: 'join them before HTTP/1.1 gets them',
    sends: [...plainGet, ['cookie', 'a=1'], ['cookie', 'b=2']],
    verdict: 'forwarded',
    arrives: /\r\ncookie: a=1; b=2\r\n/,
  },
  {
    what: 'CONNECT',
    rfc: '9113 8.5',
    asks: 'refuse it, unless it makes tunnels',
    sends: [
      [':method', 'CONNECT'],
      [':authority', 'h:443'],
    ],
    verdict: 'answered 501',
  },
  {
    what: 'A body with Content-Length',
    rfc: '9113 8.1.1',
    asks: 'forward it',
    sends: [...post, ['content-length', '5']],
    body: 'hello',
    verdict: 'forwarded',
    arrives: /\r\nContent-Length: 5\r\n\r\nhello$/,
  },
  {
    what: 'A body that is not as long as Content-Length says',
    rfc: '9113 8.1.1',
    asks: malformed,
    sends: [...post, ['content-length', '9']],
    body: 'hello',
    verdict: protocolError,
  },
  {
    what: 'A body of unknown length',
    rfc: '9113 8.1',
    asks: 'forward it; to HTTP/1.1 in chunks',
    sends: post,
    body: 'hello',
    verdict: 'forwarded',
    arrives: /\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
  },
  {
    what: 'Trailers of a request',
    rfc: '9113 8.1',
    asks: 'forward them, or drop them',
    sends: post,
    body: 'hello',
    trailers: [['x-sum', '5']],
    verdict: 'forwarded',
    arrives: /\r\n0\r\nx-sum: 5\r\n\r\n$/,
  },
  {
    what: 'A pseudo-header among trailers',
    rfc: '9113 8.1',
    asks: malformed,
    sends: post,
    body: 'hello',
    trailers: [[':path', '/']],
    verdict: protocolError,
  },
  {
    what: 'A target of more than 8 KiB',
    rfc: '9110 15.5.15',
    asks: '414',
    sends: [method, scheme, [':path', `/${'a'.repeat(8192)}`], authority],
    verdict: 'answered 414',
  },
  {
    what: 'A list of fields above `head.max`',
    rfc: '9113 10.5.1',
    asks: '431',
    sends: [...plainGet, ['x-a', 'b'.repeat(16_000)], ['x-b', 'c'.repeat(300)]],
    verdict: 'answered 431',
  },
  {
    what: 'An expectation of something else than 100',
    rfc: '9110 10.1.1',
    asks: '417',
    sends: [...plainGet, ['expect', 'tea']],
    verdict: 'answered 417',
  },
  {
    what: 'A response in chunks with trailers',
    rfc: '9113 8.1',
    asks: 'forward them',
    answers: `${chunked}3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n`,
    verdict: 'forwarded',
    comes: /\nDATA 1 3\nHEADERS 1 x-sum=3 end$/,
  },
  {
    what: 'Connection and Keep-Alive in a response',
    rfc: '9113 8.2.2',
    asks: 'remove them, and what they name',
    answers:
      'HTTP/1.1 200 OK\r\nx-origin: 1\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n',
    verdict: 'forwarded',
    comes: /^HEADERS 1 :status=200 x-origin=1 content-length=0 date=[^=]* end$/m,
  },
  {
    what: 'A response that ends with its connection',
    rfc: '9112 6.3',
    asks: 'forward it',
    answers: 'HTTP/1.1 200 OK\r\nx-origin: 1\r\nConnection: close\r\n\r\nabc',
    ends: true,
    verdict: 'forwarded',
    comes: /\nDATA 1 3(?: end|\nDATA 1 0 end)$/,
  },
  {
    what: 'A response that is shorter than it says',
    rfc: '9113 8.1.1',
    asks: 'it must not look whole',
    answers: 'HTTP/1.1 200 OK\r\nx-origin: 1\r\nContent-Length: 9\r\n\r\nabc',
    ends: true,
    verdict: 'cut INTERNAL_ERROR',
  },
  {
    what: 'An interim response',
    rfc: '9113 8.1',
    asks: 'forward it',
    answers: 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\nx-origin: 1\r\n\r\n',
    verdict: 'forwarded',
    comes: /HEADERS 1 :status=103 link=x\nHEADERS 1 :status=204 x-origin=1 date=[^=]* end$/,
  },
  {
    what: 'A response that is not HTTP',
    rfc: '9110 15.6.3',
    asks: '502',
    answers: 'hello\r\n\r\n',
    verdict: 'answered 502',
  },
];
