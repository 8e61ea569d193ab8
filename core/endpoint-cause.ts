/**
 * Why an endpoint could not be used, in one table: the words of the log, the word of metrics and of the
 * access log, and the errors of Node and OpenSSL that mean it. The data path passes indexes (`Cause`). The
 * order of the rows is the index into the counters: new rows go to the end, and get an index in `Cause`.
 */

interface CauseRow {
  /** The value of the label `cause`, and the reason in access logs. */
  readonly code: string;
  /** What happened, for people, after the name of the endpoint. */
  readonly words: string;
  /** Codes of errors: errno of the system, of OpenSSL's verification, or of Node. */
  readonly errors: readonly string[];
}

export const causes = [
  { code: 'other', words: 'the connection failed', errors: [] },
  { code: 'connection-refused', words: 'connection refused', errors: ['ECONNREFUSED'] },
  { code: 'host-unreachable', words: 'no route to host', errors: ['EHOSTUNREACH', 'EHOSTDOWN'] },
  { code: 'network-unreachable', words: 'network unreachable', errors: ['ENETUNREACH', 'ENETDOWN'] },
  { code: 'timed-out', words: 'the system gave up connecting', errors: ['ETIMEDOUT'] },
  { code: 'connect-timeout', words: 'no connection within connections.connectTimeout', errors: [] },
  { code: 'connection-reset', words: 'connection reset', errors: ['ECONNRESET', 'EPIPE', 'ECONNABORTED'] },
  { code: 'connection-closed', words: 'the connection was closed before a whole response', errors: [] },
  { code: 'no-socket', words: 'no such socket file', errors: ['ENOENT'] },
  { code: 'permission-denied', words: 'permission denied', errors: ['EACCES', 'EPERM'] },
  {
    code: 'tls-self-signed',
    words: 'TLS failed: self-signed certificate',
    errors: ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  },
  { code: 'tls-expired', words: 'TLS failed: the certificate has expired', errors: ['CERT_HAS_EXPIRED'] },
  {
    code: 'tls-not-yet-valid',
    words: 'TLS failed: the certificate is not valid yet',
    errors: ['CERT_NOT_YET_VALID'],
  },
  {
    code: 'tls-name',
    words: 'TLS failed: the certificate is for another name',
    errors: ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
  },
  {
    code: 'tls-unknown-issuer',
    words: 'TLS failed: the issuer of the certificate is not trusted',
    errors: [
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_UNTRUSTED',
      'INVALID_CA',
    ],
  },
  { code: 'tls-revoked', words: 'TLS failed: the certificate was revoked', errors: ['CERT_REVOKED'] },
  {
    code: 'tls-not-tls',
    words: 'TLS failed: the endpoint does not speak TLS, or no common version',
    errors: [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_PACKET_LENGTH_TOO_LONG',
      'ERR_SSL_UNSUPPORTED_PROTOCOL',
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      'ERR_SSL_HTTP_REQUEST',
      'ERR_SSL_UNKNOWN_PROTOCOL',
    ],
  },
  {
    code: 'tls-client-certificate',
    words: 'TLS failed: the endpoint wants another client certificate (tls.cert)',
    errors: [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
      'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
    ],
  },
  { code: 'tls-other', words: 'TLS failed', errors: [] },
  { code: 'tls-closed', words: 'TLS failed: the endpoint closed the connection', errors: [] },
  {
    code: 'tls-timeout',
    words: 'TLS failed: no handshake within connections.connectTimeout',
    errors: [],
  },
  {
    code: 'out-of-resources',
    words: 'umbra is out of file descriptors, local ports or buffers',
    errors: ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'],
  },
  { code: 'failed-answers', words: 'too many failed answers in a row (ejection)', errors: [] },
  { code: 'not-http', words: 'the response is not valid HTTP', errors: [] },
  { code: 'no-answer', words: 'no answer in time', errors: [] },
  { code: 'not-http2', words: 'the endpoint does not speak HTTP/2 (protocol)', errors: [] },
  { code: 'stream-reset', words: 'the endpoint reset the stream', errors: [] },
  { code: 'unresponsive', words: 'the connection of HTTP/2 did not answer a PING or SETTINGS', errors: [] },
] as const satisfies readonly CauseRow[];
export type CauseCode = (typeof causes)[number]['code'];
export const causeCodes: readonly CauseCode[] = causes.map(({ code }) => code);

/** Indexes of `causes`, for code that must not compare strings. */
export const Cause = {
  NONE: -1,
  OTHER: 0,
  CONNECT_TIMEOUT: 5,
  CONNECTION_RESET: 6,
  CONNECTION_CLOSED: 7,
  TLS_OTHER: 18,
  TLS_CLOSED: 19,
  TLS_TIMEOUT: 20,
  OUT_OF_RESOURCES: 21,
  FAILED_ANSWERS: 22,
  NOT_HTTP: 23,
  NO_ANSWER: 24,
  NOT_HTTP2: 25,
  STREAM_RESET: 26,
  UNRESPONSIVE: 27,
} as const;
/** An index of `causes`, or `Cause.NONE`. */
export type Cause = number;

const byError: ReadonlyMap<string, Cause> = new Map(
  causes.flatMap(({ errors }, cause) => errors.map((error): [string, Cause] => [error, cause])),
);

/** What an endpoint's latest failure was. Objects are replaced, never changed. */
export interface EndpointError {
  readonly cause: Cause;
  /** The code of the error, such as `ECONNREFUSED`; '' where there was none. */
  readonly errno: string;
}
export const noError: EndpointError = { cause: Cause.NONE, errno: '' };
/** Errors without a code, by cause. */
export const plainErrors: readonly EndpointError[] = causes.map((_, cause) => ({ cause, errno: '' }));

/**
 * `errorOf` says what `error` of a socket means. `isHandshaking`: the TCP connection stood, and TLS was not
 * complete.
 */
export function errorOf(error: NodeJS.ErrnoException, isHandshaking: boolean): EndpointError {
  const errno = error.code ?? '';
  const known = byError.get(errno);
  if (!isHandshaking) return { cause: known ?? Cause.OTHER, errno };
  if (known === undefined) return { cause: Cause.TLS_OTHER, errno };
  return known === Cause.CONNECTION_RESET ? { cause: Cause.TLS_CLOSED, errno } : { cause: known, errno };
}

/** `causeText` returns the words for people: `connection refused (ECONNREFUSED)`. */
export function causeText({ cause, errno }: EndpointError): string {
  const { words } = causes[cause] ?? causes[Cause.OTHER];
  return errno === '' ? words : `${words} (${errno})`;
}
