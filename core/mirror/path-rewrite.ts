/** Another path for the copy, compiled. The primary's request is never rewritten. */
import type { PathRewrite } from '../plan.js';
import { wholePattern } from '../route/pattern.js';

export type TargetRewrite = (target: string) => string;

/** Null: nothing is rewritten. What is returned takes and gives a request target; its query and `*` stay as they are. */
export function compileRewrite(plan: PathRewrite | null): TargetRewrite | null {
  if (plan === null) return null;
  const pathFor = plan.kind === 'prefix' ? prefixRewrite(plan) : regexRewrite(plan);
  return (target) => {
    if (!target.startsWith('/')) return target;
    const query = target.indexOf('?');
    return query < 0 ? pathFor(target) : pathFor(target.slice(0, query)) + target.slice(query);
  };
}

/**
 * The beginning that the route asked for is replaced, and nothing else; a slash where the two meet is neither doubled
 * nor lost, whichever of `/a`, `/a/` and `/` they are written as.
 */
function prefixRewrite({ matched, value }: PathRewrite & { kind: 'prefix' }): TargetRewrite {
  const replaced = withoutSlash(matched);
  const beginning = withoutSlash(value);
  return (path) => {
    const rest = path.slice(replaced.length);
    // Nothing, or the end of a word as in `/reviews-old`: what was written stands.
    if (!rest.startsWith('/')) return value === '/' && rest !== '' ? `/${rest}` : value + rest;
    return beginning + rest;
  };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** A path that does not match stays as it is. */
function regexRewrite({ pattern, substitution }: PathRewrite & { kind: 'regex' }): TargetRewrite {
  const whole = wholePattern(pattern);
  return (path) => path.replace(whole, substitution);
}
