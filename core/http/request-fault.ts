/**
 * Why an engine rejects a request before it reaches the proxy, and what the client gets. If two parsers could
 * disagree about a message, forwarding it would let its sender choose which of them is deceived. The
 * connection is always closed, because the end of a doubtful request is not certain. Requests that uWS itself
 * rejects are not here, because it does not report them.
 */
export const RequestFault = {
  NONE: 0,
  /** Not `method SP target SP HTTP/d.d CRLF` (RFC 9112, section 3). */
  REQUEST_LINE: 1,
  METHOD: 2,
  CONNECT: 3,
  /** An invalid byte, or none of the forms of RFC 9112, section 3.2. */
  TARGET: 4,
  /** `limits.requestTargetBytes`. */
  TARGET_TOO_LONG: 5,
  /** A version that is neither 1.0 nor 1.1. */
  VERSION: 6,
  /** A field name that is empty or has a byte outside a token, or anything between a name and its colon. */
  FIELD_NAME: 7,
  /** A control character, NUL, bare CR or bare LF in a field value (RFC 9110, section 5.5). */
  FIELD_VALUE: 8,
  /** A line that begins with whitespace: obs-fold (RFC 9112, section 5.2). */
  FOLDED: 9,
  /** `limits.requestHeadBytes`. */
  HEAD_TOO_LARGE: 10,
  /** `limits.requestFields`. */
  TOO_MANY_FIELDS: 11,
  /** No Host, more than one, or an invalid one (RFC 9112, section 3.2). */
  HOST: 12,
  /** Not one valid length, or a length together with Transfer-Encoding (RFC 9112, section 6.3). */
  LENGTH: 13,
  /** A coding that is not chunked alone (RFC 9112, section 6.1). */
  CODING: 14,
  /** Transfer-Encoding in HTTP/1.0, which does not define it (RFC 9112, section 6.1). */
  CODING_VERSION: 15,
  EXPECTATION: 16,
  /**
   * Chunks that are malformed, or past `limits.chunkLineBytes` or `limits.trailerBytes` (RFC 9112, section
   * 7.1).
   */
  CHUNKS: 17,
  /** The client stopped within a head or a body. */
  TIMEOUT: 18,
  /** The uws engine decodes UTF-8. Other bytes are lost, so the request can't be forwarded. */
  TARGET_BYTES: 19,
  FIELD_BYTES: 20,
  /** A Transfer-Encoding that leaves the end of the body undefined (RFC 9112, section 6.3). */
  CODING_END: 21,
  /** `limits.methodBytes` (RFC 9112, section 3). */
  METHOD_TOO_LONG: 22,
} as const;
export type RequestFault = (typeof RequestFault)[keyof typeof RequestFault];

export interface RequestFaultAnswer {
  readonly code: string;
  readonly status: number;
  /** One line, without any text from the client. */
  readonly text: string;
  readonly when: string;
}

/** Indexed by `RequestFault`. */
export const requestFaultAnswers: readonly RequestFaultAnswer[] = [
  { code: 'none', status: 500, text: '', when: '' },
  {
    code: 'request-line',
    status: 400,
    text: 'The request line is malformed.\n',
    when: 'The first line is not method, target and version with one space between.',
  },
  {
    code: 'method',
    status: 400,
    text: 'The method is not a token.\n',
    when: 'The method contains an invalid byte.',
  },
  { code: 'connect', status: 501, text: 'CONNECT is not supported.\n', when: 'The method is CONNECT.' },
  {
    code: 'target',
    status: 400,
    text: 'The target is malformed.\n',
    when: 'The target contains an invalid byte, or has no valid form.',
  },
  {
    code: 'target-too-long',
    status: 414,
    text: 'The target is too long.\n',
    when: 'The target is longer than 8 KiB.',
  },
  {
    code: 'version',
    status: 505,
    text: 'The only versions that are supported are HTTP/1.0 and HTTP/1.1.\n',
    when: 'Another version of HTTP.',
  },
  {
    code: 'field-name',
    status: 400,
    text: 'A field name is malformed.\n',
    when: 'An empty name, an invalid byte in a name, anything between a name and its colon, or a framing field with an underscore instead of its dash.',
  },
  {
    code: 'field-value',
    status: 400,
    text: 'A field value has a control character.\n',
    when: 'A control character, NUL, bare CR or bare LF in a value.',
  },
  {
    code: 'folded',
    status: 400,
    text: 'A field is folded over two lines.\n',
    when: 'A line that begins with a space or a tab.',
  },
  {
    code: 'head-too-large',
    status: 431,
    text: 'The request head is too large.\n',
    when: 'The head is larger than its limit.',
  },
  {
    code: 'too-many-fields',
    status: 431,
    text: 'The request has too many fields.\n',
    when: 'The head has more field lines than the limit.',
  },
  {
    code: 'host',
    status: 400,
    text: 'The Host field is not one valid host.\n',
    when: 'No Host, more than one, or an invalid one.',
  },
  {
    code: 'length',
    status: 400,
    text: 'The Content-Length field is not one valid length.\n',
    when: 'Not one valid number, or a number together with Transfer-Encoding.',
  },
  {
    code: 'coding',
    status: 501,
    text: 'The only transfer coding that is supported is chunked.\n',
    when: 'A Transfer-Encoding with another coding before `chunked`.',
  },
  {
    code: 'coding-version',
    status: 400,
    text: 'HTTP/1.0 does not define Transfer-Encoding.\n',
    when: 'A Transfer-Encoding in a request of HTTP/1.0.',
  },
  {
    code: 'expectation',
    status: 417,
    text: 'The only expectation that is supported is 100-continue.\n',
    when: 'An Expect field that is not `100-continue`.',
  },
  {
    code: 'chunks',
    status: 400,
    text: 'The chunks of the body are malformed.\n',
    when: 'Chunks or trailers that are malformed or exceed their limits.',
  },
  {
    code: 'timeout',
    status: 408,
    text: 'The request took too long.\n',
    when: 'The client stopped within a head or a body.',
  },
  {
    code: 'target-bytes',
    status: 400,
    text: 'The target has bytes that are not UTF-8.\n',
    when: 'The target is not UTF-8 (uws engine only, which decodes UTF-8 and loses other bytes).',
  },
  {
    code: 'field-bytes',
    status: 400,
    text: 'A field has bytes that are not UTF-8.\n',
    when: 'A field is not UTF-8 (uws engine only).',
  },
  {
    code: 'coding-end',
    status: 400,
    text: 'The Transfer-Encoding does not end in one chunked.\n',
    when: 'A Transfer-Encoding that is empty, repeated, does not end in `chunked`, or has it twice.',
  },
  {
    code: 'method-too-long',
    status: 501,
    text: 'The method is too long.\n',
    when: 'The method is longer than 256 bytes. One that does not end within the limit of the head is `method`.',
  },
];
