/** A version of a service: its endpoints, and how they are reached, checked and ejected. */
import type { Address, PemFile } from './place.js';

/**
 * What is spoken with a version's endpoints: `auto` is what ALPN says on `https://` endpoints, and HTTP/1.1
 * on plain ones; `http2` on a plain one is spoken without asking (RFC 9113, section 3.3).
 */
export type UpstreamProtocol = 'http1' | 'http2' | 'auto';

export interface VersionPlan {
  readonly name: string;
  readonly protocol: UpstreamProtocol;
  /** HTTP/2: most requests at once on one connection; its peer may allow fewer. */
  readonly streamsMax: number;
  readonly endpoints: readonly EndpointPlan[];
  /** Most connections that one thread opens to one endpoint. */
  readonly connectionsMax: number;
  readonly idleMs: number;
  readonly connectTimeoutMs: number;
  /** Requests of one thread that may wait for a connection, and for how long. */
  readonly queueMax: number;
  readonly queueTimeoutMs: number;
  /**
   * How often the names of endpoints are resolved again; the system's resolver does not report how long an
   * answer holds.
   */
  readonly dnsRefreshMs: number;
  /** Null: endpoints are not probed. */
  readonly health: HealthPlan | null;
  readonly ejection: EjectionPlan;
  /**
   * An endpoint that comes back gets a share that grows to its full one over this time; 0: all of it at once.
   */
  readonly slowStartMs: number;
  /**
   * How endpoints with `secure` are reached; null is the system's authorities and the endpoint's own name.
   */
  readonly tls: VersionTlsPlan | null;
}

export interface EndpointPlan {
  readonly address: Address;
  /** `host:port` as the Host field of a request to this endpoint would say it. */
  readonly authority: string;
  /** TLS; never with a unix socket. */
  readonly secure: boolean;
  /** Its part of the requests, against the weights of the other endpoints; above 0. */
  readonly weight: number;
}

export interface VersionTlsPlan {
  /** Authorities in place of the system's. */
  readonly ca: PemFile | null;
  /** umbra's own certificate and key, for endpoints that ask for one. */
  readonly cert: PemFile | null;
  readonly key: PemFile | null;
  /** The name to ask for and to check, where it is not the endpoint's. */
  readonly serverName: string | null;
  /** False: any certificate will do. */
  readonly verify: boolean;
}

/** Active health checks: a GET of `path` to each address of each endpoint. */
export interface HealthPlan {
  /** The service that checks ask for over gRPC; empty: the whole server. Null: checks are a GET of `path`. */
  readonly grpc: string | null;
  readonly path: string;
  /** The Host field; null is the endpoint's authority. */
  readonly host: string | null;
  /** Time from the start of one check to the start of the next. */
  readonly intervalMs: number;
  /** The whole check, the connect included. */
  readonly timeoutMs: number;
  /** Checks in a row that must pass before an unhealthy address is healthy. */
  readonly healthyThreshold: number;
  /** Checks in a row that must fail before a healthy address is unhealthy. */
  readonly unhealthyThreshold: number;
  /** Ranges of status codes that pass, both ends included. */
  readonly statuses: readonly (readonly [first: number, last: number])[];
}

/** Passive ejection: what an endpoint does to real requests takes it out for a while. */
export interface EjectionPlan {
  /**
   * Failed answers in a row (502, 503, 504, reset, timeout, not HTTP) that eject an endpoint; 0: answers
   * never do.
   */
  readonly failures: number;
  /**
   * Errors in a row (any status from 500 on, reset, timeout, not HTTP) that eject an endpoint; 0: they never
   * do.
   */
  readonly errors: number;
  /** The first ejection in a row; the n-th takes n times as long, at most `maxTimeMs`. */
  readonly baseTimeMs: number;
  readonly maxTimeMs: number;
  /** At most this share of a version's addresses is ejected for its answers, rounded down. */
  readonly maxShareMillionths: number;
}

/** The times of one exchange with a version, in milliseconds; 0: no bound. */
export interface TimeoutsPlan {
  /** Time limit from when the request is whole to the head of the response, waits and retries included. */
  readonly requestMs: number;
  /** `requestMs` runs on to the end of the response. */
  readonly requestUntilEnd: boolean;
  /**
   * Time limit of one attempt, from the kernel having the last byte of the request to the response's head.
   */
  readonly firstByteMs: number;
  /** Between two bytes of the response, and between two bytes of the request that the version takes. */
  readonly idleMs: number;
  /** The whole exchange. */
  readonly totalMs: number;
}
