/** Warns of baselines that send most of a route's requests to its primary a second time. */
import { type ConfigProblem, warningAt } from './problem.js';
import type { Config } from './schema.js';
import { markAt, type Path, type TreeNode } from './tree.js';

const WHOLE_MILLIONTHS = 1_000_000;
const MILLIONTHS_PER_PERCENT = 10_000;
/** The part of a route's requests from which on the load on its primary is worth a word, in millionths. */
const muchMillionths = 500_000;

/** `warnOfBaselineLoad` multiplies the mirror's share by the sample, which is what the primary gets again. */
export function warnOfBaselineLoad(config: Config, root: TreeNode): ConfigProblem[] {
  return config.routes.flatMap((route, routeIndex) =>
    route.mirrors.flatMap(({ percent, compare }, index) => {
      if (compare === undefined || compare === 'off' || compare.baseline === undefined) return [];
      const again = Math.round((percent * compare.sample) / WHOLE_MILLIONTHS);
      if (again < muchMillionths) return [];
      const { baseline } = compare;
      const path: Path = ['routes', routeIndex, 'mirrors', index, 'compare', 'sample'];
      const message =
        `compare.sample: with this sample \`baseline: ${baseline}\` sends ${again / MILLIONTHS_PER_PERCENT} % of ` +
        `the route's requests with a safe method to \`${baseline}\` a second time; 1% to 10% finds noise as well`;
      return [warningAt(markAt(root, path), message)];
    }),
  );
}
