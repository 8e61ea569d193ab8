/** Matches of an HTTPRoute: their conditions, and their order. */
import { withoutTrailing } from '../../core/trim.js';
import type { TreeNode } from '../tree.js';
import { type Growth, placed } from './grow.js';
import { at, itemsAt, textAt } from './look.js';

/** `pathOf` returns type and value of the path. The default is the prefix `/`. */
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
 * `specificity` returns the rank of a match in Gateway API, the most important number first: an exact path
 * before a prefix before a regular expression (whose rank is not specified), then the longer path, a method,
 * more headers, more query parameters.
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

/**
 * `valuesOf` keeps the first of two entries with the same name. Names of headers are compared in any case.
 */
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
