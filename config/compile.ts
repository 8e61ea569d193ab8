/**
 * A checked configuration to the plan that threads work by. Everything that can be wrong was found by
 * `load.ts`.
 */
import { limits } from '../core/limits.js';
import {
  type BreakerPlan,
  type CapturePlan,
  type ComparePlan,
  type FleetPlan,
  type GuardPlan,
  type HealthPlan,
  type ListenerPlan,
  type MirrorPlan,
  nothingCompared,
  type OrderPlan,
  type PathChange,
  type PemFile,
  type Plan,
  pairsAlone,
  type RoutePlan,
  type StructurePlan,
  type ThreadsPlan,
  type TimeoutsPlan,
  type VersionPlan,
  type VersionTlsPlan,
} from '../core/plan.js';
import { hashed } from '../core/route/hash.js';
import { compileMatch } from './compile-match.js';
import { compileEdits, compileWay } from './compile-way.js';
import { hostName } from './host-name.js';
import type { LoadedConfig } from './load.js';
import { type NatsSubject, parseStreamAddress, streamName } from './nats-address.js';
import type { Config, MatchConfig, MirrorConfig, RouteConfig } from './schema.js';
import { isSinkTarget, kindOfTarget, nameOfTarget } from './sink-target.js';
import type { MirrorName, MirrorSlots } from './slots.js';
import { shareMillionthsAll } from './units.js';

/** RFC 9110, section 9.2.1. */
export const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** The `to` of a mirror whose copies go to a sink. */
const noVersion = -1;

/** Of `auto`: one core in so many is left to shadows. */
const coresPerShadowThread = 4;

/**
 * `cores` decides what `auto` threads means. Throws `MirrorSlotsFullError` when the slots do not suffice; no
 * slot is
 * taken then, and the plan in force stays.
 */
export function compilePlan(
  config: LoadedConfig,
  generation: number,
  slots: MirrorSlots,
  cores: number,
): Plan {
  const versions = Object.entries(config.versions).map(([name, version]) => compileVersion(name, version));
  const indexes = new Map(versions.map((version, index) => [version.name, index]));
  const mirrorSlots = slots.assign(
    config.routes.flatMap((route) => route.mirrors.flatMap((mirror) => slotNames(route, mirror))),
  );
  let slotsBefore = 0;
  const nextSlot = () => mirrorSlots[slotsBefore++];
  const routes = config.routes.map((route) => compileRoute(route, config.guard ?? null, indexes, nextSlot));
  return {
    generation,
    listeners: config.listen.map(compileListener),
    admin:
      config.admin === null ? null : { address: config.admin.address, token: config.admin.token ?? null },
    threads: compileThreads(config.threads, cores),
    drainMs: config.drain,
    samplingSalt: config.sampling.salt,
    versions,
    routes,
    accessLog:
      config.accessLog === undefined
        ? null
        : {
            path: config.accessLog.path,
            format: config.accessLog.format,
            shareMillionths: config.accessLog.sample,
          },
    histograms:
      config.histograms === undefined
        ? null
        : { directory: config.histograms.directory, intervalMs: config.histograms.interval },
    fleet: config.fleet === undefined ? null : compileFleet(config.fleet),
    redact: {
      defaults: config.redact.defaults,
      headers: [...new Set(config.redact.headers)],
      query: [...new Set(config.redact.query)],
      json: [...new Set(config.redact.json)],
    },
    effective: config.effective,
  };
}

function compileFleet({ nats, name, interval }: NonNullable<Config['fleet']>): FleetPlan {
  return { ...nats, name: name ?? hostName(), intervalMs: interval };
}

function compileListener(listener: Config['listen'][number]): ListenerPlan {
  const { address, engine, mode, tls, connections, head, body, response } = listener;
  return {
    address,
    engine,
    socketMode: mode ?? null,
    tls: tls === undefined ? null : { cert: pemOf(tls.cert)!, key: pemOf(tls.key)! },
    limits: {
      connectionsMax: connections.max,
      idleMs: connections.idle,
      headBytesMax: head.max,
      headMs: head.timeout,
      bodyBytesMax: body.max,
      bodyMs: body.timeout,
      responseMs: response.timeout,
    },
    edge: {
      forwarded: listener.forwarded,
      via: listener.via,
      requestId: listener.requestId,
      trusted: listener.trusted === undefined ? null : [...new Set(listener.trusted)],
      underscores: listener.underscores,
      normalizesPath: listener.normalize.path,
      mergesSlashes: listener.normalize.mergeSlashes,
    },
  };
}

function compileThreads(threads: Config['threads'], cores: number): ThreadsPlan {
  const proxyAuto = Math.min(limits.threads, Math.max(1, cores - 1));
  const shadowAuto = Math.min(limits.threads, Math.max(1, Math.floor(cores / coresPerShadowThread)));
  return {
    proxy: threads.proxy === 'auto' ? proxyAuto : threads.proxy,
    shadow: threads.shadow === 'auto' ? shadowAuto : threads.shadow,
    ringBytes: threads.ring,
    nice: threads.nice,
  };
}

function compileVersion(name: string, version: Config['versions'][string]): VersionPlan {
  const { endpoints, connections, dns, health, ejection, slowStart, tls } = version;
  return {
    name,
    endpoints,
    connectionsMax: connections.max,
    idleMs: connections.idle,
    connectTimeoutMs: connections.connectTimeout,
    queueMax: connections.queue.max,
    queueTimeoutMs: connections.queue.timeout,
    dnsRefreshMs: dns.refresh,
    health: health === undefined ? null : compileHealth(health),
    ejection: {
      failures: ejection.failures,
      baseTimeMs: ejection.baseTime,
      maxTimeMs: ejection.maxTime,
      maxShareMillionths: ejection.maxPercent,
    },
    slowStartMs: slowStart,
    tls: tls === undefined ? null : compileTls(tls),
  };
}

function compileHealth(health: NonNullable<Config['versions'][string]['health']>): HealthPlan {
  return {
    path: health.path,
    host: health.host ?? null,
    intervalMs: health.interval,
    timeoutMs: health.timeout,
    healthyThreshold: health.healthyThreshold,
    unhealthyThreshold: health.unhealthyThreshold,
    statuses: health.statuses,
  };
}

function compileTls({
  ca,
  cert,
  key,
  serverName,
  verify,
}: NonNullable<Config['versions'][string]['tls']>): VersionTlsPlan {
  return { ca: pemOf(ca), cert: pemOf(cert), key: pemOf(key), serverName: serverName ?? null, verify };
}

function pemOf(file: { path: string; pem: string | null } | undefined): PemFile | null {
  return file === undefined ? null : { path: file.path, pem: file.pem ?? '' };
}

/** In the order in which `compileMirror` takes them. */
function slotNames(route: RouteConfig, mirror: MirrorConfig): MirrorName[] {
  const own = { route: route.name, version: nameOfTarget(mirror.to) };
  const { compare } = mirror;
  if (compare === undefined || compare === 'off' || compare.baseline === undefined) return [own];
  return [own, { route: route.name, version: compare.baseline, baselineOf: mirror.to }];
}

function compileRoute(
  route: RouteConfig,
  guardOfAll: GuardConfig | null,
  versions: ReadonlyMap<string, number>,
  nextSlot: () => number,
): RoutePlan {
  return {
    name: route.name,
    matches: route.match.map(compileMatch),
    ...compileWay(route, versions),
    upgrades: [...new Set(route.upgrades)],
    timeouts: routeTimeouts(route),
    guard: compileGuard(route.guard === undefined ? guardOfAll : route.guard),
    mirrors: route.mirrors.map((mirror) => compileMirror(mirror, route, versions, nextSlot)),
  };
}

function routeTimeouts({ timeout, timeouts, firstByteTimeout }: RouteConfig): TimeoutsPlan {
  return {
    requestMs: timeouts.request ?? timeout,
    firstByteMs: firstByteTimeout ?? 0,
    idleMs: timeouts.idle,
    totalMs: timeouts.total,
  };
}

/** A mirror takes over what it does not set itself; the bound for the first byte is of the primary alone. */
function mirrorTimeouts(
  { timeout, timeouts, firstByteTimeout }: MirrorConfig,
  ofRoute: TimeoutsPlan,
): TimeoutsPlan {
  return {
    requestMs: timeouts.request ?? timeout ?? ofRoute.requestMs,
    firstByteMs: firstByteTimeout ?? 0,
    idleMs: timeouts.idle ?? ofRoute.idleMs,
    totalMs: timeouts.total ?? ofRoute.totalMs,
  };
}

type GuardConfig = NonNullable<Config['guard']>;

function compileGuard(guard: GuardConfig | null): GuardPlan | null {
  if (guard === null) return null;
  return {
    p99Millionths: guard.p99,
    errorMillionths: guard.errors,
    windowMs: guard.window,
    recoverMs: guard.recover,
  };
}

function compileMirror(
  mirror: MirrorConfig,
  route: RouteConfig,
  versions: ReadonlyMap<string, number>,
  nextSlot: () => number,
): MirrorPlan {
  const plan: MirrorPlan = {
    slot: nextSlot(),
    to: isSinkTarget(mirror.to) ? noVersion : versions.get(mirror.to)!,
    sink: null,
    enabled: mirror.enabled,
    shareMillionths: mirror.percent,
    sample: mirror.sample,
    methods: compileMethods(mirror.methods),
    of: mirror.of,
    order: compileOrder(mirror),
    host: mirror.host,
    rewrite: mirror.rewrite === undefined ? null : compileRewrite(mirror.rewrite, route.match[0]),
    trace: mirror.trace,
    headers: compileEdits(mirror.headers),
    bodyBytesMax: mirror.body.max,
    heldBytesMax: mirror.memory,
    responseBytesMax: mirror.response.max,
    breaker: mirror.breaker === undefined ? null : compileBreaker(mirror.breaker),
    ratePerSecond: mirror.rate ?? null,
    pipelining: mirror.pipelining,
    inFlightMax: mirror.inFlight,
    timeouts: mirrorTimeouts(mirror, routeTimeouts(route)),
    capture: null,
    compare: pairsAlone,
  };
  if (isSinkTarget(mirror.to)) return compileSink(mirror, plan);
  const { compare } = mirror;
  if (compare === undefined) return plan;
  if (compare === 'off') return { ...plan, compare: nothingCompared };
  const captured: MirrorPlan = {
    ...plan,
    capture: { shareMillionths: compare.sample, bodyBytesMax: compare.body.max },
  };
  return { ...captured, compare: compileCompare(compare, captured, versions, nextSlot) };
}

/** `check-sink.ts` has seen to it that nothing is set that a sink has not. */
function compileSink(mirror: MirrorConfig, plan: MirrorPlan): MirrorPlan {
  return {
    ...plan,
    ...(kindOfTarget(mirror.to) === 'file' ? compileFileSink(mirror, plan) : compileStreamSink(mirror, plan)),
    // What is kept is what the client asked; and only its bytes are counted, for each waits until it is
    // written or acknowledged.
    host: { kind: 'preserve' },
    inFlightMax: limits.openMirroredExchanges,
  };
}

type Kept = Pick<MirrorPlan, 'sink' | 'capture' | 'compare'>;

function compileFileSink({ to, recording }: MirrorConfig, { responseBytesMax }: MirrorPlan): Kept {
  const { responses, compress, segment, disk, directory } = recording;
  return {
    sink: {
      kind: 'file',
      name: to,
      directory,
      responses,
      compress,
      segmentBytes: segment.size,
      segmentMs: segment.age,
      diskBytesMax: disk,
    },
    capture: responses ? wholeResponses(responseBytesMax) : null,
    compare: responses ? pairsAlone : nothingCompared,
  };
}

function compileStreamSink({ to, stream }: MirrorConfig, { responseBytesMax }: MirrorPlan): Kept {
  const { primary, outstanding, timeout, retention, size, age, replicas } = stream;
  const address = parseStreamAddress(to) as NatsSubject;
  return {
    sink: {
      kind: 'stream',
      name: streamName(address),
      ...address,
      primary,
      outstandingMax: outstanding,
      timeoutMs: timeout,
      retention,
      bytesMax: size,
      ageMsMax: age ?? 0,
      replicas,
    },
    capture: primary === 'response' ? wholeResponses(responseBytesMax) : null,
    compare: { ...pairsAlone, digest: primary !== 'outcome' },
  };
}

/** Every response of the primary travels to the sink. */
function wholeResponses(bodyBytesMax: number): CapturePlan {
  return { shareMillionths: shareMillionthsAll, bodyBytesMax };
}

type CompareConfig = Exclude<NonNullable<MirrorConfig['compare']>, 'off'>;

function compileCompare(
  compare: CompareConfig,
  mirror: MirrorPlan,
  versions: ReadonlyMap<string, number>,
  nextSlot: () => number,
): ComparePlan {
  const own: StructurePlan = {
    ignoreHeaders: [...new Set(compare.ignore.flatMap((rule) => ('header' in rule ? [rule.header] : [])))],
    ignorePaths: [...new Set(compare.ignore.flatMap((rule) => ('path' in rule ? [rule.path] : [])))],
    tolerance: compare.tolerance,
    arrays: compare.arrays,
    ...compileRules(compare.rules),
    endpoints: compare.endpoints === 'auto' ? [] : compare.endpoints,
    baseline: null,
  };
  const plan = {
    pairs: true,
    digest: compare.body.digest,
    headers: [...new Set(compare.headers)],
    structure: own,
  };
  if (compare.baseline === undefined) return plan;
  const baseline: MirrorPlan = {
    ...mirror,
    slot: nextSlot(),
    to: versions.get(compare.baseline)!,
    shareMillionths: shareMillionthsAll,
    sample: { by: 'random' },
    methods: safeMethods,
    // What the primary got is what its version must get once more.
    of: 'forwarded',
    host: { kind: 'preserve' },
    rewrite: null,
    headers: { remove: [], set: [], add: [] },
    compare: plan,
  };
  return { ...plan, structure: { ...own, baseline } };
}

/**
 * What may differ in any way is left out while documents are compared; other differences are found, and not
 * counted.
 */
function compileRules(rules: CompareConfig['rules']): Pick<StructurePlan, 'rules' | 'meant'> {
  const isMeant = ({ path, endpoint, ignore }: CompareConfig['rules'][number]) =>
    ignore !== undefined && (path.kind !== 'json' || endpoint !== undefined || ignore !== true);
  return {
    rules: rules
      .filter((rule) => !isMeant(rule))
      .map(({ path, ignore, tolerance, unordered, key, matches, equivalent }) => ({
        path: path.path,
        ignore: ignore === true,
        tolerance: tolerance ?? null,
        unordered: unordered === true,
        key: key ?? null,
        matches: matches ?? null,
        equivalent: equivalent ?? null,
      })),
    meant: rules.filter(isMeant).map(({ path, endpoint, ignore }) => ({
      ...path,
      change: ignore === true ? null : ignore!,
      endpoint: endpoint ?? null,
    })),
  };
}

/** `check.ts` has seen to it that the route has a literal path, or none, where a prefix is rewritten. */
function compileRewrite(rewrite: NonNullable<MirrorConfig['rewrite']>, { path }: MatchConfig): PathChange {
  if ('prefix' in rewrite) {
    const prefix = path?.exact ?? path?.prefix ?? '';
    return { kind: 'prefix', prefix, value: rewrite.prefix, ignoreCase: path?.ignoreCase ?? false };
  }
  return { kind: 'regex', pattern: rewrite.regex, substitution: rewrite.substitution, whole: true };
}

function compileOrder({ order, to }: MirrorConfig): OrderPlan | null {
  if (order === 'off') return null;
  return { ...order, target: hashed(Buffer.from(to, 'utf8').toString('latin1')) };
}

function compileBreaker({ failures, window, cooldown }: NonNullable<MirrorConfig['breaker']>): BreakerPlan {
  return { failureMillionths: failures, windowMs: window, cooldownMs: cooldown };
}

function compileMethods(methods: MirrorConfig['methods']): readonly string[] | null {
  if (methods === 'all') return null;
  return methods === 'safe' ? safeMethods : [...new Set(methods)];
}
