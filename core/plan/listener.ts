/** What umbra listens on, and what it does to each request before a route is chosen. */
import type { Address, PemFile } from './place.js';

/** `h2` is HTTP/2: by ALPN over TLS, by prior knowledge on a plain port. */
export type Protocol = 'http1' | 'h2';
export type EngineChoice = 'uws' | 'node' | 'auto';

export interface ListenerPlan {
  readonly address: Address;
  readonly engine: EngineChoice;
  /** What clients may speak; the uws engine knows http1 alone. */
  readonly protocols: readonly Protocol[];
  /** Permission bits of a unix socket's file; null leaves them to the umask. */
  readonly socketMode: number | null;
  readonly tls: ListenerTlsPlan | null;
  readonly limits: ListenerLimits;
  readonly edge: EdgePlan;
}

/** Checked to belong together when the configuration was loaded. */
export interface ListenerTlsPlan {
  readonly cert: PemFile;
  readonly key: PemFile;
}

/** What one client may ask of a listener, and how long it may take for it. */
export interface ListenerLimits {
  /** Over all threads. */
  readonly connectionsMax: number;
  /** Between a response and the next request. */
  readonly idleMs: number;
  /** A client that closes its side before its response is whole gets none. Always so on the uws engine. */
  readonly abortsHalfClosed: boolean;
  readonly headBytesMax: number;
  /** Time limit from the first byte of a head to its last. */
  readonly headMs: number;
  /** Null: any length. */
  readonly bodyBytesMax: number | null;
  /** Between two pieces of a body. */
  readonly bodyMs: number;
  /** Between two pieces of a response that the client takes. */
  readonly responseMs: number;
}

/**
 * Which fields umbra adds to each request before it is routed, so that the primary and all copies carry them.
 */
export interface EdgePlan {
  readonly forwarded: ForwardedPlan;
  /** The name that is appended to Via; null: Via is left alone. */
  readonly via: string | null;
  readonly requestId: 'keep' | 'new' | 'off';
  /**
   * Networks, as `10.0.0.0/8`, of the proxies whose forwarded fields are believed; null: nobody's are, and
   * nobody's are taken away.
   */
  readonly trusted: readonly string[] | null;
  /** What becomes of fields whose names have underscores. */
  readonly underscores: 'drop' | 'pass' | 'refuse';
  /** Routes match a normalized path. */
  readonly normalizesPath: boolean;
  /** In it, several slashes in a row are one. */
  readonly mergesSlashes: boolean;
}

export interface ForwardedPlan {
  /** `set` replaces what the client sent. */
  readonly mode: 'append' | 'set' | 'off';
  /** `X-Forwarded-For`, `-Proto`, `-Host`, or `Forwarded` (RFC 7239). */
  readonly as: 'x-forwarded' | 'forwarded';
}
