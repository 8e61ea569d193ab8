/** Documents that contain documents: `List`, and the lists of one kind that a Kubernetes server returns. */
import { ListNode, MapNode, ScalarNode, type TreeNode } from '../tree.js';
import { at, textAt } from './look.js';

/** `withoutLists` returns the documents in `root` at any depth. The reader of trees bounds the nesting. */
export function withoutLists(root: TreeNode): TreeNode[] {
  const kind = textAt(root, 'kind') ?? '';
  const items = kind.endsWith('List') ? at(root, 'items') : undefined;
  if (!(items instanceof ListNode)) return [root];
  const itemKind = kind.slice(0, -'List'.length);
  const apiVersion = at(root, 'apiVersion');
  return items.items.flatMap((item) => withoutLists(named(item, itemKind, apiVersion)));
}

/** `named` adds the kind to an item, because items of a list of one kind do not repeat it. */
function named(item: TreeNode, kind: string, apiVersion: TreeNode | undefined): TreeNode {
  if (!(item instanceof MapNode) || kind === '' || at(item, 'kind') !== undefined) return item;
  const whole = new MapNode(item.mark);
  if (apiVersion !== undefined) whole.entries.set('apiVersion', { keyMark: item.mark, node: apiVersion });
  const node = new ScalarNode(item.mark, kind, kind, false);
  whole.entries.set('kind', { keyMark: item.mark, node });
  for (const [key, entry] of item.entries) whole.entries.set(key, entry);
  return whole;
}
