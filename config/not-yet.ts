/**
 * What the documentation promises and this version does not do. Each is refused where it stands, so that
 * nobody believes in a health check that does not run. Building one means: its keys into `schema.ts`, its
 * part into the plan, and its line here deleted.
 */
import { type ConfigProblem, errorAt } from './problem.js';
import {
  type Entry,
  formatPath,
  keyMarkAt,
  ListNode,
  MapNode,
  type Path,
  ScalarNode,
  type TreeNode,
} from './tree.js';

interface NotYet {
  /** Steps of a path; `*` stands for any. */
  readonly path: string;
  readonly name: string;
  /** Only values that begin so; without it the key itself. */
  readonly value?: RegExp;
}

const notYet: readonly NotYet[] = [
  { path: 'routes.*.mirrors.*.compare', name: 'compare' },
  { path: 'redact', name: 'redact' },
];

export function refuseNotYet(root: TreeNode): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const feature of notYet) {
    visit(root, feature.path.split('.'), [], (node, path) => {
      const isMeant =
        feature.value === undefined || (node instanceof ScalarNode && feature.value.test(String(node.value)));
      if (!isMeant) return;
      const mark = feature.value === undefined ? keyMarkAt(root, path) : node.mark;
      problems.push(
        errorAt(
          mark,
          `${formatPath(path)}: \`${feature.name}\` is not supported by this version of umbra yet`,
        ),
      );
    });
  }
  return problems;
}

function visit(
  node: TreeNode,
  steps: readonly string[],
  path: Path,
  found: (node: TreeNode, path: Path) => void,
): void {
  if (steps.length === 0) {
    found(node, path);
    return;
  }
  const [step, ...rest] = steps;
  if (node instanceof ListNode && step === '*') {
    node.items.forEach((item, index) => {
      visit(item, rest, [...path, index], found);
    });
  }
  if (!(node instanceof MapNode)) return;
  const entries: Iterable<[string, Entry]> =
    step === '*' ? node.entries : [...node.entries].filter(([key]) => key === step);
  for (const [key, entry] of entries) visit(entry.node, rest, [...path, key], found);
}
