/**
 * Trees of native configuration that a document becomes; what grows from a field stands where the field
 * stands.
 */
import type { Mark } from '../problem.js';
import { ListNode, MapNode, ScalarNode, type TreeNode } from '../tree.js';

export type Growth =
  | TreeNode
  | string
  | number
  | boolean
  | null
  | readonly Growth[]
  | { readonly [key: string]: Growth | undefined };

/** Plain values get the place `mark`; nodes in between keep theirs. A value that is undefined is left out. */
export function grow(mark: Mark, value: Growth): TreeNode {
  if (value instanceof ScalarNode || value instanceof ListNode || value instanceof MapNode) return value;
  if (typeof value !== 'object' || value === null)
    return new ScalarNode(mark, value, String(value).slice(0, 60), false);
  if (Array.isArray(value)) {
    const list = new ListNode(mark);
    for (const item of value as readonly Growth[]) list.items.push(grow(mark, item));
    return list;
  }
  const map = new MapNode(mark);
  for (const [key, part] of Object.entries(value as { readonly [key: string]: Growth | undefined })) {
    if (part !== undefined) map.entries.set(key, { keyMark: mark, node: grow(mark, part) });
  }
  return map;
}

/** A plain value that stands where `node` stands. */
export function placed(node: TreeNode, value: Growth): TreeNode {
  return grow(node.mark, value);
}
