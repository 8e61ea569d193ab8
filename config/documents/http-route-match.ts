/** Matches of an HTTPRoute: their conditions, and their order. */
import { withoutTrailing } from '../../core/trim.js';
import type { TreeNode } from '../tree.js';
import { type Growth, placed } from './grow.js';
import { at, itemsAt, textAt } from './look.js';

/** Type and value of the path; without one it is the prefix `/`. */
export function pathOf(match: TreeNode | undefined): {
  type: string;
  value: string;
  node: TreeNode | undefined;
} {
  const path = at(match, 'path');
  const value = at(path, 'value');
  return { type: textAt(path, 'type') ?? 'PathPrefix', value: textAt(value) ?? '/', node: value ?? path };
}

/**
 * `specificity` is Gateway API's order of matches, the first number the most important: an exact path, then a
 * prefix, then a regular expression (which it leaves open); the longer path; a method; more headers; more
 * query parameters.
 */
export function specificity(match: TreeNode | undefined): number[] {
  const { type, value } = pathOf(match);
  const kind = type === 'Exact' ? 0 : type === 'PathPrefix' ? 1 : 2;
  return [
    kind,
    type === 'PathPrefix' ? -withoutTrailing(value, '/').length : -value.length,
    at(match, 'method') === undefined ? 1 : 0,
    -itemsAt(match, 'headers').length,
    -itemsAt(match, 'queryParams').length,
  ];
}

/** The first of two with one name counts; names of headers have no case. */
export function valuesOf(list: TreeNode | undefined, ignoreCase: boolean): Growth | undefined {
  const values: Record<string, Growth> = {};
  const seen = new Set<string>();
  for (const item of itemsAt(list)) {
    const name = textAt(item, 'name') ?? '';
    const value = at(item, 'value');
    const key = ignoreCase ? name.toLowerCase() : name;
    if (seen.has(key) || value === undefined) continue;
    seen.add(key);
    values[name] = placed(
      value,
      textAt(item, 'type') === 'RegularExpression' ? { regex: value } : { exact: value },
    );
  }
  return Object.keys(values).length === 0 ? undefined : values;
}
