/**
 * Why an upstream's bytes were refused. Every one of them becomes failure `protocol`; the code is kept so
 * that a log line and a test can say which rule was broken.
 */
export const ResponseFault = {
  NONE: 0,
  /** Not `HTTP/1.x SP 3DIGIT [SP reason] CRLF` (RFC 9112, section 4). */
  STATUS_LINE: 1,
  /** A field name that is empty or has a byte outside a token (RFC 9112, section 5). */
  FIELD_NAME: 2,
  /** A control character, NUL, bare CR or bare LF in a field value (RFC 9110, section 5.5). */
  FIELD_VALUE: 3,
  /** A line that begins with whitespace: obs-fold (RFC 9112, section 5.2). */
  FOLDED: 4,
  /** `limits.responseHeadBytes`. */
  HEAD_TOO_LARGE: 5,
  /** `limits.responseFields` or `limits.connectionOptions`. */
  TOO_MANY_FIELDS: 6,
  /**
   * A Content-Length that is no number, too large, or repeated with another value (RFC 9112, section 6.3).
   */
  CONTENT_LENGTH: 7,
  /** Malformed, on HTTP/1.0, with Content-Length, or chunked twice (RFC 9112, sections 6.1 and 6.3). */
  TRANSFER_ENCODING: 8,
  /** 101 to a request that asked for no upgrade (RFC 9110, section 15.2.2). */
  UNASKED_UPGRADE: 9,
  /** `limits.interimResponses`. */
  TOO_MANY_INTERIMS: 10,
  /** A chunk size that is no hexadecimal number or above 2^53 - 1, or a line past `limits.chunkLineBytes`. */
  CHUNK_LINE: 11,
  /** Chunk data that is not followed by CRLF. */
  CHUNK_END: 12,
  /** A malformed trailer section, or one past `limits.trailerBytes`. */
  TRAILER: 13,
} as const;
export type ResponseFault = (typeof ResponseFault)[keyof typeof ResponseFault];
