/** Header modifiers of Gateway API as `headers` of a route. */
import type { Mark } from '../problem.js';
import type { TreeNode } from '../tree.js';
import { type Growth, grow, placed } from './grow.js';
import { at, itemsAt, textAt } from './look.js';

export function modifications(
  request: TreeNode | undefined,
  response: TreeNode | undefined,
  mark: Mark,
): Growth | undefined {
  if (request === undefined && response === undefined) return undefined;
  return grow(mark, { request: editsOf(request), response: editsOf(response) });
}

function editsOf(modifier: TreeNode | undefined): Growth | undefined {
  if (modifier === undefined) return undefined;
  const pairs = (key: string): Growth | undefined => {
    const edits: Record<string, Growth> = {};
    for (const item of itemsAt(modifier, key)) {
      const value = at(item, 'value');
      if (value !== undefined) edits[textAt(item, 'name') ?? ''] = value;
    }
    return Object.keys(edits).length === 0 ? undefined : edits;
  };
  return placed(modifier, { set: pairs('set'), add: pairs('add'), remove: at(modifier, 'remove') });
}
