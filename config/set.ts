/**
 * `--set path=value` replaces one value of a configuration from the command line. A path consists of keys,
 * list positions and names of list items: `routes[0].mirrors[0].percent`,
 * `routes.reviews.mirrors.v2.percent`.
 */

import { type ConfigProblem, errorAt, type Mark } from './problem.js';
import { readValue } from './read-tree.js';
import { routeName } from './schema.js';
import { didYouMean } from './suggest.js';
import { formatPath, ListNode, MapNode, ScalarNode, type TreeNode } from './tree.js';

/** `applySet` changes the tree and returns its problems. The file of a problem is the option itself. */
export function applySet(root: TreeNode, assignment: string, env: NodeJS.ProcessEnv): ConfigProblem[] {
  const mark: Mark = { file: `--set ${assignment}`, line: 1, column: 1 };
  const equals = assignment.indexOf('=');
  const steps = equals < 0 ? null : readSteps(assignment.slice(0, equals));
  if (steps === null) return [errorAt(mark, 'expected path=value, such as routes[0].mirrors[0].percent=5')];
  const { root: value, problems } = readValue(assignment.slice(equals + 1), mark, env);
  if (problems.length > 0) return problems;
  const assigned = value ?? new ScalarNode(mark, null, '', false);
  const reason = assign(root, steps, assigned, mark);
  return reason === null ? [] : [errorAt(mark, reason)];
}

type Step = string | number;

/** `readSteps` returns null for an invalid path. */
function readSteps(path: string): Step[] | null {
  if (!/^[^.[\]]+(?:\.[^.[\]]+|\[\d{1,6}\])*$/.test(path)) return null;
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map((part) =>
    part[1] === undefined ? part[0] : Number(part[1]),
  );
}

/** `assign` stores the value, and adds missing mappings. It returns why it can't, or null. */
function assign(root: TreeNode, steps: readonly Step[], value: TreeNode, mark: Mark): string | null {
  let node = root;
  for (let depth = 0; depth < steps.length; depth++) {
    const isLast = depth === steps.length - 1;
    const step = steps[depth];
    const reached = formatPath(steps.slice(0, depth)) || 'the configuration';
    if (node instanceof MapNode) {
      if (typeof step === 'number') return `${reached} is a mapping: [${step}] needs a list`;
      if (step === '__proto__') return '`__proto__` can not be a key';
      let next = node.entries.get(step)?.node;
      if (isLast || next === undefined) {
        next = isLast ? value : typeof steps[depth + 1] === 'number' ? new ListNode(mark) : new MapNode(mark);
        node.entries.set(step, { keyMark: mark, node: next });
      }
      node = next;
    } else if (node instanceof ListNode) {
      const index: number | string = indexOf(node, step, reached);
      if (typeof index === 'string') return index;
      if (isLast) node.items[index] = value;
      else if (index === node.items.length)
        node.items.push(typeof steps[depth + 1] === 'number' ? new ListNode(mark) : new MapNode(mark));
      node = node.items[index];
    } else return `${reached} is a single value: \`${step}\` leads nowhere`;
  }
  return null;
}

/**
 * `indexOf` returns the position of a step in a list, where one past the end appends, or a text when there is
 * none.
 */
function indexOf(list: ListNode, step: Step, reached: string): number | string {
  if (typeof step === 'number') {
    if (step <= list.items.length) return step;
    return `${reached} has ${list.items.length} items: [${step}] is past its end`;
  }
  const names = list.items.map(nameOf);
  const index = names.indexOf(step);
  if (index >= 0) return index;
  return `${reached} has no item named \`${step}\`${didYouMean(
    step,
    names.filter((name) => name !== null),
  )}`;
}

/** `nameOf` returns a route's name, or the version of a mirror. */
function nameOf(item: TreeNode, index: number): string | null {
  if (!(item instanceof MapNode)) return null;
  const named = item.entries.get('name')?.node ?? item.entries.get('to')?.node;
  if (named instanceof ScalarNode && named.value !== null) return String(named.value);
  return item.entries.has('primary') ? routeName(undefined, index) : null;
}
