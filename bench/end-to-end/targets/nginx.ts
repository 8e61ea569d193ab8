/**
 * nginx, plain and with its mirror module, with one worker and what its documentation recommends for a proxy:
 * HTTP/1.1 and a pool of kept connections to each upstream. Limits on requests per connection are lifted,
 * because umbra has none.
 */

import type { Placement } from '../placement.js';
import { certificate } from './certificate.js';
import { missingFor } from './missing.js';
import { startServer } from './server.js';
import { mirrorOnly, plainCase, type RunningTarget, type Target, type TargetCase } from './target.js';

export const nginx = nginxFor('nginx', plainCase);
export const nginxMirror = nginxFor('nginx-mirror', mirrorOnly(100));

export function nginxFor(name: string, what: TargetCase): Target {
  return {
    name,
    mirrors: what.mirrorPercent > 0,
    missing: () => missingFor('nginx', what),
    start: ({ primary, shadow }, placement) =>
      startNginx((port) => configuration(port, primary.port, shadow.port, what), placement, {
        secure: what.tls,
      }),
  };
}

export interface NginxOptions {
  readonly secure?: boolean;
  /** Files beside its configuration, by name. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** Starts an nginx whose `http` block has these `servers`, one of which listens on the port. */
export function startNginx(
  servers: (port: number) => string,
  placement: Placement,
  { secure = false, files = {} }: NginxOptions = {},
): Promise<RunningTarget> {
  return startServer(
    {
      command: 'nginx',
      secure,
      forks: true,
      files: (port) => ({ 'nginx.conf': around(servers(port)), ...files }),
      args: (directory) => ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'],
    },
    placement,
  );
}

/** An upstream with a pool of kept connections. */
export function nginxUpstream(name: string, port: number): string {
  return `
  upstream ${name} {
    server 127.0.0.1:${port};
    keepalive 64;
    keepalive_requests 1000000000;
  }`;
}

/** `/off` is not mirrored in any case. */
function configuration(
  port: number,
  primaryPort: number,
  shadowPort: number,
  { mirrorPercent, tls }: TargetCase,
): string {
  const pass = `proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;`;
  const sampled = mirrorPercent < 100;
  const mirror = `
    location = /.mirror {
      internal;
      ${sampled ? 'if ($mirrored = "") { return 204; }' : ''}
      ${pass}
      proxy_pass http://shadow$request_uri;
    }`;
  const listener = tls
    ? `listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate()!.certPath};
    ssl_certificate_key ${certificate()!.keyPath};`
    : `listen 127.0.0.1:${port};`;
  return `${nginxUpstream('primary', primaryPort)}
${nginxUpstream('shadow', shadowPort)}
  ${mirrorPercent > 0 && sampled ? `split_clients $request_id $mirrored { ${mirrorPercent}% 1; * ""; }` : ''}
  server {
    ${listener}
    location / {
      ${mirrorPercent > 0 ? 'mirror /.mirror;' : ''}
      ${pass}
      proxy_pass http://primary;
    }
    location = /off {
      ${pass}
      proxy_pass http://primary;
    }
    ${mirrorPercent > 0 ? mirror : ''}
  }`;
}

/** The configuration around servers. Bodies of any size flow through, as they do through umbra. */
function around(servers: string): string {
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
  ${servers}
}
`;
}
