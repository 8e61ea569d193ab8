/**
 * Trees of native configuration that are made from a document. A value keeps the position of the field that
 * it comes from.
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

/** `grow` gives plain values the position `mark`; nodes keep theirs. It leaves out undefined values. */
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

/** `placed` returns a plain value with the position of `node`. */
export function placed(node: TreeNode, value: Growth): TreeNode {
  return grow(node.mark, value);
}
