/** Envoy with one worker thread and its request_mirror_policies. */

import type { Placement } from '../placement.js';
import { certificate } from './certificate.js';
import { missingFor } from './missing.js';
import { startServer } from './server.js';
import type { RunningTarget, Target, TargetCase } from './target.js';

const httpManager =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

const httpOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export function envoyFor(name: string, what: TargetCase): Target {
  return {
    name,
    mirrors: what.mirrorPercent > 0,
    missing: () => missingFor('envoy', what),
    start: ({ primary, shadow }, placement) =>
      startEnvoy((port) => configuration(port, primary.port, shadow.port, what), placement, what.tls),
  };
}

/** `envoyHttp2` starts an Envoy for clients of HTTP/2 on a plain port, before one origin of `protocol`. */
export function envoyHttp2(
  originPort: number,
  protocol: 'http1' | 'http2',
  what: TargetCase,
  placement: Placement,
): Promise<RunningTarget> {
  return startEnvoy(
    (port) => configuration(port, originPort, originPort, what, protocol === 'http2'),
    placement,
  );
}

function startEnvoy(
  configured: (port: number) => object,
  placement: Placement,
  secure = false,
): Promise<RunningTarget> {
  return startServer(
    {
      command: 'envoy',
      secure,
      // JSON is YAML, and needs no care for indentation.
      files: (port) => ({ 'envoy.yaml': JSON.stringify(configured(port), null, 2) }),
      args: () => ['-c', 'envoy.yaml', '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart'],
    },
    placement,
  );
}

function configuration(
  port: number,
  primaryPort: number,
  shadowPort: number,
  what: TargetCase,
  isHttp2 = false,
): object {
  const { mirrorPercent, tls } = what;
  const mirror = {
    cluster: 'shadow',
    runtime_fraction: { default_value: { numerator: mirrorPercent, denominator: 'HUNDRED' } },
  };
  const route = { cluster: 'primary', ...(mirrorPercent > 0 ? { request_mirror_policies: [mirror] } : {}) };
  const manager = {
    '@type': httpManager,
    stat_prefix: 'bench',
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route }] }],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const chain = {
    filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
    ...(tls ? { transport_socket: tlsSocket() } : {}),
  };
  return {
    static_resources: {
      listeners: [{ name: 'front', address: socketAddress(port), filter_chains: [chain] }],
      clusters: [cluster('primary', primaryPort, isHttp2), cluster('shadow', shadowPort, isHttp2)],
    },
  };
}

function tlsSocket(): object {
  const { certPath, keyPath } = certificate()!;
  const pair = { certificate_chain: { filename: certPath }, private_key: { filename: keyPath } };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      common_tls_context: { tls_certificates: [pair] },
    },
  };
}

function cluster(name: string, port: number, isHttp2: boolean): object {
  const options = {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  };
  const http2 = { typed_extension_protocol_options: { [httpOptions]: options } };
  return {
    ...(isHttp2 ? http2 : {}),
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    circuit_breakers: {
      thresholds: [{ max_connections: 8192, max_pending_requests: 8192, max_requests: 8192 }],
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(port) } }] }],
    },
  };
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
