/**
 * Why an upstream's bytes were rejected. Every fault becomes the failure `protocol`; the code is kept so that
 * a log line or a test can name the broken rule.
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
   * A Content-Length that is not a number, too large, or repeated with another value (RFC 9112, section 6.3).
   */
  CONTENT_LENGTH: 7,
  /**
   * Malformed, in HTTP/1.0, together with Content-Length, or chunked twice (RFC 9112, sections 6.1 and 6.3).
   */
  TRANSFER_ENCODING: 8,
  /** A 101 to a request that did not ask for an upgrade (RFC 9110, section 15.2.2). */
  UNASKED_UPGRADE: 9,
  /** `limits.interimResponses`. */
  TOO_MANY_INTERIMS: 10,
  /** A chunk size that is not hexadecimal or above 2^53 - 1, or a line above `limits.chunkLineBytes`. */
  CHUNK_LINE: 11,
  /** Chunk data that is not followed by CRLF. */
  CHUNK_END: 12,
  /** A malformed trailer section, or one above `limits.trailerBytes`. */
  TRAILER: 13,
} as const;
export type ResponseFault = (typeof ResponseFault)[keyof typeof ResponseFault];
