/**
 * What can go wrong between a request and its response, in one table. The hot path passes codes (`Failure`,
 * `Drop`, `RequestFault`); the rows say what the client gets, whether another attempt is allowed, and which
 * counter moves. docs/errors.md is held equal to it by a test (`npm run docs` writes it). The order of
 * `failures` and `drops` is the index into the counters: new rows go to the end, and get an index in
 * `Failure` or `Drop` below.
 */
import { RequestFault, requestFaultAnswers } from './http/request-fault.js';

/** Whose doing it is. */
export type ErrorSource = 'downstream' | 'upstream' | 'local';
/**
 * Who is to blame for a copy that was dropped or failed, or for a primary's exchange that failed:
 *   shadow   the version that the request went to (for a primary's exchange: the primary);
 *   client   the client, or a property of its request;
 *   umbra    one of umbra's own bounds, its configuration, or its shutdown;
 *   guard    the guard of the route, on behalf of the primary.
 * Only `shadow` counts against a version: in its breaker, its verdict and its share of errors.
 */
export type Blame = 'shadow' | 'client' | 'umbra' | 'guard';

/**
 * Another attempt of the same request: never; at each other endpoint once; once, where a reused connection
 * died before a byte.
 */
export type Retry = 'no' | 'other-endpoint' | 'fresh-connection';

/** What the client gets when its exchange with the primary failed before a response head was sent. */
export interface FailureAnswer {
  readonly status: number;
  /** The body: one line, without anything that the upstream or the client said. */
  readonly text: string;
  /** Envoy's response flag for access logs. */
  readonly flag: string;
}

interface FailureRow extends FailureAnswer {
  readonly code: string;
  readonly source: ErrorSource;
  readonly blame: Blame;
  /**
   * The drop reason of a copy that fails this way before its first byte was sent; null: it still counts as
   * sent.
   */
  readonly unsent: string | null;
  readonly retry: Retry;
  readonly when: string;
}

/** Reasons an exchange with an upstream failed. */
export const failures = [
  {
    code: 'connect',
    blame: 'shadow',
    unsent: null,
    status: 502,
    source: 'upstream',
    retry: 'other-endpoint',
    text: 'upstream connection failed\n',
    flag: 'UF',
    when: 'No connection: refused, unreachable, or too slow (`connections.connectTimeout`).',
  },
  {
    code: 'tls',
    blame: 'shadow',
    unsent: null,
    status: 502,
    source: 'upstream',
    retry: 'other-endpoint',
    text: 'upstream TLS handshake failed\n',
    flag: 'UF',
    when: 'The TLS handshake failed, or the certificate is not for this endpoint.',
  },
  {
    code: 'timeout',
    blame: 'shadow',
    unsent: null,
    status: 504,
    source: 'upstream',
    retry: 'no',
    text: 'upstream timed out\n',
    flag: 'UT',
    when: 'A time of the route or the mirror (`timeouts`) was over while the version owed the next byte.',
  },
  {
    code: 'reset',
    blame: 'shadow',
    unsent: null,
    status: 502,
    source: 'upstream',
    retry: 'fresh-connection',
    text: 'upstream closed the connection before its response was complete\n',
    flag: 'UC',
    when: 'The connection was reset or closed before the response was whole.',
  },
  {
    code: 'protocol',
    blame: 'shadow',
    unsent: null,
    status: 502,
    source: 'upstream',
    retry: 'no',
    text: 'upstream sent a response that is not valid HTTP\n',
    flag: 'UPE',
    when: 'The response is not HTTP, can be read in two ways, or passes a limit.',
  },
  {
    code: 'overloaded',
    blame: 'shadow',
    unsent: 'in-flight',
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'too many requests are waiting for the upstream\n',
    flag: 'UO',
    when: 'The queue for connections is full, or the bytes held for slow upstreams are too many.',
  },
  {
    code: 'no-endpoint',
    blame: 'shadow',
    unsent: 'no-endpoint',
    status: 503,
    source: 'upstream',
    retry: 'no',
    text: 'no upstream endpoint is available\n',
    flag: 'UH',
    when: 'No endpoint can be tried, as when no name of the version has resolved yet.',
  },
  {
    code: 'aborted',
    blame: 'client',
    unsent: 'aborted',
    status: 499,
    source: 'downstream',
    retry: 'no',
    text: 'client closed the connection\n',
    flag: 'DC',
    when: 'The client went away; nobody is there to be answered. 499 stands in the access log alone.',
  },
  {
    code: 'body-too-large',
    blame: 'client',
    unsent: 'body-too-large',
    status: 413,
    source: 'downstream',
    retry: 'no',
    text: 'request body too large\n',
    flag: 'DC',
    when: "A body without a length outgrew the listener's `body.max` on its way to the primary, or the mirror's after its copy had begun; then the primary's request goes on.",
  },
  {
    code: 'ring-full',
    blame: 'umbra',
    unsent: 'ring-full',
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'The ring had no room for the rest of a copy that had begun. Of copies alone.',
  },
  {
    code: 'draining',
    blame: 'umbra',
    unsent: 'draining',
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'shutting down\n',
    flag: 'UO',
    when: 'umbra ended before the copy was over. Of copies alone.',
  },
  {
    code: 'memory',
    blame: 'umbra',
    unsent: 'memory',
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'More bytes would be held for the shadow than `memory`, after the copy had begun. Of copies alone.',
  },
  {
    code: 'response-too-large',
    blame: 'umbra',
    unsent: null,
    status: 502,
    source: 'upstream',
    retry: 'no',
    text: 'response too large\n',
    flag: 'UPE',
    when: "The body of the shadow's response is larger than `response.max`. Of copies alone.",
  },
  {
    code: 'write',
    blame: 'umbra',
    unsent: null,
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'The recording could not be written to its end. Of copies alone.',
  },
  {
    code: 'stream-full',
    blame: 'umbra',
    unsent: null,
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'NATS refused the published message, because the stream is full. Of copies alone.',
  },
  {
    code: 'stream-down',
    blame: 'umbra',
    unsent: null,
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'NATS did not acknowledge the message within `stream.timeout`, though it was published anew after each new connection. It may be in the stream. Of copies alone.',
  },
  {
    code: 'stream-refused',
    blame: 'umbra',
    unsent: null,
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'NATS refused the published message for another reason than room, as when it is larger than the stream allows. Of copies alone.',
  },
  {
    code: 'unread',
    blame: 'shadow',
    unsent: null,
    status: 504,
    source: 'upstream',
    retry: 'no',
    text: 'upstream did not read the request\n',
    flag: 'UT',
    when: 'The version took no byte of the request for `timeouts.idle`.',
  },
  {
    code: 'slow-client',
    blame: 'client',
    unsent: 'slow-client',
    status: 408,
    source: 'downstream',
    retry: 'no',
    text: 'the request did not arrive in time\n',
    flag: 'DT',
    when: 'A time of the route or the mirror was over while the client owed the rest of its request.',
  },
  {
    code: 'out-of-resources',
    blame: 'umbra',
    unsent: 'out-of-resources',
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'out of resources\n',
    flag: 'UO',
    when: 'umbra could not open a connection: it is out of descriptors, local ports or buffers (EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM).',
  },
  {
    code: 'answered-early',
    blame: 'client',
    unsent: 'answered-early',
    status: 503,
    source: 'downstream',
    retry: 'no',
    text: 'no room\n',
    flag: 'DC',
    when: 'The primary answered before the request was whole, and the rest did not come. Of copies alone.',
  },
  {
    code: 'primary-failed',
    blame: 'umbra',
    unsent: 'primary-failed',
    status: 503,
    source: 'upstream',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'The exchange with the primary failed before the request was whole. Of copies alone.',
  },
  {
    code: 'thread-ended',
    blame: 'umbra',
    unsent: 'thread-ended',
    status: 503,
    source: 'local',
    retry: 'no',
    text: 'no room\n',
    flag: 'UO',
    when: 'The proxy thread that had the request ended before the request was whole. Of copies alone.',
  },
] as const satisfies readonly FailureRow[];
export type FailureReason = (typeof failures)[number]['code'];
export const failureReasons: readonly FailureReason[] = failures.map(({ code }) => code);
/** By `Failure` code. */
export const failureAnswers: readonly FailureAnswer[] = failures;

/** Indexes of `failures`, for code that must not compare strings. */
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
  MEMORY: 11,
  RESPONSE_TOO_LARGE: 12,
  WRITE: 13,
  STREAM_FULL: 14,
  STREAM_DOWN: 15,
  STREAM_REFUSED: 16,
  UNREAD: 17,
  SLOW_CLIENT: 18,
  OUT_OF_RESOURCES: 19,
  ANSWERED_EARLY: 20,
  PRIMARY_FAILED: 21,
  THREAD_ENDED: 22,
} as const;
export type Failure = (typeof Failure)[keyof typeof Failure];

/** Neither a failure nor a drop. */
export const none = -1;

interface DropRow {
  readonly code: string;
  readonly blame: Blame;
  readonly source: ErrorSource;
  readonly when: string;
}

/**
 * Reasons a mirrored request was given up before its first byte was sent. No client hears of one, and none is
 * tried again.
 */
export const drops = [
  {
    code: 'ring-full',
    blame: 'umbra',
    source: 'local',
    when: 'The ring between the two threads had no room (`threads.ring`).',
  },
  {
    code: 'frame-too-large',
    blame: 'umbra',
    source: 'local',
    when: 'The head is larger than an eighth of the ring.',
  },
  {
    code: 'body-too-large',
    blame: 'client',
    source: 'downstream',
    when: 'The body is larger than `body.max`.',
  },
  { code: 'rate', blame: 'umbra', source: 'local', when: 'More copies a second than `rate`.' },
  { code: 'in-flight', blame: 'umbra', source: 'local', when: 'More copies under way than `inFlight`.' },
  { code: 'breaker-open', blame: 'shadow', source: 'upstream', when: 'The breaker of the mirror is open.' },
  {
    code: 'no-endpoint',
    blame: 'shadow',
    source: 'upstream',
    when: 'Every endpoint of the shadow rests after a failure.',
  },
  {
    code: 'aborted',
    blame: 'client',
    source: 'downstream',
    when: 'The client went away before the request was whole.',
  },
  { code: 'draining', blame: 'umbra', source: 'local', when: 'umbra is ending, or the mirror was removed.' },
  { code: 'loop', blame: 'client', source: 'downstream', when: 'The request is a copy itself.' },
  { code: 'method', blame: 'umbra', source: 'local', when: 'The method is not in `methods`.' },
  {
    code: 'upgrade',
    blame: 'client',
    source: 'downstream',
    when: 'The request asks for another protocol, such as WebSocket.',
  },
  {
    code: 'memory',
    blame: 'umbra',
    source: 'local',
    when: 'More bytes are held for the shadow than `memory`.',
  },
  {
    code: 'guard',
    blame: 'guard',
    source: 'local',
    when: 'The guard of the route holds its mirrors back, because the primary got worse.',
  },
  { code: 'disk-full', blame: 'umbra', source: 'local', when: 'The recording has no room on its disk.' },
  {
    code: 'unwritable',
    blame: 'umbra',
    source: 'local',
    when: "The recording's directory can't be written to.",
  },
  { code: 'stream-full', blame: 'umbra', source: 'local', when: 'The stream on NATS is full.' },
  {
    code: 'stream-down',
    blame: 'umbra',
    source: 'local',
    when: 'NATS is not there or has no such stream, and as much waits for it as `stream.outstanding` or `memory` allow.',
  },
  {
    code: 'message-too-large',
    blame: 'umbra',
    source: 'local',
    when: "The message would be larger than NATS takes (the server's `max_payload`).",
  },
  {
    code: 'requeued',
    blame: 'shadow',
    source: 'upstream',
    when: '`umbra shadow` could not reach its version and gave the message back to the stream, to be delivered again.',
  },
  {
    code: 'delivery-limit',
    blame: 'shadow',
    source: 'upstream',
    when: '`umbra shadow` gave the message up, because it was delivered more often than `--deliveries`.',
  },
  {
    code: 'unreadable',
    blame: 'umbra',
    source: 'local',
    when: '`umbra shadow` gave the message up, because it is no request that can be sent.',
  },
  {
    code: 'slow-client',
    blame: 'client',
    source: 'downstream',
    when: 'A time of the mirror was over while the client owed the rest of its request.',
  },
  {
    code: 'out-of-resources',
    blame: 'umbra',
    source: 'local',
    when: 'umbra could not open a connection: it is out of descriptors, local ports or buffers.',
  },
  {
    code: 'order-full',
    blame: 'shadow',
    source: 'upstream',
    when: 'Too many copies with the same key of `order` wait for the answers of the ones before them.',
  },
  {
    code: 'answered-early',
    blame: 'client',
    source: 'downstream',
    when: 'The primary answered before the request was whole, and the rest did not come.',
  },
  {
    code: 'primary-failed',
    blame: 'umbra',
    source: 'upstream',
    when: 'The exchange with the primary failed before the request was whole.',
  },
  {
    code: 'thread-ended',
    blame: 'umbra',
    source: 'local',
    when: 'A thread of umbra that had the request or its copy ended.',
  },
] as const satisfies readonly DropRow[];
export type DropReason = (typeof drops)[number]['code'];
export const dropReasons: readonly DropReason[] = drops.map(({ code }) => code);

/** Indexes of `drops`. */
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
  MEMORY: 12,
  GUARD: 13,
  DISK_FULL: 14,
  UNWRITABLE: 15,
  STREAM_FULL: 16,
  STREAM_DOWN: 17,
  MESSAGE_TOO_LARGE: 18,
  REQUEUED: 19,
  DELIVERY_LIMIT: 20,
  UNREADABLE: 21,
  SLOW_CLIENT: 22,
  OUT_OF_RESOURCES: 23,
  ORDER_FULL: 24,
  ANSWERED_EARLY: 25,
  PRIMARY_FAILED: 26,
  THREAD_ENDED: 27,
} as const;
export type Drop = (typeof Drop)[keyof typeof Drop];

const blameByReason = new Map<string, Blame>(
  [...failures, ...drops].map(({ code, blame }): [string, Blame] => [code, blame]),
);
const dropsOfUnsent: readonly (Drop | -1)[] = failures.map(({ unsent }) =>
  unsent === null ? -1 : (dropReasons.indexOf(unsent) as Drop),
);

/**
 * Returns who is to blame for a drop or a failure, by its reason. A reason in both tables has the same blame
 * in both.
 */
export function blameOf(reason: FailureReason | DropReason): Blame {
  return blameByReason.get(reason)!;
}

/** Returns who is to blame for a failure, by its code. */
export function blameOfFailure(failure: Failure): Blame {
  return failures[failure].blame;
}

/** Returns who is to blame for a drop, by its code. */
export function blameOfDrop(drop: Drop): Blame {
  return drops[drop].blame;
}

/**
 * Returns the drop reason of a copy that failed before its first byte was sent; -1: the copy counts as sent
 * and failed.
 */
export function dropOfUnsent(failure: Failure): Drop | -1 {
  return dropsOfUnsent[failure];
}

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

/** Of a request that `fault.delay` has hit. */
export const delayFlag = 'DI';

/** Of a request that used all retries of its route, and would have been sent once more. */
export const retriesExhaustedFlag = 'URX';

/** A request whose Content-Length is above its listener's `body.max`. */
export const bodyTooLargeAnswer = { status: 413, text: 'The request body is too large.\n' } as const;

/** One row of the whole table; null: there is none. */
export interface ErrorRow {
  readonly kind: 'failure' | 'drop' | 'refusal';
  readonly code: string;
  readonly status: number | null;
  readonly source: ErrorSource;
  readonly retry: Retry;
  /** Metrics with their labels. Of a failure the second one moves for copies. */
  readonly counters: readonly string[];
  readonly text: string | null;
  readonly flag: string | null;
  readonly when: string;
}

/** The whole table. Made on demand: the data path needs none of it. */
export function errorRows(): ErrorRow[] {
  return [
    ...failures.map(
      (row): ErrorRow => ({
        ...row,
        kind: 'failure',
        counters: [
          `umbra_upstream_failures_total{reason="${row.code}"}`,
          `umbra_mirror_failed_total{reason="${row.code}"}`,
        ],
      }),
    ),
    ...drops.map(
      (row): ErrorRow => ({
        ...row,
        kind: 'drop',
        status: null,
        retry: 'no',
        counters: [`umbra_mirror_dropped_total{reason="${row.code}"}`],
        text: null,
        flag: null,
      }),
    ),
    {
      ...noRouteAnswer,
      kind: 'refusal',
      code: 'no-route',
      source: 'downstream',
      retry: 'no',
      counters: ['umbra_downstream_unrouted_total'],
      when: 'No route matches the request.',
    },
    {
      ...locationTooLongAnswer,
      kind: 'refusal',
      code: 'location-too-long',
      source: 'downstream',
      retry: 'no',
      counters: ['umbra_downstream_answered_total'],
      flag: null,
      when: "The Location of a route's `redirect` would be longer than 16 KiB.",
    },
    {
      ...faultAnswer,
      kind: 'refusal',
      code: 'fault',
      status: null,
      source: 'local',
      retry: 'no',
      counters: ['umbra_fault_aborts_total'],
      when: 'By `fault.abort` of its route, on purpose.',
    },
    {
      ...bodyTooLargeAnswer,
      kind: 'refusal',
      code: 'body-too-large',
      source: 'downstream',
      retry: 'no',
      counters: ['umbra_downstream_body_too_large_total'],
      flag: null,
      when: "The Content-Length is above the listener's `body.max`; no version hears of it.",
    },
    ...requestFaultAnswers.slice(RequestFault.NONE + 1).map(
      (row): ErrorRow => ({
        ...row,
        kind: 'refusal',
        source: 'downstream',
        retry: 'no',
        counters: ['umbra_downstream_refused_total'],
        flag: null,
      }),
    ),
  ];
}
