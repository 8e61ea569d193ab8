/**
 * Warns of mirrors whose copies go to the same place as the originals: nothing is compared, and every request
 * is sent twice.
 */
import type { EndpointPlan } from '../core/plan.js';
import { formatAddress } from './address.js';
import { type ConfigProblem, warningAt } from './problem.js';
import type { Config } from './schema.js';
import { markAt, type TreeNode } from './tree.js';

/**
 * `warnOfSelfMirrors` finds another version with the same endpoints. `check.ts` reports a mirror to its own
 * primary as an error.
 */
export function warnOfSelfMirrors(config: Config, root: TreeNode): ConfigProblem[] {
  const endpoints = (version: string) => config.versions[version]?.endpoints ?? [];
  return config.routes.flatMap((route, routeIndex) => {
    const primaries = (route.primary ?? []).filter(({ weight }) => weight > 0);
    return route.mirrors.flatMap((mirror, index) => {
      if ((route.primary ?? []).length > 1 && primaries.every(({ version }) => version === mirror.to)) {
        const message = `\`${mirror.to}\` answers every request of this route, so nothing is copied to it`;
        return [warningAt(markAt(root, ['routes', routeIndex, 'mirrors', index, 'to']), message)];
      }
      return primaries.flatMap((primary) => {
        const shared = endpoints(mirror.to).find((one) =>
          endpoints(primary.version).some((other) => same(one, other)),
        );
        if (shared === undefined || mirror.to === primary.version) return [];
        const message = `\`${mirror.to}\` has an endpoint of the primary \`${primary.version}\`, ${formatAddress(shared.address)}: it receives each request of this route twice`;
        return [warningAt(markAt(root, ['routes', routeIndex, 'mirrors', index, 'to']), message)];
      });
    });
  });
}

function same(a: EndpointPlan, b: EndpointPlan): boolean {
  return formatAddress(a.address) === formatAddress(b.address);
}
