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
} as const;
export type Drop = (typeof Drop)[keyof typeof Drop];
