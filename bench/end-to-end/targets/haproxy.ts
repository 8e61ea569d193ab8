/** HAProxy with one thread. It has no mirroring of its own: its SPOE mirror agent is another program. */
import { certificate } from './certificate.js';
import { missingFor } from './missing.js';
import { startServer } from './server.js';
import type { Target, TargetCase } from './target.js';

export function haproxyFor(name: string, what: TargetCase): Target {
  return {
    name,
    mirrors: what.mirrorPercent > 0,
    missing: () => (what.mirrorPercent > 0 ? 'HAProxy does not mirror' : missingFor('haproxy', what)),
    start: ({ primary }, placement) =>
      startServer(
        {
          command: 'haproxy',
          secure: what.tls,
          files: (port) => ({ 'haproxy.cfg': configuration(port, primary.port, what.tls) }),
          args: () => ['-db', '-f', 'haproxy.cfg'],
        },
        placement,
      ),
  };
}

function configuration(port: number, primaryPort: number, tls: boolean): string {
  return `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:${port}${tls ? ` ssl crt ${certificate()!.bothPath}` : ''}
  default_backend primary
backend primary
  server v1 127.0.0.1:${primaryPort}
`;
}
