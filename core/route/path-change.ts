/** Compiles a change of the path: for the primary, for a copy, or for a redirect. */

import { asciiLowerCase } from '../http/chars.js';
import { nameIs } from '../http/fields.js';
import type { PathChange } from '../plan.js';
import { replacer } from './pattern.js';
import { replacedPrefix } from './prefix.js';

/** Returns the changed request target. The query and the target `*` are never changed. */
export type TargetChange = (target: string) => string;

export function compilePathChange(plan: PathChange): TargetChange {
  const pathFor = pathChange(plan);
  return (target) => {
    if (!target.startsWith('/')) return target;
    const query = target.indexOf('?');
    return query < 0 ? pathFor(target) : pathFor(target.slice(0, query)) + target.slice(query);
  };
}

function pathChange(plan: PathChange): (path: string) => string {
  if (plan.kind === 'set') return () => plan.value;
  if (plan.kind === 'regex') {
    // With `whole` false, as in Envoy's `regex_rewrite`. A result that is not a path gets its slash.
    const pattern = replacer(plan.pattern, plan.substitution, plan.whole);
    return (path) => {
      const changed = pattern.replace(path);
      return changed.startsWith('/') ? changed : `/${changed}`;
    };
  }
  const { prefix, value, ignoreCase } = plan;
  const replace = replacedPrefix(prefix, value);
  if (!ignoreCase) return (path) => (path.startsWith(prefix) ? replace(path) : path);
  const lower = asciiLowerCase(prefix);
  return (path) => (path.length >= lower.length && nameIs(path, 0, lower) ? replace(path) : path);
}
