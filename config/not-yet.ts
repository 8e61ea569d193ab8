/** Keys that the configuration knows and umbra does not do yet: an error each, so that nothing is accepted in silence. */
import { type ConfigProblem, errorAt } from './problem.js';
import { childOf, keyMarkAt, ListNode, type TreeNode } from './tree.js';

const ofRoutes = ['retries'] as const;

export function checkNotYet(root: TreeNode): ConfigProblem[] {
  const routes = childOf(root, 'routes');
  if (!(routes instanceof ListNode)) return [];
  return routes.items.flatMap((route, index) => {
    return ofRoutes
      .filter((key) => childOf(route, key) !== undefined)
      .map((key) =>
        errorAt(keyMarkAt(root, ['routes', index, key]), `routes[${index}].${key}: not supported yet`),
      );
  });
}
