/** Another path for the copy, compiled. The primary's own is in core/route/path-change. */
import type { PathRewrite } from '../plan.js';
import { wholePattern } from '../route/pattern.js';
import { replacedPrefix } from '../route/prefix.js';

export type TargetRewrite = (target: string) => string;

/** Null: nothing is rewritten. What is returned takes and gives a request target; its query and `*` stay as they are. */
export function compileRewrite(plan: PathRewrite | null): TargetRewrite | null {
  if (plan === null) return null;
  const pathFor = plan.kind === 'prefix' ? replacedPrefix(plan.matched, plan.value) : regexRewrite(plan);
  return (target) => {
    if (!target.startsWith('/')) return target;
    const query = target.indexOf('?');
    return query < 0 ? pathFor(target) : pathFor(target.slice(0, query)) + target.slice(query);
  };
}

/** A path that does not match stays as it is. */
function regexRewrite({ pattern, substitution }: PathRewrite & { kind: 'regex' }): TargetRewrite {
  const whole = wholePattern(pattern);
  return (path) => path.replace(whole, substitution);
}
