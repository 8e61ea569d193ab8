/** What `peers` asks of every proxy, case by case. */
import type { Contest } from './compare.js';
import { direct } from './targets/direct.js';
import { envoyFor } from './targets/envoy.js';
import { haproxyFor } from './targets/haproxy.js';
import { nginxFor } from './targets/nginx.js';
import { splice } from './targets/splice.js';
import { mirrorOnly, plainCase, type Target, type TargetCase } from './targets/target.js';
import { traefikFor } from './targets/traefik.js';
import { defaultRing, mirrorRoute, plainRoute, umbraTarget } from './targets/umbra.js';

export interface PeersCase {
  readonly name: string;
  readonly what: string;
  readonly asked: Contest;
  readonly targets: readonly Target[];
}

const postBytes = 64 * 1024;
const manyConnections = 1000;
/** Tolerance around the expected 10 %, because sampling is random. */
const tenthMin = 0.09;

export function peersCases(connections: number): readonly PeersCase[] {
  const get: Contest = { body: 'text', bodyBytes: 0, connections, shadow: 'answering' };
  return [
    {
      name: 'plain',
      what: 'GETs answered with 295 bytes, nothing mirrored',
      asked: get,
      targets: [direct, splice, ...proxies(plainCase)],
    },
    {
      name: 'mirror-100',
      what: 'the same, everything mirrored',
      asked: get,
      targets: proxies(mirrorOnly(100)),
    },
    {
      name: 'mirror-10',
      what: 'the same, 10 % mirrored',
      asked: get,
      targets: proxies(mirrorOnly(10)).map((target) => ({ ...target, copiesMin: tenthMin })),
    },
    {
      name: 'post-64k',
      what: 'POSTs of 64 KiB, everything mirrored',
      asked: { ...get, bodyBytes: postBytes },
      // All connections' bodies at once, and as many that wait for a shadow thread on the same core.
      targets: proxies(mirrorOnly(100), '16MiB'),
    },
    {
      name: 'download-1m',
      what: 'GETs answered with 1 MB, nothing mirrored',
      asked: { ...get, body: 'megabyte' },
      targets: [direct, ...proxies(plainCase)],
    },
    {
      name: 'tls',
      what: 'plain, from clients over kept TLS connections',
      asked: get,
      targets: proxies({ ...plainCase, tls: true }),
    },
    {
      name: 'connections',
      what: `plain, over ${manyConnections} connections`,
      asked: { ...get, connections: manyConnections },
      targets: [direct, ...proxies(plainCase)],
    },
    {
      name: 'slow-shadow',
      what: 'everything mirrored to a shadow that takes a second for each answer',
      asked: { ...get, shadow: 'slow' },
      // What a slow shadow can't take is dropped or waited for: that is what is compared.
      targets: proxies(mirrorOnly(100)).map((target) => ({ ...target, copiesMin: 0 })),
    },
  ];
}

/** `ring`: `threads.ring` of umbra, where it is not the usual one. */
function proxies(what: TargetCase, ring = defaultRing): readonly Target[] {
  const { tls, mirrorPercent } = what;
  const routes = mirrorPercent > 0 ? mirrorRoute(mirrorPercent) : plainRoute;
  return [
    umbraTarget('umbra', routes, 'uws', { tls, ring }),
    umbraTarget('umbra-node', routes, 'node', { tls, ring }),
    nginxFor('nginx', what),
    haproxyFor('haproxy', what),
    envoyFor('envoy', what),
    traefikFor('traefik', what),
  ];
}
