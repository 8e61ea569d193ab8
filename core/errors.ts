/**
 * What can go wrong between a request and its response, in one table. The hot path passes `Failure` codes;
 * the table says what the client gets, whether another attempt is allowed, and which counter moves.
 */

/** Reasons an exchange with an upstream failed. The order is the index into the ledger's failure counters. */
export const failureReasons = [
  'connect',
  'tls',
  'timeout',
  'reset',
  'protocol',
  'overloaded',
  'no-endpoint',
  'aborted',
  'body-too-large',
  'ring-full',
  'draining',
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Reasons a mirrored request was given up before its first byte was sent. The order is the index into the ledger. */
export const dropReasons = [
  'ring-full',
  'frame-too-large',
  'body-too-large',
  'rate',
  'in-flight',
  'breaker-open',
  'no-endpoint',
  'aborted',
  'draining',
  'loop',
  'method',
  'upgrade',
] as const;
export type DropReason = (typeof dropReasons)[number];

/** Indexes of `failureReasons`, for code that must not compare strings. */
export const Failure = {
  CONNECT: 0,
  TLS: 1,
  TIMEOUT: 2,
  RESET: 3,
  PROTOCOL: 4,
  OVERLOADED: 5,
  NO_ENDPOINT: 6,
  ABORTED: 7,
  BODY_TOO_LARGE: 8,
  RING_FULL: 9,
  DRAINING: 10,
} as const;
export type Failure = (typeof Failure)[keyof typeof Failure];

/** Indexes of `dropReasons`. */
export const Drop = {
  RING_FULL: 0,
  FRAME_TOO_LARGE: 1,
  BODY_TOO_LARGE: 2,
  RATE: 3,
  IN_FLIGHT: 4,
  BREAKER_OPEN: 5,
  NO_ENDPOINT: 6,
  ABORTED: 7,
  DRAINING: 8,
  LOOP: 9,
  METHOD: 10,
  UPGRADE: 11,
} as const;
export type Drop = (typeof Drop)[keyof typeof Drop];

/** What the client gets when its exchange with the primary failed before a response head was sent. */
export interface FailureAnswer {
  readonly status: number;
  /** The body: one line, without anything that the upstream or the client said. */
  readonly text: string;
  /** Envoy's response flag for access logs. */
  readonly flag: string;
}

/** By `Failure` code. */
export const failureAnswers: readonly FailureAnswer[] = [
  { status: 502, text: 'upstream connection failed\n', flag: 'UF' },
  { status: 502, text: 'upstream TLS handshake failed\n', flag: 'UF' },
  { status: 504, text: 'upstream timed out\n', flag: 'UT' },
  { status: 502, text: 'upstream closed the connection before its response was complete\n', flag: 'UC' },
  { status: 502, text: 'upstream sent a response that is not valid HTTP\n', flag: 'UPE' },
  { status: 503, text: 'too many requests are waiting for the upstream\n', flag: 'UO' },
  { status: 503, text: 'no upstream endpoint is available\n', flag: 'UH' },
  { status: 499, text: 'client closed the connection\n', flag: 'DC' },
  { status: 413, text: 'request body too large\n', flag: 'DC' },
  { status: 503, text: 'no room\n', flag: 'UO' },
  { status: 503, text: 'shutting down\n', flag: 'DI' },
];

export const noRouteAnswer: FailureAnswer = {
  status: 404,
  text: 'no route matches this request\n',
  flag: 'NR',
};
