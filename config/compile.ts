/**
 * Compiles a checked configuration to the plan that threads use. `load.ts` has already reported everything
 * that can be wrong.
 */
import { limits } from '../core/limits.js';
import type {
  EngineChoice,
  FleetPlan,
  GuardPlan,
  ListenerPlan,
  Plan,
  Protocol,
  RoutePlan,
  ThreadsPlan,
  TimeoutsPlan,
  TracingPlan,
} from '../core/plan.js';
import { compileMatch } from './compile-match.js';
import { compileMirror } from './compile-mirror.js';
import { compileRollout } from './compile-rollout.js';
import { compileVersion, pemOf } from './compile-version.js';
import { compileWay } from './compile-way.js';
import { hostName } from './host-name.js';
import type { LoadedConfig } from './load.js';
import type { Config, MirrorConfig, RouteConfig } from './schema.js';
import { nameOfTarget } from './sink-target.js';
import type { MirrorName, MirrorSlots } from './slots.js';

/** With `auto`, one core of this many runs shadow threads. */
const coresPerShadowThread = 4;

/**
 * `compilePlan` uses `cores` for `auto` threads. It throws `MirrorSlotsFullError` when there are not enough
 * slots; then no slot is taken, and the current plan stays.
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
  const routes = config.routes.map((route) =>
    compileRoute(route, slots.routeSlot(route.name), config.guard ?? null, indexes, nextSlot),
  );
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
    log: config.log,
    tracing: config.tracing === undefined ? null : compileTracing(config.tracing),
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

/** A URL without a path gets the standard one (OpenTelemetry Protocol Exporter, "Endpoint URLs"). */
function compileTracing({ otlp, sample, service }: NonNullable<Config['tracing']>): TracingPlan {
  const url = new URL(otlp);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return { url: url.href, shareMillionths: sample, service };
}

function compileFleet({ nats, name, interval }: NonNullable<Config['fleet']>): FleetPlan {
  return { ...nats, name: name ?? hostName(), intervalMs: interval };
}

function compileListener(listener: Config['listen'][number]): ListenerPlan {
  const { address, engine, protocols, mode, tls, connections, head, body, response } = listener;
  return {
    address,
    engine,
    protocols:
      protocols === undefined ? defaultProtocols(engine, tls !== undefined) : [...new Set(protocols)],
    socketMode: mode ?? null,
    tls: tls === undefined ? null : { cert: pemOf(tls.cert)!, key: pemOf(tls.key)! },
    limits: {
      connectionsMax: connections.max,
      idleMs: connections.idle,
      abortsHalfClosed: connections.halfClose === 'abort',
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
      mergesSlashes: listener.normalize.mergeSlashes ?? true,
    },
  };
}

/** A plain port speaks HTTP/2 only where that is asked for (docs/decisions/085). */
function defaultProtocols(engine: EngineChoice, isSecure: boolean): readonly Protocol[] {
  return isSecure && engine !== 'uws' ? ['http1', 'h2'] : ['http1'];
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

/** `slotNames` returns names in the order in which `compileMirror` takes slots. */
function slotNames(route: RouteConfig, mirror: MirrorConfig): MirrorName[] {
  const own = { route: route.name, version: nameOfTarget(mirror.to) };
  const { compare } = mirror;
  if (compare === undefined || compare === 'off' || compare.baseline === undefined) return [own];
  return [own, { route: route.name, version: compare.baseline, baselineOf: mirror.to }];
}

function compileRoute(
  route: RouteConfig,
  slot: number,
  guardOfAll: GuardConfig | null,
  versions: ReadonlyMap<string, number>,
  nextSlot: () => number,
): RoutePlan {
  const timeouts = routeTimeouts(route);
  return {
    name: route.name,
    slot,
    matches: route.match.map(compileMatch),
    ...compileWay(route, versions),
    upgrades: [...new Set(route.upgrades)],
    fallback: null,
    rollout: route.rollout === undefined ? null : compileRollout(route.rollout, route.rollout.to ?? ''),
    unreachableStatus: route.unreachable,
    timeouts,
    guard: compileGuard(route.guard === undefined ? guardOfAll : route.guard),
    mirrors: route.mirrors.map((mirror) => compileMirror(mirror, route, timeouts, versions, nextSlot)),
  };
}

function routeTimeouts({ timeout, timeouts, firstByteTimeout }: RouteConfig): TimeoutsPlan {
  return {
    requestMs: timeouts.request ?? timeout,
    requestUntilEnd: timeouts.until === 'end',
    firstByteMs: firstByteTimeout ?? 0,
    idleMs: timeouts.idle,
    totalMs: timeouts.total,
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
