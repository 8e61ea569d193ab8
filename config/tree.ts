/**
 * A configuration as a tree of values with their positions. Aliases are already expanded, so no node is
 * shared, and a change affects one place only.
 */
import type { Mark } from './problem.js';

export type Path = readonly (string | number)[];
export type ScalarValue = string | number | boolean | null;

export class ScalarNode {
  readonly mark: Mark;
  value: ScalarValue;
  /** The text as written, for messages: `${TOKEN}` is shown as a name, not as the secret. */
  readonly written: string;
  /** Substituted from the environment. The schema decides whether it is text, number or boolean. */
  readonly fromEnvironment: boolean;
  constructor(mark: Mark, value: ScalarValue, written: string, fromEnvironment: boolean) {
    this.mark = mark;
    this.value = value;
    this.written = written;
    this.fromEnvironment = fromEnvironment;
  }
}

export class ListNode {
  readonly mark: Mark;
  readonly items: TreeNode[] = [];
  constructor(mark: Mark) {
    this.mark = mark;
  }
}

export class MapNode {
  readonly mark: Mark;
  readonly entries = new Map<string, Entry>();
  constructor(mark: Mark) {
    this.mark = mark;
  }
}

export interface Entry {
  readonly keyMark: Mark;
  readonly node: TreeNode;
}

export type TreeNode = ScalarNode | ListNode | MapNode;

/** `nodeAt` returns the node at a path, or undefined. */
export function nodeAt(root: TreeNode, path: Path): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const step of path) {
    if (node === undefined) return undefined;
    node = childOf(node, step);
  }
  return node;
}

/** `markAt` returns the position of a value, or of its nearest existing parent. */
export function markAt(root: TreeNode, path: Path): Mark {
  let node = root;
  for (const step of path) {
    const child = childOf(node, step);
    if (child === undefined) break;
    node = child;
  }
  return node.mark;
}

/** `keyMarkAt` returns the position of the key of a value, or of the value itself in a list. */
export function keyMarkAt(root: TreeNode, path: Path): Mark {
  const parent = nodeAt(root, path.slice(0, -1));
  const entry = parent instanceof MapNode ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyMark ?? markAt(root, path);
}

/**
 * `plainValue` returns plain data for the schema. Its objects have null prototypes, so that no key meets an
 * inherited name.
 */
export function plainValue(node: TreeNode): unknown {
  if (node instanceof ScalarNode) return node.value;
  if (node instanceof ListNode) return node.items.map(plainValue);
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of node.entries) plain[key] = plainValue(entry.node);
  return plain;
}

/** `formatPath` returns `routes[0].mirrors[1].percent`, the form of `--set`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

export function childOf(node: TreeNode, step: string | number): TreeNode | undefined {
  if (node instanceof MapNode) return node.entries.get(String(step))?.node;
  if (node instanceof ListNode && typeof step === 'number') return node.items[step];
  return undefined;
}

/** `textAt` returns the text at a path, or null. */
export function textAt(root: TreeNode, path: Path): string | null {
  const node = nodeAt(root, path);
  return node instanceof ScalarNode && typeof node.value === 'string' ? node.value : null;
}

/** `indexesAt` returns the indexes of the list at a path; none without a list. */
export function indexesAt(root: TreeNode, path: Path): number[] {
  const node = nodeAt(root, path);
  return node instanceof ListNode ? node.items.map((_, index) => index) : [];
}
