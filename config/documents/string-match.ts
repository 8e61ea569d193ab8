/** Istio's `StringMatch`: exactly one of `exact`, `prefix` and `regex`. */
import { wholePattern } from '../../core/route/pattern.js';
import { parseRegexText } from '../regex.js';
import type { TreeNode } from '../tree.js';
import { Refusal } from '../units.js';
import { at, textAt } from './look.js';

/**
 * `stringMatch` returns one of the three with its value, or `any` for an empty one and for the equivalent
 * `regex: "*"`.
 */
export function stringMatch(node: TreeNode): Record<string, TreeNode> | 'any' {
  if (textAt(node, 'regex') === '*') return 'any';
  for (const kind of ['exact', 'prefix', 'regex']) {
    const value = at(node, kind);
    if (value !== undefined) return { [kind]: value };
  }
  return 'any';
}

/** `fits` returns true when a text matches. A malformed expression is reported elsewhere. */
export function fits(node: TreeNode, text: string): boolean {
  const regex = textAt(node, 'regex');
  if (regex !== undefined) return isRegex(regex) && wholePattern(regex).test(text);
  const prefix = textAt(node, 'prefix');
  return prefix === undefined ? text === textAt(node, 'exact') : text.startsWith(prefix);
}

/** `fitsEmpty` returns true when an empty text matches. */
export function fitsEmpty(node: TreeNode): boolean {
  return stringMatch(node) !== 'any' && fits(node, '');
}

function isRegex(source: string): boolean {
  return !(parseRegexText(source) instanceof Refusal);
}
