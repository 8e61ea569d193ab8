/**
 * umbra, nginx and Envoy with one worker each, for clients of HTTP/2 on a plain port, before an origin of
 * HTTP/1.1 or HTTP/2. The origin is nginx, which costs less than what is measured.
 */
import { grpcMessage } from '../h2load.js';
import type { Placement } from '../placement.js';
import { isInstalled } from '../placement.js';
import { envoyHttp2 } from './envoy.js';
import { nginxUpstream, startNginx } from './nginx.js';
import { mirrorOnly, plainCase, type RunningTarget } from './target.js';
import { droppedText, mirroredRoute, plainRoute, startUmbra } from './umbra.js';

export type OriginProtocol = 'http1' | 'http2';

export interface Http2Setup {
  readonly originPort: number;
  readonly origin: OriginProtocol;
  /** Everything is mirrored, to the same origin. */
  readonly isMirrored: boolean;
}

export interface Http2Proxy {
  readonly name: 'umbra' | 'nginx' | 'envoy';
  readonly isInstalled: boolean;
  /** Whether it can mirror calls of gRPC. nginx reads the whole request first, and cuts large copies. */
  readonly mirrorsGrpc: boolean;
  readonly start: (setup: Http2Setup, placement: Placement) => Promise<RunningTarget>;
}

export const http2Proxies: readonly Http2Proxy[] = [
  {
    name: 'umbra',
    isInstalled: true,
    mirrorsGrpc: true,
    start: async ({ originPort, origin, isMirrored }, { proxy }) => {
      const ports = { primaryPort: originPort, shadowPort: originPort };
      const routes = isMirrored ? mirroredRoute : plainRoute;
      const speaks = { protocols: 'h2', protocol: origin, engine: 'node' } as const;
      const running = await startUmbra({ proxyThreads: 1, routes, ...ports, ...speaks }, proxy);
      const dropped = (): Promise<string | null> => droppedText(running.admin);
      return { url: running.url, pids: () => [running.pid], dropped, stop: running.stop };
    },
  },
  {
    name: 'nginx',
    isInstalled: isInstalled('nginx'),
    mirrorsGrpc: false,
    start: ({ originPort, origin }, placement) =>
      startNginx((port) => proxyOf(port, originPort, origin), placement),
  },
  {
    name: 'envoy',
    isInstalled: isInstalled('envoy'),
    mirrorsGrpc: true,
    start: ({ originPort, origin, isMirrored }, placement) =>
      envoyHttp2(originPort, origin, isMirrored ? mirrorOnly(100) : plainCase, placement),
  },
];

/**
 * `/` is 295 bytes, `/megabyte` a million. `/upload` answers when it has read the whole body. Methods of
 * `bench.Unary` answer with one message of gRPC and the status 0 in the trailers.
 */
export function startOrigin(protocol: OriginProtocol, { rest, text }: Placement): Promise<RunningTarget> {
  return startNginx(
    (port) => `server {
    listen 127.0.0.1:${port}${protocol === 'http2' ? ' http2' : ''};
    default_type text/plain;
    root .;
    location = / { return 200 "${'.'.repeat(295)}"; }
    location = /upload {
      proxy_request_buffering on;
      client_body_buffer_size 128k;
      proxy_pass http://unix:taken.sock:/;
    }
    location /bench.Unary/ { error_page 405 =200 /message; return 405; }
    location = /message {
      internal;
      default_type application/grpc;
      add_trailer grpc-status 0;
    }
  }
  server {
    listen unix:taken.sock;
    location / { return 200 "${'.'.repeat(295)}"; }
  }`,
    { proxy: rest, rest, text },
    { files: { megabyte: '.'.repeat(1_000_000), message: grpcMessage } },
  );
}

function proxyOf(port: number, originPort: number, protocol: OriginProtocol): string {
  const pass =
    protocol === 'http2'
      ? 'grpc_pass grpc://primary;'
      : 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://primary;';
  return `${nginxUpstream('primary', originPort)}
  server {
    listen 127.0.0.1:${port} http2;
    location / { ${pass} }
  }`;
}
