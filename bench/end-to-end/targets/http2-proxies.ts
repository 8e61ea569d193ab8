/**
 * umbra, nginx and Envoy with one worker each, for clients of HTTP/2 on a plain port, before an origin of
 * HTTP/1.1 or HTTP/2. The origin is nginx, which costs less than what is measured.
 */
import type { Placement } from '../placement.js';
import { isInstalled } from '../placement.js';
import { envoyHttp2 } from './envoy.js';
import { startServer } from './server.js';
import type { RunningTarget } from './target.js';
import { plainRoute, startUmbra } from './umbra.js';

export type OriginProtocol = 'http1' | 'http2';

export interface Http2Proxy {
  readonly name: 'umbra' | 'nginx' | 'envoy';
  readonly isInstalled: boolean;
  readonly start: (
    originPort: number,
    protocol: OriginProtocol,
    placement: Placement,
  ) => Promise<RunningTarget>;
}

export const http2Proxies: readonly Http2Proxy[] = [
  {
    name: 'umbra',
    isInstalled: true,
    start: async (port, protocol, { proxy }) => {
      const config = { proxyThreads: 1, engine: 'node', primaryPort: port, shadowPort: port } as const;
      const running = await startUmbra({ ...config, routes: plainRoute, protocols: 'h2', protocol }, proxy);
      return { url: running.url, pids: () => [running.pid], stop: running.stop };
    },
  },
  {
    name: 'nginx',
    isInstalled: isInstalled('nginx'),
    start: (port, protocol, placement) => startNginx((own) => proxyOf(own, port, protocol), placement),
  },
  { name: 'envoy', isInstalled: isInstalled('envoy'), start: envoyHttp2 },
];

/** `/` is 295 bytes, `/megabyte` a million. `/upload` answers when it has read the whole body. */
export function startOrigin(protocol: OriginProtocol, { rest, text }: Placement): Promise<RunningTarget> {
  const file = { megabyte: '.'.repeat(1_000_000) };
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
  }
  server {
    listen unix:taken.sock;
    location / { return 200 "${'.'.repeat(295)}"; }
  }`,
    { proxy: rest, rest, text },
    file,
  );
}

function proxyOf(port: number, originPort: number, protocol: OriginProtocol): string {
  const pass =
    protocol === 'http2'
      ? 'grpc_pass grpc://primary;'
      : 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://primary;';
  return `upstream primary { server 127.0.0.1:${originPort}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} http2;
    location / { ${pass} }
  }`;
}

function startNginx(
  servers: (port: number) => string,
  placement: Placement,
  more: Readonly<Record<string, string>> = {},
): Promise<RunningTarget> {
  return startServer(
    {
      command: 'nginx',
      forks: true,
      files: (port) => ({ 'nginx.conf': configuration(servers(port)), ...more }),
      args: (directory) => ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'],
    },
    placement,
  );
}

function configuration(servers: string): string {
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off;
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
  http2_max_concurrent_streams 128;
  ${servers}
}
`;
}
