/**
 * What a sink is: a place where copies are kept instead of being sent to a shadow. A sink thread gathers each
 * copy from its ring (core/sink/sink-receiver) and puts it into the sink of its mirror; the accounting law is
 * kept on this border:
 *
 *   HEAD arrives        received                  `refuses` names a reason, or a bound is reached: dropped
 *   the copy is whole   `put`, and sent           given up before, or `put` names a reason: dropped
 *   `settled(none, n)`  completed, n bytes kept   exactly once for each `put`, at once or later
 *   `settled(failure)`  failed
 *
 * Between `put` and `settled` a copy is in flight, and its bytes count in the mirror's `memory`, which bounds
 * what a sink may have outstanding. A sink never waits and never throws from these methods.
 */
import { type Drop, type Failure, none } from '../errors.js';
import type { GrpcStatus } from '../grpc/grpc-status.js';
import type { RequestParts } from '../http/message.js';

/** Returns `other`, or `reason` where `other` is none. */
export function reasonOr(reason: Drop, other: Drop | typeof none): Drop {
  return other === none ? reason : other;
}

/** One request as its mirror makes it, whole. */
export interface Copy extends RequestParts {
  readonly route: string;
  /** When a proxy thread offered it, on the time line of core/clock. */
  readonly offeredUs: number;
  /** The client used HTTP/2. */
  readonly http2: boolean;
  /** The key of the mirror's `order` (core/mirror/order-key); 0: the request is in no order. */
  readonly orderKey: number;
  /** Bytes of its own, which outlive the frame in the ring. */
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  /** Field lines; empty: there are none. */
  readonly trailers: string;
  /** When the messages of a gRPC call came (core/grpc/message-times); empty for any other request. */
  readonly messageTimes: string;
  /** The outcome of the primary's exchange, where the mirror asks for it and it is known. */
  readonly primary: PrimaryOutcome | null;
  /** The primary's response, where the mirror asks for it and it came whole. */
  readonly response: CopiedResponse | null;
  /** The sink is done with it; `keptBytes`: as many as it takes there. */
  settled(failure: Failure | typeof none, keptBytes: number): void;
  /** A file was begun for it. */
  segmentBegun(): void;
  /** A part of it is hidden, or left out because it can't be looked into. Called once at most. */
  redacted(): void;
}

export interface PrimaryOutcome {
  /** The status that a whole response is judged by: for gRPC that of its `grpcStatus`; else 0. */
  readonly status: number;
  /** The status of a gRPC call, or `NONE`. */
  readonly grpcStatus: GrpcStatus;
  /** Why there is no whole response, or `none`. */
  readonly failure: Failure | typeof none;
  /** The time from the first byte sent to the last one received. */
  readonly latencyUs: number;
  /** The size of the body without framing. */
  readonly responseBytes: number;
  /** A checksum of the body (core/compare/digest); null: it was not made. */
  readonly bodyDigest: number | null;
}

export interface CopiedResponse {
  readonly status: number;
  /** `200 OK CRLF name: value CRLF …` without hop-by-hop fields and framing (core/http/response-text). */
  readonly head: string;
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  /** The body is longer than what is here. */
  readonly truncated: boolean;
  /** Field lines; empty: there are none. */
  readonly trailers: string;
  /** When its messages came, from the beginning of the call; empty where it is not a gRPC call. */
  readonly messageTimes: string;
  /** The primary's time from the first byte sent to the last one received. */
  readonly latencyUs: number;
}

export interface Sink {
  /** Why nothing can be taken now, or `none`. Asked for every request, so it must cost nothing. */
  refuses(): Drop | typeof none;
  /**
   * Takes a copy, which counts as sent then, or says why not, which drops it. `copy` is not settled before
   * this returns, and what it holds (body, response) may be looked at only until then.
   */
  put(copy: Copy): Drop | typeof none;
  /**
   * Why what was put is not settled, if that is the reason why bounds are reached: copies are dropped as
   * this, not as `memory`.
   */
  stalled(): Drop | typeof none;
  /**
   * Why nothing can be kept now, or `none`: for those who look at it, where `refuses` and `stalled` are for
   * one copy. A stopped recording that may be tried again is in trouble until that went well.
   */
  trouble(): Drop | typeof none;
  /**
   * Messages that are kept and not taken by the slowest taker yet; null where nobody takes any, or it is not
   * known.
   */
  lag(): number | null;
  /** Sends out what was put: the thread has read all that its rings have for now. */
  flush(): void;
  /** Fails everything that still waits, at once: the time for a drain is over. */
  abort(): void;
  /** Writes out what was put and releases files and sockets; resolves when every copy is settled. */
  close(): Promise<void>;
}
