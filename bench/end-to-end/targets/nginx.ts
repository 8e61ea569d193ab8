/**
 * nginx, plain and with its mirror module, with one worker and what its documentation recommends for a proxy:
 * HTTP/1.1 and a pool of kept connections to each upstream. Limits on requests per connection are lifted,
 * because umbra has none.
 */
import { certificate } from './certificate.js';
import { missingFor } from './missing.js';
import { startServer } from './server.js';
import { mirrorOnly, plainCase, type Target, type TargetCase } from './target.js';

export const nginx = nginxFor('nginx', plainCase);
export const nginxMirror = nginxFor('nginx-mirror', mirrorOnly(100));

export function nginxFor(name: string, what: TargetCase): Target {
  return {
    name,
    mirrors: what.mirrorPercent > 0,
    missing: () => missingFor('nginx', what),
    start: ({ primary, shadow }, placement) =>
      startServer(
        {
          command: 'nginx',
          secure: what.tls,
          forks: true,
          files: (port) => ({ 'nginx.conf': configuration(port, primary.port, shadow.port, what) }),
          args: (directory) => ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'],
        },
        placement,
      ),
  };
}

/** `/off` is not mirrored in any case. */
function configuration(
  port: number,
  primaryPort: number,
  shadowPort: number,
  { mirrorPercent, tls }: TargetCase,
): string {
  const upstream = (name: string, upstreamPort: number): string => `
  upstream ${name} {
    server 127.0.0.1:${upstreamPort};
    keepalive 64;
    keepalive_requests 1000000000;
  }`;
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
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
  access_log off;
  # Bodies of any size flow through, as they do through umbra, and are not written to files.
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
${upstream('primary', primaryPort)}
${upstream('shadow', shadowPort)}
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
  }
}
`;
}
