/** Keys that the configuration knows and umbra does not do yet: an error each, so that nothing is accepted in silence. */
import { type ConfigProblem, errorAt } from './problem.js';
import { childOf, keyMarkAt, ListNode, MapNode, nodeAt, type TreeNode } from './tree.js';

const ofRoutes = [
  'split',
  'redirect',
  'respond',
  'rewrite',
  'headers',
  'versionHeaders',
  'retries',
  'fault',
] as const;

export function checkNotYet(root: TreeNode): ConfigProblem[] {
  const routes = childOf(root, 'routes');
  if (!(routes instanceof ListNode)) return [];
  return routes.items.flatMap((route, index) => {
    const problems = ofRoutes
      .filter((key) => childOf(route, key) !== undefined)
      .map((key) =>
        errorAt(keyMarkAt(root, ['routes', index, key]), `routes[${index}].${key}: not supported yet`),
      );
    const primary = nodeAt(root, ['routes', index, 'primary']);
    return primary instanceof MapNode && primary.entries.size > 1
      ? [...problems, errorAt(primary.mark, `routes[${index}].primary: weights are not supported yet`)]
      : problems;
  });
}
