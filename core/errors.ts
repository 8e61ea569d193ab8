/**
 * Why a request to a version fails, and why a copy is dropped, in two tables. The hot path passes codes
 * (`Failure`, `Drop`); the rows say who is to blame and which counter moves. What clients get is in
 * core/answers. docs/errors.md is generated from both (`npm run docs`). The order of the rows is the index
 * into the counters: new rows go to the end, and get an index in `Failure` or `Drop` below.
 *
 * The file is long because the two tables share their columns and their blame, and are read beside each
 * other.
 */

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

interface FailureRow {
  readonly code: string;
  /** Envoy's response flag for access logs. */
  readonly flag: string;
  readonly source: ErrorSource;
  readonly blame: Blame;
  /**
   * The drop reason of a copy that fails this way before its first byte was sent; null: it still counts as
   * sent.
   */
  readonly unsent: string | null;
  /** The word that docs/errors.md has for it; core/upstream/resend decides. */
  readonly retry: Retry;
  readonly when: string;
}

/** Reasons an exchange with an upstream failed. */
export const failures = [
  {
    code: 'connect',
    blame: 'shadow',
    unsent: null,
    source: 'upstream',
    retry: 'other-endpoint',
    flag: 'UF',
    when: 'No connection: refused, unreachable, or too slow (`connections.connectTimeout`).',
  },
  {
    code: 'tls',
    blame: 'shadow',
    unsent: null,
    source: 'upstream',
    retry: 'other-endpoint',
    flag: 'UF',
    when: 'The TLS handshake failed, or the certificate is not for this endpoint.',
  },
  {
    code: 'timeout',
    blame: 'shadow',
    unsent: null,
    source: 'upstream',
    retry: 'no',
    flag: 'UT',
    when: 'A time of the route or the mirror (`timeouts`) was over while the version owed the next byte.',
  },
  {
    code: 'reset',
    blame: 'shadow',
    unsent: null,
    source: 'upstream',
    retry: 'fresh-connection',
    flag: 'UC',
    when: 'The connection was reset or closed before the response was whole.',
  },
  {
    code: 'protocol',
    blame: 'shadow',
    unsent: null,
    source: 'upstream',
    retry: 'no',
    flag: 'UPE',
    when: 'The response is not HTTP, can be read in two ways, or passes a limit.',
  },
  {
    code: 'overloaded',
    blame: 'shadow',
    unsent: 'in-flight',
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'The queue for connections is full, or the bytes held for slow upstreams are too many.',
  },
  {
    code: 'no-endpoint',
    blame: 'shadow',
    unsent: 'no-endpoint',
    source: 'upstream',
    retry: 'no',
    flag: 'UH',
    when: 'No endpoint can be tried, as when no name of the version has resolved yet.',
  },
  {
    code: 'aborted',
    blame: 'client',
    unsent: 'aborted',
    source: 'downstream',
    retry: 'no',
    flag: 'DC',
    when: 'The client went away; nobody is there to be answered. The copy is canceled with the primary. 499 stands in the access log alone.',
  },
  {
    code: 'body-too-large',
    blame: 'client',
    unsent: 'body-too-large',
    source: 'downstream',
    retry: 'no',
    flag: 'DC',
    when: "A body without a length outgrew the listener's `body.max` on its way to the primary, or the mirror's after its copy had begun; then the primary's request continues.",
  },
  {
    code: 'ring-full',
    blame: 'umbra',
    unsent: 'ring-full',
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'The ring had no room for the rest of a copy that had begun.',
  },
  {
    code: 'draining',
    blame: 'umbra',
    unsent: 'draining',
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'umbra ended before the copy was over.',
  },
  {
    code: 'memory',
    blame: 'umbra',
    unsent: 'memory',
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'More bytes would be held for the shadow than `memory`, after the copy had begun.',
  },
  {
    code: 'response-too-large',
    blame: 'umbra',
    unsent: null,
    source: 'upstream',
    retry: 'no',
    flag: 'UPE',
    when: "The body of the shadow's response is larger than `response.max`.",
  },
  {
    code: 'write',
    blame: 'umbra',
    unsent: null,
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'The recording could not be written to its end.',
  },
  {
    code: 'stream-full',
    blame: 'umbra',
    unsent: null,
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'NATS refused the published message, because the stream is full.',
  },
  {
    code: 'stream-down',
    blame: 'umbra',
    unsent: null,
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'NATS did not acknowledge the message within `stream.timeout`, though it was published again after each new connection. It may be in the stream.',
  },
  {
    code: 'stream-refused',
    blame: 'umbra',
    unsent: null,
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'NATS refused the published message for another reason than room, as when it is larger than the stream allows.',
  },
  {
    code: 'unread',
    blame: 'shadow',
    unsent: null,
    source: 'upstream',
    retry: 'no',
    flag: 'UT',
    when: 'The version took no byte of the request for `timeouts.idle`.',
  },
  {
    code: 'slow-client',
    blame: 'client',
    unsent: 'slow-client',
    source: 'downstream',
    retry: 'no',
    flag: 'DT',
    when:
      'A time of the listener, the route or the mirror was over while the client owed the rest of its request, ' +
      'or the client sent it so slowly that umbra ended it for the sake of others.',
  },
  {
    code: 'out-of-resources',
    blame: 'umbra',
    unsent: 'out-of-resources',
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'umbra could not open a connection: it is out of descriptors, local ports or buffers (EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM).',
  },
  {
    code: 'answered-early',
    blame: 'client',
    unsent: 'answered-early',
    source: 'downstream',
    retry: 'no',
    flag: 'DC',
    when: 'The primary answered before the request was whole, and the rest did not come.',
  },
  {
    code: 'primary-failed',
    blame: 'umbra',
    unsent: 'primary-failed',
    source: 'upstream',
    retry: 'no',
    flag: 'UO',
    when: 'The exchange with the primary failed before the request was whole.',
  },
  {
    code: 'thread-ended',
    blame: 'umbra',
    unsent: 'thread-ended',
    source: 'local',
    retry: 'no',
    flag: 'UO',
    when: 'A thread of umbra that had the request or its copy ended.',
  },
  {
    code: 'malformed-body',
    blame: 'client',
    unsent: 'malformed-body',
    source: 'downstream',
    retry: 'no',
    flag: 'DPE',
    when: 'The rest of the request could not be understood: its chunks or trailers are malformed.',
  },
  {
    code: 'slow-reader',
    blame: 'client',
    unsent: 'slow-reader',
    source: 'downstream',
    retry: 'no',
    flag: 'DT',
    when: "The client took nothing of its response for the listener's `response.timeout`.",
  },
] as const satisfies readonly FailureRow[];
export type FailureReason = (typeof failures)[number]['code'];
export const failureReasons: readonly FailureReason[] = failures.map(({ code }) => code);

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
  MALFORMED_BODY: 23,
  SLOW_READER: 24,
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
 * Reasons a mirrored request was given up before its first byte was sent. No client notices one, and none is
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
    when: 'The client went away before the copy was sent.',
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
    when: "NATS can't be reached or has no such stream, and as much waits for it as `stream.outstanding` or `memory` allow.",
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
    when: '`umbra shadow` gave the message up, because it is not a request that can be sent.',
  },
  {
    code: 'slow-client',
    blame: 'client',
    source: 'downstream',
    when:
      'A time of the listener, the route or the mirror was over while the client owed the rest of its request, ' +
      'or the client sent it so slowly that umbra ended it for the sake of others.',
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
  {
    code: 'malformed-body',
    blame: 'client',
    source: 'downstream',
    when: 'The rest of the request could not be understood: its chunks or trailers are malformed.',
  },
  {
    code: 'slow-reader',
    blame: 'client',
    source: 'downstream',
    when: "The client took nothing of its response for the listener's `response.timeout`.",
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
  MALFORMED_BODY: 28,
  SLOW_READER: 29,
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
