/** Reads a document whose shape was checked. A field that is missing or null is undefined. */
import type { Mark } from '../problem.js';
import { type Entry, ListNode, MapNode, ScalarNode, type TreeNode } from '../tree.js';
import { isAbsent } from './check-shape.js';
import { parseDocumentDuration } from './duration.js';

/** `at` returns the node at the end of the path, or undefined. */
export function at(node: TreeNode | undefined, ...path: string[]): TreeNode | undefined {
  let found = node;
  for (const step of path) found = found instanceof MapNode ? found.entries.get(step)?.node : undefined;
  return isAbsent(found) ? undefined : found;
}

export function textAt(node: TreeNode | undefined, ...path: string[]): string | undefined {
  const value = scalarAt(node, path);
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(node: TreeNode | undefined, ...path: string[]): number | undefined {
  const value = scalarAt(node, path);
  return typeof value === 'number' ? value : undefined;
}

export function booleanAt(node: TreeNode | undefined, ...path: string[]): boolean | undefined {
  const value = scalarAt(node, path);
  return typeof value === 'boolean' ? value : undefined;
}

/** `durationAt` returns milliseconds. */
export function durationAt(node: TreeNode | undefined, ...path: string[]): number | undefined {
  const value = textAt(node, ...path);
  return value === undefined ? undefined : (parseDocumentDuration(value) ?? undefined);
}

export function itemsAt(node: TreeNode | undefined, ...path: string[]): readonly TreeNode[] {
  const list = at(node, ...path);
  return list instanceof ListNode ? list.items : [];
}

export function entriesAt(node: TreeNode | undefined, ...path: string[]): readonly [string, Entry][] {
  const map = at(node, ...path);
  return map instanceof MapNode ? [...map.entries] : [];
}

/** `keyMark` returns the position of the field's name, or else of the node. */
export function keyMark(node: TreeNode, key: string): Mark {
  return (node instanceof MapNode ? node.entries.get(key)?.keyMark : undefined) ?? node.mark;
}

function scalarAt(node: TreeNode | undefined, path: readonly string[]) {
  const found = at(node, ...path);
  return found instanceof ScalarNode ? found.value : undefined;
}
