/** A plan told in the words of a configuration file, for `GET /api/config`: every default filled in, no secret. */
import type {
  BreakerPlan,
  EjectionPlan,
  EndpointPlan,
  FileSinkPlan,
  GuardPlan,
  HealthPlan,
  HostPolicy,
  ListenerPlan,
  MirrorPlan,
  PathChange,
  Plan,
  RoutePlan,
  StreamSinkPlan,
  VersionPlan,
  VersionTlsPlan,
} from '../core/plan.js';
import { Redaction, redacted } from '../core/redact.js';
import { formatAddress } from './address.js';
import { matchOf } from './effective-match.js';
import { headersOf, sampleOf, wayOf } from './effective-way.js';
import { formatFleetAddress, formatStreamAddress } from './nats-address.js';
import { formatSubstitution } from './substitution.js';
import { formatDuration, formatRate, formatSize, percentOfShare } from './units.js';

/**
 * The result is of the shape of a configuration and, but for redacted values, compiles to the same plan. Threads
 * are told as the numbers that `auto` came to.
 */
export function effectiveConfig(plan: Plan): object {
  const { accessLog, admin, histograms, threads } = plan;
  const redaction = new Redaction(plan.redact);
  return {
    listen: plan.listeners.map(listenerOf),
    admin:
      admin === null
        ? 'off'
        : { address: formatAddress(admin.address), ...(admin.token === null ? {} : { token: redacted }) },
    threads: {
      proxy: threads.proxy,
      shadow: threads.shadow,
      ring: formatSize(threads.ringBytes),
      nice: threads.nice,
    },
    drain: formatDuration(plan.drainMs),
    sampling: { salt: plan.samplingSalt },
    versions: Object.fromEntries(plan.versions.map((version) => [version.name, versionOf(version)])),
    routes: plan.routes.map((route) => routeOf(route, plan.versions, redaction)),
    ...(accessLog === null
      ? {}
      : {
          accessLog: {
            path: accessLog.path,
            format: accessLog.format,
            sample: percentOfShare(accessLog.shareMillionths),
          },
        }),
    ...(histograms === null
      ? {}
      : {
          histograms: {
            directory: histograms.directory,
            interval: formatDuration(histograms.intervalMs),
          },
        }),
    ...(plan.fleet === null
      ? {}
      : {
          fleet: {
            nats: formatFleetAddress(plan.fleet),
            name: plan.fleet.name,
            interval: formatDuration(plan.fleet.intervalMs),
          },
        }),
    redact: plan.redact,
  };
}

function listenerOf({ address, engine, socketMode, tls, limits, edge }: ListenerPlan): object {
  return {
    address: formatAddress(address),
    engine,
    ...(socketMode === null ? {} : { mode: `0${socketMode.toString(8).padStart(3, '0')}` }),
    ...(tls === null ? {} : { tls: { cert: tls.cert.path, key: tls.key.path } }),
    connections: { max: limits.connectionsMax, idle: formatDuration(limits.idleMs) },
    head: { max: formatSize(limits.headBytesMax), timeout: formatDuration(limits.headMs) },
    body: {
      max: limits.bodyBytesMax === null ? 'off' : formatSize(limits.bodyBytesMax),
      timeout: formatDuration(limits.bodyMs),
    },
    response: { timeout: formatDuration(limits.responseMs) },
    forwarded: edge.forwarded,
    via: edge.via ?? 'off',
    requestId: edge.requestId,
    ...(edge.trusted === null ? {} : { trusted: edge.trusted }),
  };
}

function versionOf(version: VersionPlan): object {
  return {
    endpoints: version.endpoints.map(endpointOf),
    connections: {
      max: version.connectionsMax,
      idle: formatDuration(version.idleMs),
      connectTimeout: formatDuration(version.connectTimeoutMs),
      queue: { max: version.queueMax, timeout: formatDuration(version.queueTimeoutMs) },
    },
    dns: { refresh: formatDuration(version.dnsRefreshMs) },
    ...(version.health === null ? {} : { health: healthOf(version.health) }),
    ejection: version.ejection.failures === 0 ? 'off' : ejectionOf(version.ejection),
    slowStart: formatDuration(version.slowStartMs),
    ...(version.tls === null ? {} : { tls: tlsOf(version.tls) }),
  };
}

function healthOf(health: HealthPlan): object {
  return {
    path: health.path,
    interval: formatDuration(health.intervalMs),
    timeout: formatDuration(health.timeoutMs),
    healthyThreshold: health.healthyThreshold,
    unhealthyThreshold: health.unhealthyThreshold,
    statuses: health.statuses.map(([first, last]) => (first === last ? first : `${first}-${last}`)),
    ...(health.host === null ? {} : { host: health.host }),
  };
}

function ejectionOf(ejection: EjectionPlan): object {
  return {
    failures: ejection.failures,
    baseTime: formatDuration(ejection.baseTimeMs),
    maxTime: formatDuration(ejection.maxTimeMs),
    maxPercent: percentOfShare(ejection.maxShareMillionths),
  };
}

function tlsOf({ ca, cert, key, serverName, verify }: VersionTlsPlan): object {
  return {
    ...(ca === null ? {} : { ca: ca.path }),
    ...(cert === null ? {} : { cert: cert.path }),
    ...(key === null ? {} : { key: key.path }),
    ...(serverName === null ? {} : { serverName }),
    verify,
  };
}

function endpointOf({ address, secure }: EndpointPlan): string {
  if (address.kind === 'unix') return formatAddress(address);
  return `${secure ? 'https' : 'http'}://${formatAddress(address)}`;
}

function routeOf(route: RoutePlan, versions: readonly VersionPlan[], redaction: Redaction): object {
  const matches = route.matches.map((match) => matchOf(match, redaction));
  return {
    name: route.name,
    match: matches.length === 1 ? matches[0] : matches,
    ...wayOf(route, versions, redaction),
    timeout: formatDuration(route.timeoutMs),
    ...(route.firstByteTimeoutMs === 0 ? {} : { firstByteTimeout: formatDuration(route.firstByteTimeoutMs) }),
    guard: guardOf(route.guard),
    mirrors: route.mirrors.map((mirror) => mirrorOf(mirror, versions, redaction)),
  };
}

/** Told per route, also where one is for all of them. */
function guardOf(guard: GuardPlan | null): string | object {
  if (guard === null) return 'off';
  return {
    p99: percentOfShare(guard.p99Millionths),
    errors: percentOfShare(guard.errorMillionths),
    window: formatDuration(guard.windowMs),
    recover: formatDuration(guard.recoverMs),
  };
}

function mirrorOf(mirror: MirrorPlan, versions: readonly VersionPlan[], redaction: Redaction): object {
  const common = commonOf(mirror, redaction);
  if (mirror.sink !== null) {
    const { sink } = mirror;
    return sink.kind === 'file'
      ? { to: sink.name, ...common, recording: recordingOf(sink) }
      : { to: formatStreamAddress(sink), ...common, stream: streamOf(sink) };
  }
  return {
    to: versions[mirror.to].name,
    ...common,
    host: hostOf(mirror.host),
    ...(mirror.breaker === null ? {} : { breaker: breakerOf(mirror.breaker) }),
    pipelining: mirror.pipelining,
    inFlight: mirror.inFlightMax,
    timeout: formatDuration(mirror.timeoutMs),
    ...(mirror.firstByteTimeoutMs === 0
      ? {}
      : { firstByteTimeout: formatDuration(mirror.firstByteTimeoutMs) }),
    ...compareOf(mirror, versions),
  };
}

function streamOf(sink: StreamSinkPlan): object {
  return {
    primary: sink.primary,
    outstanding: sink.outstandingMax,
    timeout: formatDuration(sink.timeoutMs),
    retention: sink.retention,
    size: formatSize(sink.bytesMax),
    ...(sink.ageMsMax === 0 ? {} : { age: formatDuration(sink.ageMsMax) }),
    replicas: sink.replicas,
  };
}

function recordingOf({ responses, compress, segmentBytes, segmentMs, diskBytesMax }: FileSinkPlan): object {
  return {
    responses,
    compress,
    segment: { size: formatSize(segmentBytes), age: formatDuration(segmentMs) },
    disk: formatSize(diskBytesMax),
  };
}

/** What mirrors to shadows and to sinks both have. */
function commonOf(mirror: MirrorPlan, redaction: Redaction): object {
  return {
    enabled: mirror.enabled,
    percent: percentOfShare(mirror.shareMillionths),
    sample: sampleOf(mirror.sample),
    methods: mirror.methods ?? 'all',
    ...(mirror.rewrite === null ? {} : { rewrite: rewriteOf(mirror.rewrite) }),
    trace: mirror.trace,
    headers: headersOf(mirror.headers, redaction),
    body: { max: formatSize(mirror.bodyBytesMax) },
    memory: formatSize(mirror.heldBytesMax),
    response: { max: formatSize(mirror.responseBytesMax) },
    ...(mirror.ratePerSecond === null ? {} : { rate: formatRate(mirror.ratePerSecond) }),
  };
}

function compareOf({ capture, compare }: MirrorPlan, versions: readonly VersionPlan[]): object {
  const { pairs, digest, headers, structure } = compare;
  if (!pairs) return { compare: 'off' };
  if (structure === null || capture === null) return {};
  const { baseline, tolerance } = structure;
  return {
    compare: {
      headers,
      sample: percentOfShare(capture.shareMillionths),
      ignore: [...structure.ignoreHeaders.map((name) => `header:${name}`), ...structure.ignorePaths],
      tolerance: tolerance.relative ? `${tolerance.value}%` : tolerance.value,
      arrays: structure.arrays,
      body: { digest, max: formatSize(capture.bodyBytesMax) },
      ...(baseline === null ? {} : { baseline: versions[baseline.to].name }),
    },
  };
}

function hostOf(host: HostPolicy): string | object {
  return host.kind === 'set' ? { set: host.value } : host.kind;
}

function breakerOf({ failureMillionths, windowMs, cooldownMs }: BreakerPlan): object {
  return {
    failures: percentOfShare(failureMillionths),
    window: formatDuration(windowMs),
    cooldown: formatDuration(cooldownMs),
  };
}

function rewriteOf(rewrite: PathChange): object {
  if (rewrite.kind !== 'regex') return { prefix: rewrite.value };
  return { regex: rewrite.pattern, substitution: formatSubstitution(rewrite.substitution) };
}
