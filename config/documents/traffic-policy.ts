/** Converts `trafficPolicy` of a DestinationRule to keys of a version. */
import { limits } from '../../core/limits.js';
import { connectionsMax, streamsMax } from '../schema/version.js';
import type { TreeNode } from '../tree.js';
import { type Growth, grow, placed } from './grow.js';
import { at, booleanAt, durationAt, keyMark, numberAt, textAt } from './look.js';

/** Envoy's defaults for keys that a mapping leaves out. */
const connectTimeoutMs = 10_000;
const ejectionDefaults = { errors: 5, baseTimeMs: 30_000, maxPercent: 10 };

export interface VersionPolicy {
  /** `connections`, `ejection`, `slowStart`, `tls`. */
  readonly keys: Readonly<Record<string, Growth | undefined>>;
  /** Whether endpoints use TLS; null to keep their own scheme. */
  readonly secure: boolean | null;
  /** HTTP/2 is spoken to ports for HTTP/1.1 too. */
  readonly upgrades: boolean;
  /** Bounds of streams and requests, which depend on the protocol. */
  readonly bounds: RequestBounds;
}

/** What bounds the requests that an endpoint has at once. */
interface RequestBounds {
  readonly connections: number | undefined;
  readonly streams: number | undefined;
  readonly requests: number | undefined;
}

/** `versionPolicy` merges two policies: each part of the subset's replaces that of the host's. */
export function versionPolicy(ofHost: TreeNode | undefined, ofSubset: TreeNode | undefined): VersionPolicy {
  const part = (name: string) => at(ofSubset, name) ?? at(ofHost, name);
  const balancer = part('loadBalancer');
  const tls = part('tls');
  const mode = textAt(tls, 'mode');
  return {
    keys: {
      connections: connectionsOf(part('connectionPool')),
      ejection: ejectionOf(part('outlierDetection')),
      slowStart: slowStartOf(balancer),
      tls: mode === 'SIMPLE' || mode === 'MUTUAL' ? tlsOf(tls!, mode) : undefined,
    },
    secure: mode === undefined ? null : mode !== 'DISABLE',
    upgrades: textAt(part('connectionPool'), 'http', 'h2UpgradePolicy') === 'UPGRADE',
    bounds: {
      connections: numberAt(part('connectionPool'), 'tcp', 'maxConnections'),
      streams: positive(numberAt(part('connectionPool'), 'http', 'maxConcurrentStreams')),
      requests: positive(numberAt(part('connectionPool'), 'http', 'http2MaxRequests')),
    },
  };
}

function positive(number: number | undefined): number | undefined {
  return number === 0 ? undefined : number;
}

/**
 * `boundKeys` returns `connections.max` and `streams.max` that let an endpoint have as many requests at once
 * as `bounds` say: a connection of HTTP/1.1 has one, and one of HTTP/2 has streams.
 */
export function boundKeys(
  { connections, streams, requests }: RequestBounds,
  isHttp2: boolean,
): { connections: number | undefined; streams: number | undefined } {
  const most = streams === undefined ? undefined : Math.min(streams, streamsMax);
  if (requests === undefined) return { connections, streams: most };
  const each = isHttp2 ? (most ?? limits.upstreamStreams) : 1;
  const wanted = Math.min(Math.ceil(requests / each), connections ?? connectionsMax, connectionsMax);
  return { connections: wanted, streams: isHttp2 ? Math.min(each, Math.ceil(requests / wanted)) : most };
}

function connectionsOf(pool: TreeNode | undefined): Growth | undefined {
  if (pool === undefined) return undefined;
  const queue = at(pool, 'http', 'http1MaxPendingRequests');
  const idle = at(pool, 'http', 'idleTimeout') ?? at(pool, 'tcp', 'idleTimeout');
  const connect = at(pool, 'tcp', 'connectTimeout');
  return grow(pool.mark, {
    connectTimeout: connect === undefined ? milliseconds(connectTimeoutMs) : durationNode(connect),
    idle: idle === undefined ? undefined : durationNode(idle),
    queue: queue === undefined ? undefined : { max: queue },
  });
}

function ejectionOf(outlier: TreeNode | undefined): Growth | undefined {
  if (outlier === undefined) return undefined;
  const errors = at(outlier, 'consecutive5xxErrors') ?? placed(outlier, ejectionDefaults.errors);
  const failures = at(outlier, 'consecutiveGatewayErrors') ?? placed(outlier, 0);
  if (numberAt(failures) === 0 && numberAt(errors) === 0) return placed(outlier, 'off');
  const baseTime = at(outlier, 'baseEjectionTime');
  const baseMs = durationAt(baseTime) ?? ejectionDefaults.baseTimeMs;
  return grow(outlier.mark, {
    failures,
    errors,
    baseTime: baseTime === undefined ? milliseconds(baseMs) : durationNode(baseTime),
    // Envoy's: the n-th ejection in a row takes n times as long, up to 300 s.
    maxTime: milliseconds(Math.max(baseMs, 300_000)),
    maxPercent: at(outlier, 'maxEjectionPercent') ?? ejectionDefaults.maxPercent,
  });
}

function slowStartOf(balancer: TreeNode | undefined): Growth | undefined {
  const warmup = at(balancer, 'warmup', 'duration') ?? at(balancer, 'warmupDurationSecs');
  return warmup === undefined ? undefined : durationNode(warmup);
}

function tlsOf(tls: TreeNode, mode: string): Growth {
  const cert = at(tls, 'clientCertificate');
  const key = at(tls, 'privateKey');
  const skip = at(tls, 'insecureSkipVerify');
  return grow(keyMark(tls, 'mode'), {
    ca: at(tls, 'caCertificates'),
    cert: mode === 'MUTUAL' ? cert : undefined,
    key: mode === 'MUTUAL' ? key : undefined,
    serverName: at(tls, 'sni'),
    verify: skip === undefined ? undefined : placed(skip, booleanAt(skip) !== true),
  });
}

/** `durationNode` converts a duration of a document to the format of umbra.yaml. */
export function durationNode(node: TreeNode): TreeNode {
  return placed(node, milliseconds(durationAt(node) ?? 0));
}

function milliseconds(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
