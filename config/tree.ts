/**
 * A configuration as a tree of values that know where they were written. Aliases are already expanded, so
 * no node is shared and a change in one place stays there.
 */
import type { Mark } from './problem.js';

export type Path = readonly (string | number)[];
export type ScalarValue = string | number | boolean | null;

export class ScalarNode {
  readonly mark: Mark;
  value: ScalarValue;
  /** The text as written, for messages: `${TOKEN}` stays a name and does not become the secret. */
  readonly written: string;
  /** Substituted from the environment: its place decides later whether it is text, number or boolean. */
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

/** The node at a path, or undefined. */
export function nodeAt(root: TreeNode, path: Path): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const step of path) {
    if (node === undefined) return undefined;
    node = childOf(node, step);
  }
  return node;
}

/** Where a value stands; for one that is missing, its nearest parent that exists. */
export function markAt(root: TreeNode, path: Path): Mark {
  let node = root;
  for (const step of path) {
    const child = childOf(node, step);
    if (child === undefined) break;
    node = child;
  }
  return node.mark;
}

/** Where the key that leads to a value stands, or the value itself in a list. */
export function keyMarkAt(root: TreeNode, path: Path): Mark {
  const parent = nodeAt(root, path.slice(0, -1));
  const entry = parent instanceof MapNode ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyMark ?? markAt(root, path);
}

/** Plain data for the schema. Null prototypes, so that no key can meet an inherited name. */
export function plainValue(node: TreeNode): unknown {
  if (node instanceof ScalarNode) return node.value;
  if (node instanceof ListNode) return node.items.map(plainValue);
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of node.entries) plain[key] = plainValue(entry.node);
  return plain;
}

/** `routes[0].mirrors[1].percent`: the form that `--set` takes. */
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

/** The text at a path, or null where there is none. */
export function textAt(root: TreeNode, path: Path): string | null {
  const node = nodeAt(root, path);
  return node instanceof ScalarNode && typeof node.value === 'string' ? node.value : null;
}

/** The places in the list at a path; none where there is no list. */
export function indexesAt(root: TreeNode, path: Path): number[] {
  const node = nodeAt(root, path);
  return node instanceof ListNode ? node.items.map((_, index) => index) : [];
}
