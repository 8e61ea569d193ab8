/**
 * What a sink is: a place where copies are kept instead of being sent to a shadow. A sink thread gathers each copy from its
 * ring (core/sink/receiver) and puts it into the sink of its mirror; the accounting law is kept on this border:
 *
 *   HEAD arrives        received                  `refuses` names a reason, or a bound is reached: dropped
 *   the copy is whole   sent, and `put`           given up before: dropped
 *   `settled(none)`     completed                 exactly once for each `put`, at once or later
 *   `settled(failure)`  failed
 *
 * Between `put` and `settled` a copy is in flight, and its bytes count in the mirror's `memory`, which bounds what a sink may
 * have outstanding. A sink never waits and never throws from these methods.
 */
import type { Drop, Failure } from '../errors.js';
import type { Framing } from '../http/message.js';

/** Neither a drop nor a failure. */
export const none = -1;

/** One request as its mirror makes it, whole. */
export interface Copy {
  readonly route: string;
  /** When a proxy thread offered it, on the time line of core/clock. */
  readonly offeredUs: number;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Field lines, a wire string, without Host and framing. */
  readonly fields: string;
  readonly framing: Framing;
  readonly lengthZero: boolean;
  /** Its own bytes, not the ring's. */
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  /** Field lines; empty: there are none. */
  readonly trailers: string;
  /** The primary's response, where the mirror asks for it and it came whole. */
  readonly response: CopiedResponse | null;
  /** The sink is done with it. */
  settled(failure: Failure | typeof none): void;
}

export interface CopiedResponse {
  readonly status: number;
  /** `200 OK CRLF name: value CRLF …` without hop-by-hop fields and framing (core/http/response-text). */
  readonly head: string;
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  /** The body is longer than what is here. */
  readonly truncated: boolean;
  /** Of the primary: from the first byte sent to the last one received. */
  readonly latencyUs: number;
}

export interface Sink {
  /** Why nothing can be taken now, or `none`. Asked for every request, so it must cost nothing. */
  refuses(): Drop | typeof none;
  put(copy: Copy): void;
  /** The thread has read all that its rings have for now: what was put is to go out. */
  flush(): void;
  /** Writes out what was put and lets go of files and sockets; resolves when every copy is settled. */
  close(): Promise<void>;
}
