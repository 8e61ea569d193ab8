/**
 * A plan is the compiled configuration: an immutable snapshot with a generation number that main sends to
 * every thread. It is plain data (it crosses threads by structured clone); threads build their own pools and
 * tables from it, swap it whole, and acknowledge. Exchanges in flight finish on the plan they began with.
 */

export interface Plan {
  readonly generation: number;
  readonly listeners: readonly ListenerPlan[];
  readonly admin: AdminPlan | null;
  readonly threads: ThreadsPlan;
  readonly drainMs: number;
  /** Instances with one salt choose the same keys. */
  readonly samplingSalt: string;
  readonly versions: readonly VersionPlan[];
  /** First match wins. */
  readonly routes: readonly RoutePlan[];
  readonly accessLog: AccessLogPlan | null;
  readonly histograms: HistogramsPlan | null;
  /** Null: this instance is not one of a fleet. */
  readonly fleet: FleetPlan | null;
  readonly redact: RedactPlan;
  /**
   * JSON of the effective configuration as it was loaded; empty on threads of the data plane, which never
   * show it.
   */
  readonly effective: string;
}

export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export type EngineChoice = 'uws' | 'node' | 'auto';

export interface ListenerPlan {
  readonly address: Address;
  readonly engine: EngineChoice;
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
  /** `set` throws away what the client said. */
  readonly mode: 'append' | 'set' | 'off';
  /** `X-Forwarded-For`, `-Proto`, `-Host`, or `Forwarded` (RFC 7239). */
  readonly as: 'x-forwarded' | 'forwarded';
}

/** Where snapshots of this instance go. */
export interface FleetPlan {
  readonly nats: NatsPlace;
  /** A key-value bucket. */
  readonly bucket: string;
  /** Name of this instance. */
  readonly name: string;
  readonly intervalMs: number;
}

export interface NatsPlace {
  /** `host:port` of servers of one cluster. */
  readonly servers: readonly string[];
  /** No connection without TLS. */
  readonly secure: boolean;
  /** Null: credentials come from the environment, if there are any. */
  readonly user: string | null;
  /** Null where `user` is one: it is a token. */
  readonly password: string | null;
}

export interface AdminPlan {
  readonly address: Address;
  /** Required off loopback; null means that none is asked for. */
  readonly token: string | null;
}

export interface ThreadsPlan {
  readonly proxy: number;
  readonly shadow: number;
  /** Bytes of one ring between one proxy and one shadow thread; a power of two. */
  readonly ringBytes: number;
  /** Niceness of shadow threads, on Linux: how much lower their priority is than that of proxy threads. */
  readonly nice: number;
}

export interface VersionPlan {
  readonly name: string;
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

/** Active health checks: a GET of `path` to each address of each endpoint. */
export interface HealthPlan {
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
  /** The first ejection in a row; the n-th takes n times as long, at most `maxTimeMs`. */
  readonly baseTimeMs: number;
  readonly maxTimeMs: number;
  /** At most this share of a version's addresses is ejected for its answers, rounded down. */
  readonly maxShareMillionths: number;
}

/** A PEM file as it was when the configuration was loaded: another content is another plan. */
export interface PemFile {
  readonly path: string;
  readonly pem: string;
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

export interface EndpointPlan {
  readonly address: Address;
  /** `host:port` as the Host field of a request to this endpoint would say it. */
  readonly authority: string;
  /** TLS; never with a unix socket. */
  readonly secure: boolean;
}

/** The times of one exchange with a version, in milliseconds; 0: no bound. */
export interface TimeoutsPlan {
  /** Time limit from when the request is whole to the head of the response, waits and retries included. */
  readonly requestMs: number;
  /**
   * Time limit of one attempt, from the kernel having the last byte of the request to the response's head.
   */
  readonly firstByteMs: number;
  /** Between two bytes of the response, and between two bytes of the request that the version takes. */
  readonly idleMs: number;
  /** The whole exchange. */
  readonly totalMs: number;
}

export interface RoutePlan {
  readonly name: string;
  /** A request that one of them matches takes this route. Never empty. */
  readonly matches: readonly MatchPlan[];
  /** The versions that answer: one of them each request. Empty where `answer` is set. */
  readonly primaries: readonly PrimaryPlan[];
  /** What decides among several primaries. */
  readonly split: SamplePlan;
  /** umbra answers itself and asks nobody. Null: a primary answers. */
  readonly answer: AnswerPlan | null;
  /** Another path and host for the primary. Null: those of the request. */
  readonly rewrite: PrimaryRewrite | null;
  /** Changes to the request for the primary, and to its response for the client. Null: there are none. */
  readonly headers: MessageEdits | null;
  /** Null: nothing beyond what is safe by itself is sent twice. */
  readonly retries: RetryPlan | null;
  /** Null: requests are neither delayed nor refused on purpose. */
  readonly fault: FaultPlan | null;
  /** Protocols, in lower case, to which the primary may switch; an offer of another one is not passed. */
  readonly upgrades: readonly string[];
  /** Time limits of exchanges with the primary. */
  readonly timeouts: TimeoutsPlan;
  /** Null: mirrors do not back off by themselves. */
  readonly guard: GuardPlan | null;
  readonly mirrors: readonly MirrorPlan[];
}

/** One version that answers on a route. */
export interface PrimaryPlan {
  /** Index into `versions`. */
  readonly version: number;
  /** Its part of the sum of all weights of the route; 0: it gets nothing. */
  readonly weight: number;
  /** Beside the route's, for what this version gets and answers; applied before those. */
  readonly headers: MessageEdits | null;
}

/** What umbra answers by itself. */
export type AnswerPlan =
  | {
      readonly kind: 'redirect';
      readonly status: number;
      /** Null: that of the request, as with `host` and `port`. */
      readonly scheme: 'http' | 'https' | null;
      readonly host: string | null;
      /** Null: the scheme's where scheme or host is another one, else the request's. */
      readonly port: number | null;
      /** Null: the path stays. The query always does. */
      readonly path: PathChange | null;
    }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly body: string;
      /** Names are lower case. */
      readonly headers: readonly (readonly [name: string, value: string])[];
    };

export interface PrimaryRewrite {
  readonly path: PathChange | null;
  /** The Host field; null: that of the request. */
  readonly host: string | null;
}

/** Another path for the primary, for a copy, or for a redirect; the query stays. */
export type PathChange =
  /** `value` takes the place of `prefix` where the path begins with it; other paths stay. */
  | {
      readonly kind: 'prefix';
      readonly prefix: string;
      readonly value: string;
      readonly ignoreCase: boolean;
    }
  /**
   * `substitution` takes the place of what `pattern` matches, in the form that `String.replace` takes.
   * `whole`: the pattern must match the whole path, and other paths stay; else every match is replaced.
   */
  | {
      readonly kind: 'regex';
      readonly pattern: string;
      readonly substitution: string;
      readonly whole: boolean;
    }
  | { readonly kind: 'set'; readonly value: string };

/** Null: there are none. */
export interface MessageEdits {
  readonly request: HeaderEdits | null;
  readonly response: HeaderEdits | null;
}

/** When a request is sent to its primary again, before anything of a response went to the client. */
export interface RetryPlan {
  /** Beyond the first. */
  readonly attempts: number;
  /**
   * Time limit from an attempt's beginning to the head of its response; 0: the route's times alone bound it.
   */
  readonly perTryTimeoutMs: number;
  readonly on: readonly RetryCondition[];
}

/**
 * In Envoy's words, or a status code. `connect`: no connection, so nothing was delivered. `reset`: no answer,
 * or none in time.
 */
export type RetryCondition = 'connect' | 'reset' | '5xx' | 'gateway-error' | 'retriable-4xx' | number;

/** What is done to requests on purpose, to see how clients bear it. */
export interface FaultPlan {
  readonly delay: { readonly shareMillionths: number; readonly delayMs: number } | null;
  readonly abort: { readonly shareMillionths: number; readonly status: number } | null;
}

/** When mirrors of a route back off because its primary got worse (core/mirror/guard). */
export interface GuardPlan {
  /** How far the primary's p99 may rise above its base line, as a share of that. */
  readonly p99Millionths: number;
  /** How far its share of errors may. */
  readonly errorMillionths: number;
  readonly windowMs: number;
  /** How long it must be good for the first step back. */
  readonly recoverMs: number;
}

/** A part that is null or empty matches everything; all parts must match, and nothing of `without`. */
export interface MatchPlan {
  /** Lower case, without port; `*.example.com` matches one or more labels in front. */
  readonly host: string | null;
  readonly path: PathMatch | null;
  readonly methods: readonly string[] | null;
  readonly headers: readonly FieldMatch[];
  /** By cookie name, case kept. */
  readonly cookies: readonly FieldMatch[];
  /** By the name of a parameter in the query, as it arrives: nothing is decoded. */
  readonly queries: readonly FieldMatch[];
  /** None of these may match. */
  readonly without: {
    readonly headers: readonly FieldMatch[];
    readonly cookies: readonly FieldMatch[];
    readonly queries: readonly FieldMatch[];
  };
}

/** `ignoreCase`: ASCII letters match in either case. */
export type PathMatch =
  | { readonly kind: 'exact'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'prefix'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'regex'; readonly value: string };

/** A condition on a header field, a cookie or a query parameter. */
export interface FieldMatch {
  /** Lower case if it is a header's. */
  readonly name: string;
  readonly kind: 'exact' | 'prefix' | 'regex' | 'present' | 'absent';
  /** Empty with `present` and `absent`. */
  readonly value: string;
}

export interface MirrorPlan {
  /**
   * Names this mirror's counters; the same (route, version) keeps its slot over reloads. Below
   * `limits.mirrorSlots`.
   */
  readonly slot: number;
  /** Index into `versions`: the shadow; -1 where copies go to `sink`. */
  readonly to: number;
  /** Where copies are kept instead of being sent to a shadow; null: there is a shadow. */
  readonly sink: SinkPlan | null;
  readonly enabled: boolean;
  /** Share in millionths: 0.0001 % is 1, 100 % is 1_000_000. */
  readonly shareMillionths: number;
  readonly sample: SamplePlan;
  /** Methods that are copied, upper case; null copies all. */
  readonly methods: readonly string[] | null;
  /**
   * Whether a copy is taken before or after the changes that the route makes for its primary: path, host and
   * fields.
   */
  readonly of: 'original' | 'forwarded';
  /** Null: copies go out as they come. */
  readonly order: OrderPlan | null;
  readonly host: HostPolicy;
  /** Null: the path of the copy is that of the request. */
  readonly rewrite: PathChange | null;
  readonly trace: TracePolicy;
  readonly headers: HeaderEdits;
  readonly bodyBytesMax: number;
  /**
   * Bytes of requests that shadow threads hold for this mirror, because its shadow does not take them, over
   * all threads.
   */
  readonly heldBytesMax: number;
  /** Bytes of one response's body; a longer one is cut off. */
  readonly responseBytesMax: number;
  /** Requests a second over all threads; null is unlimited. */
  readonly ratePerSecond: number | null;
  /**
   * Requests that may be under way on one connection at a time, of those that can be sent so; 1: none is put
   * behind another.
   */
  readonly pipelining: number;
  /** ShadowRequest requests in flight over all shadow threads. */
  readonly inFlightMax: number;
  /** Time limits of the copy's exchange with the shadow. */
  readonly timeouts: TimeoutsPlan;
  /** Null: there is none. */
  readonly breaker: BreakerPlan | null;
  /** Null: the primary's responses stay on the proxy thread. */
  readonly capture: CapturePlan | null;
  readonly compare: ComparePlan;
}

/** Which copies go out one after the other, each once the one before it was answered. */
export interface OrderPlan {
  readonly by: 'client' | 'connection' | 'header' | 'cookie';
  /** Name of the header, lower case, or of the cookie; empty with the others. */
  readonly name: string;
  /** A hash of the mirror's target: copies to one target have one order, whatever their routes. */
  readonly target: number;
}

/** How the primary's responses travel with the copies, to be compared or recorded. */
export interface CapturePlan {
  /** Share of the copies that are sent, in millionths. */
  readonly shareMillionths: number;
  /** Bytes of one response's body; the rest of a longer one is left out. */
  readonly bodyBytesMax: number;
}

/** Where copies are kept instead of being sent to a shadow (core/sink). */
export type SinkPlan = FileSinkPlan | StreamSinkPlan;

/** A directory of WARC files that copies are written to (core/recording). */
export interface FileSinkPlan {
  readonly kind: 'file';
  /**
   * The address as configured, `file:./recordings`: what stands in metrics and commands in the place of a
   * version.
   */
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** The primary's responses are recorded too, up to the mirror's `responseBytesMax` of each body. */
  readonly responses: boolean;
  /** Each record is a gzip member, compressed or only wrapped. */
  readonly compress: boolean;
  /** A segment is closed at this size or age, whichever comes first. */
  readonly segmentBytes: number;
  readonly segmentMs: number;
  /** Most bytes of all segments in the directory; the oldest are deleted first. */
  readonly diskBytesMax: number;
}

/** A stream of JetStream to which each copy is published as one message (core/stream). */
export interface StreamSinkPlan {
  readonly kind: 'stream';
  /** The address as configured, `nats://host:4222/umbra.reviews`, without credentials. */
  readonly name: string;
  readonly nats: NatsPlace;
  /** What messages are published to. The stream that has it is used as it is, else one is made. */
  readonly subject: string;
  /**
   * What a message contains of the primary's answer; all of it means each body up to the mirror's
   * `responseBytesMax`.
   */
  readonly primary: 'outcome' | 'digest' | 'response';
  /** Messages that may wait for their acknowledgement. */
  readonly outstandingMax: number;
  /** How long one may wait, over all connections. */
  readonly timeoutMs: number;
  /** Retention of a stream that umbra creates. */
  readonly retention: 'workqueue' | 'limits';
  readonly bytesMax: number;
  /** 0: any. */
  readonly ageMsMax: number;
  readonly replicas: number;
}

/** The name by which a mirror's target is known: a version's, or a sink's. */
export function targetName({ versions }: Pick<Plan, 'versions'>, { to, sink }: MirrorPlan): string {
  return sink === null ? versions[to].name : sink.name;
}

/** When a mirror gives its shadow a rest; each shadow thread judges by what it sees. */
export interface BreakerPlan {
  /** Share of copies that fail in the window, from which on it opens. */
  readonly failureMillionths: number;
  readonly windowMs: number;
  /** How long it stays open before a copy is tried again. */
  readonly cooldownMs: number;
}

/** What of the two responses of a pair is compared. */
export interface ComparePlan {
  /** False: nothing is, and the primary's outcome does not travel to the shadow thread. */
  readonly pairs: boolean;
  /** Checksums of the bodies as they were sent. */
  readonly digest: boolean;
  /** Response fields, lower case. */
  readonly headers: readonly string[];
  /** Null: no response is taken apart. */
  readonly structure: StructurePlan | null;
}

export const nothingCompared: ComparePlan = { pairs: false, digest: false, headers: [], structure: null };
/** Status, size and latency: what a mirror without `compare` has. */
export const pairsAlone: ComparePlan = { ...nothingCompared, pairs: true };

/** How the captured responses of a pair are compared field by field. */
export interface StructurePlan {
  /** Response fields that may differ, lower case. */
  readonly ignoreHeaders: readonly string[];
  /** JSONPaths (core/compare/json-path) that may differ. */
  readonly ignorePaths: readonly string[];
  /** Numbers that are as near as this are equal. */
  readonly tolerance: Tolerance;
  readonly arrays: 'ordered' | 'unordered';
  /** What holds at places of documents. */
  readonly rules: readonly PathRulePlan[];
  /** Differences that are meant, of any kind. */
  readonly meant: readonly MeantDifference[];
  /** Path patterns of endpoints, before those that are learned. */
  readonly endpoints: readonly string[];
  /**
   * The same request sent once more to the primary's version, as a mirror of its own. Null: no noise test.
   */
  readonly baseline: MirrorPlan | null;
}

/** One thing that may differ at a JSONPath. */
export interface PathRulePlan {
  readonly path: string;
  readonly ignore: boolean;
  readonly tolerance: Tolerance | null;
  /** The order of the array's items does not count. */
  readonly unordered: boolean;
  /** The member by which the array's objects are the same object. */
  readonly key: string | null;
  /** A regular expression: what matches it is equal. */
  readonly matches: string | null;
  /** Values that mean the same. */
  readonly equivalent: readonly (string | number | boolean | null)[] | null;
}

/** A difference that is not counted; null stands for any. */
export interface MeantDifference {
  readonly kind: string;
  readonly path: string;
  readonly change: string | null;
  /** Method and path pattern. */
  readonly endpoint: string | null;
}

/** `value` is a decimal number as text; a `relative` one is a part of the larger of the two. */
export interface Tolerance {
  readonly relative: boolean;
  readonly value: string;
}

/** What is never shown, beside what core/redact hides by itself. */
export interface RedactPlan {
  /** The fields and members that are secret by their name are hidden too. */
  readonly defaults: boolean;
  /** Lower case. */
  readonly headers: readonly string[];
  /** Names of parameters of queries and of fields of forms. */
  readonly query: readonly string[];
  /** JSONPaths. */
  readonly json: readonly string[];
}

/** The mirrors of a route with their baselines, each after its mirror. */
export function mirrorsWithBaselines(
  route: RoutePlan,
): { mirror: MirrorPlan; baselineOf: MirrorPlan | null }[] {
  return route.mirrors.flatMap((mirror) => {
    const baseline = mirror.compare.structure?.baseline ?? null;
    const own = { mirror, baselineOf: null };
    return baseline === null ? [own] : [own, { mirror: baseline, baselineOf: mirror }];
  });
}

/** The names of the versions that answer on a route: those that get requests, or all where none does. */
export function primaryNames(route: RoutePlan, versions: readonly VersionPlan[]): string[] {
  const weighty = route.primaries.filter(({ weight }) => weight > 0);
  return (weighty.length > 0 ? weighty : route.primaries).map(({ version }) => versions[version].name);
}

/**
 * The names of those that a mirror to `to` is compared with: the others that answer, or would if they had a
 * weight.
 */
export function primariesBeside(route: RoutePlan, versions: readonly VersionPlan[], to: string): string[] {
  const answering = primaryNames(route, versions).filter((name) => name !== to);
  if (answering.length > 0) return answering;
  return route.primaries.map(({ version }) => versions[version].name).filter((name) => name !== to);
}

/** What decides whether a request is in the sample; a key makes the same request's answer always the same. */
export type SamplePlan =
  | { readonly by: 'random' }
  | { readonly by: 'client' }
  | { readonly by: 'header' | 'cookie'; readonly name: string };

/** `shadow` appends `-shadow` to the host name, `endpoint` sends the endpoint's own authority. */
export type HostPolicy =
  | { readonly kind: 'shadow' | 'preserve' | 'endpoint' }
  | { readonly kind: 'set'; readonly value: string };

/**
 * The fields that name a trace or a request: left alone, left out, or renewed, so that the copy is a trace of
 * its own.
 */
export type TracePolicy = 'keep' | 'drop' | 'new';

/** Changes to the fields of a message. Names are lower case. Applied in the order remove, set, add. */
export interface HeaderEdits {
  readonly remove: readonly string[];
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}

export interface AccessLogPlan {
  /** `-` is standard output. */
  readonly path: string;
  readonly format: 'envoy' | 'json';
  readonly shareMillionths: number;
}

/** Latencies as HdrHistogram logs on disk. */
export interface HistogramsPlan {
  /** Absolute. */
  readonly directory: string;
  readonly intervalMs: number;
}
