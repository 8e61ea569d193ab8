/** Converts `trafficPolicy` of a DestinationRule to keys of a version. */
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
  };
}

function connectionsOf(pool: TreeNode | undefined): Growth | undefined {
  if (pool === undefined) return undefined;
  const max = at(pool, 'tcp', 'maxConnections');
  const queue = at(pool, 'http', 'http1MaxPendingRequests');
  const idle = at(pool, 'http', 'idleTimeout') ?? at(pool, 'tcp', 'idleTimeout');
  const connect = at(pool, 'tcp', 'connectTimeout');
  return grow(pool.mark, {
    max,
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
