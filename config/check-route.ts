/** Checks the parts of one route against each other. */
import { limits } from '../core/limits.js';
import { type ConfigProblem, errorAt, type Mark } from './problem.js';
import { nameOfTarget } from './sink-target.js';
import {
  childOf,
  indexesAt,
  keyMarkAt,
  ListNode,
  MapNode,
  markAt,
  nodeAt,
  type Path,
  type TreeNode,
  textAt,
} from './tree.js';

/** A version in a route's `primary`, and its position. */
interface PrimaryAt {
  readonly version: string;
  readonly mark: Mark;
}

export function primariesAt(root: TreeNode, route: number): PrimaryAt[] {
  const path: Path = ['routes', route, 'primary'];
  const node = nodeAt(root, path);
  if (node instanceof MapNode) {
    return [...node.entries].map(([version, { keyMark }]) => ({ version, mark: keyMark }));
  }
  const version = textAt(root, path);
  return version === null ? [] : [{ version, mark: node!.mark }];
}

/** `checkWays` reports keys that change, copy or retry requests which no primary receives. */
export function checkWays(root: TreeNode): ConfigProblem[] {
  return indexesAt(root, ['routes']).flatMap((route) => {
    const at = nodeAt(root, ['routes', route])!;
    return [...checkAnswer(root, route, at), ...checkVersionHeaders(root, route)];
  });
}

/** Keys of a route whose requests are forwarded to a version. */
export const ofForwarded: readonly string[] = [
  'split',
  'rewrite',
  'versionHeaders',
  'retries',
  'mirrors',
  'rollout',
];

function checkAnswer(root: TreeNode, route: number, at: TreeNode): ConfigProblem[] {
  const answer = ['redirect', 'respond'].find((way) => childOf(at, way) !== undefined);
  if (answer === undefined || childOf(at, 'primary') !== undefined) return [];
  const path: Path = ['routes', route];
  const keys: Path[] = ofForwarded.map((key) => [...path, key]);
  return [...keys, [...path, 'headers', 'request'] as Path].flatMap((key) => {
    const node = nodeAt(root, key);
    if (node === undefined || (node instanceof ListNode && node.items.length === 0)) return [];
    const message = `\`${key.slice(2).join('.')}\` is for requests that are forwarded to a version, and \`${answer}\` answers these`;
    return [errorAt(keyMarkAt(root, key), message)];
  });
}

function checkVersionHeaders(root: TreeNode, route: number): ConfigProblem[] {
  const path: Path = ['routes', route, 'versionHeaders'];
  const node = nodeAt(root, path);
  if (!(node instanceof MapNode)) return [];
  const primaries = primariesAt(root, route).map(({ version }) => version);
  return [...node.entries].flatMap(([version, { keyMark }]) =>
    primaries.includes(version) || primaries.length === 0
      ? []
      : [errorAt(keyMark, `\`${version}\` is not a primary of this route: ${primaries.join(', ')}`)],
  );
}

export function checkMirrors(root: TreeNode): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  let count = 0;
  for (const route of indexesAt(root, ['routes'])) {
    const primaries = primariesAt(root, route);
    const firsts = new Map<string, Mark>();
    for (const mirror of indexesAt(root, ['routes', route, 'mirrors'])) {
      const path = ['routes', route, 'mirrors', mirror, 'to'];
      const written = textAt(root, path);
      const to = written === null ? null : nameOfTarget(written);
      const mark = markAt(root, path);
      if (++count === limits.mirrorSlots + 1)
        problems.push(errorAt(mark, `more than ${limits.mirrorSlots} mirrors in one configuration`));
      problems.push(...checkRewrite(root, route, mirror));
      problems.push(
        ...checkBaseline(root, ['routes', route, 'mirrors', mirror, 'compare', 'baseline'], primaries),
      );
      if (to === null) continue;
      const first = firsts.get(to);
      if (isOnlyPrimary(to, primaries))
        problems.push(errorAt(mark, `mirrors \`${to}\` to itself: it is the primary of this route`));
      else if (first !== undefined) {
        problems.push(
          errorAt(mark, `this route is mirrored to \`${to}\` twice; the first is at line ${first.line}`),
        );
      } else firsts.set(to, mark);
    }
  }
  return problems;
}

/**
 * `isOnlyPrimary` returns true when the mirror would never copy: with other primaries, their requests are
 * copied, and those that the shadow itself answers are not.
 */
function isOnlyPrimary(version: string, primaries: readonly PrimaryAt[]): boolean {
  return primaries.length > 0 && primaries.every((primary) => primary.version === version);
}

/** `checkRewrite` reports a replaced prefix on a route that does not match one literal path. */
function checkRewrite(root: TreeNode, route: number, mirror: number): ConfigProblem[] {
  const path: Path = ['routes', route, 'mirrors', mirror, 'rewrite', 'prefix'];
  if (nodeAt(root, path) === undefined) return [];
  const match = nodeAt(root, ['routes', route, 'match']);
  const several = match instanceof ListNode && match.items.length > 1;
  const one = match instanceof ListNode ? match.items[0] : match;
  const isRegex = one !== undefined && nodeAt(one, ['path', 'regex']) !== undefined;
  if (!several && !isRegex) return [];
  const what = several ? 'has several matches' : 'matches a regular expression';
  const message = `rewrite: \`prefix\` replaces the path that the route matches, and this route ${what}; use { regex, substitution }`;
  return [errorAt(markAt(root, path), message)];
}

/**
 * `checkBaseline` reports a baseline of another version: only two responses of the primary's version show
 * noise.
 */
function checkBaseline(root: TreeNode, path: Path, primaries: readonly PrimaryAt[]): ConfigProblem[] {
  const baseline = textAt(root, path);
  const names = primaries.map(({ version }) => version);
  if (baseline === null || names.length === 0 || names.includes(baseline)) return [];
  const message = `the baseline must be the primary of this route, \`${names.join('` or `')}\`, not \`${baseline}\``;
  return [errorAt(markAt(root, path), message)];
}
