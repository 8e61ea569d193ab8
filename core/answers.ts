/**
 * What clients get in umbra's own words: when the exchange with the primary fails, and when no version is
 * asked.
 */
import { type FailureReason, failures } from './errors.js';

/** What the client gets when its exchange with the primary failed before a response head was sent. */
export interface FailureAnswer {
  readonly status: number;
  /** The body: one line, without anything that the upstream or the client sent. */
  readonly text: string;
  /** Envoy's response flag for access logs. */
  readonly flag: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * By the failure of the primary's exchange. The others are failures of copies, and no client gets an answer
 * to them.
 */
export const answersByReason: Readonly<Partial<Record<FailureReason, Answer>>> = {
  connect: { status: 502, text: 'upstream connection failed\n' },
  tls: { status: 502, text: 'upstream TLS handshake failed\n' },
  timeout: { status: 504, text: 'upstream timed out\n' },
  reset: { status: 502, text: 'upstream closed the connection before its response was complete\n' },
  protocol: { status: 502, text: 'upstream sent a response that is not valid HTTP\n' },
  overloaded: { status: 503, text: 'too many requests are waiting for the upstream\n' },
  'no-endpoint': { status: 503, text: 'no upstream endpoint is available\n' },
  aborted: { status: 499, text: 'client closed the connection\n' },
  'body-too-large': { status: 413, text: 'request body too large\n' },
  unread: { status: 504, text: 'upstream did not read the request\n' },
  'slow-client': { status: 408, text: 'the request did not arrive in time\n' },
  'malformed-body': { status: 400, text: 'the request body is malformed\n' },
  'slow-reader': { status: 499, text: 'the client did not read its response\n' },
  'out-of-resources': { status: 503, text: 'out of resources\n' },
};
const unexpected: Answer = { status: 503, text: 'service unavailable\n' };

/** By `Failure` code. */
export const failureAnswers: readonly FailureAnswer[] = failures.map(({ code, flag }) => ({
  ...(answersByReason[code] ?? unexpected),
  flag,
}));

export const noRouteAnswer: FailureAnswer = {
  status: 404,
  text: 'no route matches this request\n',
  flag: 'NR',
};

/** A request that `fault.abort` of its route has hit; the status is the route's. */
export const faultAnswer = { text: 'aborted on purpose\n', flag: 'FI' } as const;

/** A request that can't be redirected (RFC 9110, section 15.5.15). */
export const locationTooLongAnswer: FailureAnswer = {
  status: 414,
  text: 'the target is too long to be redirected\n',
  flag: '',
};

/** The flag of a request that `fault.delay` has hit. */
export const delayFlag = 'DI';

/** The flag of a request that used all retries of its route when one more was due. */
export const retriesExhaustedFlag = 'URX';

/** A request whose Content-Length is above its listener's `body.max`. */
export const bodyTooLargeAnswer = { status: 413, text: 'The request body is too large.\n' } as const;
