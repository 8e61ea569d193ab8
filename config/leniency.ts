/** Warns of listeners behind another proxy on an engine that accepts some malformed requests. */
import { type ConfigProblem, warningAt } from './problem.js';
import type { Config } from './schema.js';
import { markAt, type TreeNode } from './tree.js';

const message =
  'a listener behind another proxy is safer on `engine: node`: uws accepts malformed requests that the proxy may parse differently (docs/operations.md, "Behind another proxy")';

export function warnOfLeniency(config: Config, root: TreeNode): ConfigProblem[] {
  return config.listen.flatMap(({ engine, trusted }, index) =>
    engine === 'uws' && trusted !== undefined
      ? [warningAt(markAt(root, ['listen', index, 'trusted']), message)]
      : [],
  );
}
