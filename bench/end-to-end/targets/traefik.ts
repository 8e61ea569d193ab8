/** Traefik with one processor for its goroutines and its mirroring service. */
import { certificate } from './certificate.js';
import { missingFor } from './missing.js';
import { startServer } from './server.js';
import type { Target, TargetCase } from './target.js';

export function traefikFor(name: string, what: TargetCase): Target {
  return {
    name,
    mirrors: what.mirrorPercent > 0,
    missing: () => missingFor('traefik', what),
    start: ({ primary, shadow }, placement) =>
      startServer(
        {
          command: 'env',
          secure: what.tls,
          // JSON is YAML.
          files: (port) => ({
            'static.yaml': JSON.stringify({
              log: { level: 'ERROR' },
              entryPoints: { front: { address: `127.0.0.1:${port}` } },
              providers: { file: { filename: 'dynamic.yaml' } },
            }),
            'dynamic.yaml': JSON.stringify(dynamic(primary.port, shadow.port, what)),
          }),
          args: () => ['GOMAXPROCS=1', 'traefik', '--configFile=static.yaml'],
        },
        placement,
      ),
  };
}

function dynamic(primaryPort: number, shadowPort: number, { mirrorPercent, tls }: TargetCase): object {
  const server = (port: number): object => ({
    loadBalancer: { servers: [{ url: `http://127.0.0.1:${port}` }] },
  });
  const mirrored = {
    mirroring: { service: 'primary', mirrors: [{ name: 'shadow', percent: mirrorPercent }] },
  };
  const all = {
    rule: 'PathPrefix(`/`)',
    entryPoints: ['front'],
    service: mirrorPercent > 0 ? 'mirrored' : 'primary',
    ...(tls ? { tls: {} } : {}),
  };
  return {
    http: {
      routers: { all },
      services: {
        primary: server(primaryPort),
        shadow: server(shadowPort),
        ...(mirrorPercent > 0 ? { mirrored } : {}),
      },
    },
    ...(tls
      ? { tls: { certificates: [{ certFile: certificate()!.certPath, keyFile: certificate()!.keyPath }] } }
      : {}),
  };
}
