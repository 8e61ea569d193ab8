/** A route's match told in the words of a configuration file. */
import type { FieldMatch, MatchPlan } from '../core/plan.js';
import { type Redaction, redacted } from '../core/redact.js';

export function matchOf(match: MatchPlan, redaction: Redaction): object {
  const { host, path, methods, without } = match;
  const conditions = fieldsOf(without, redaction);
  return {
    ...(host === null ? {} : { host }),
    ...(path === null ? {} : { path: pathOf(path) }),
    ...(methods === null ? {} : { method: methods }),
    ...fieldsOf(match, redaction),
    ...(Object.keys(conditions).length === 0 ? {} : { without: conditions }),
  };
}

function pathOf(path: NonNullable<MatchPlan['path']>): object {
  if (path.kind === 'regex' || !path.ignoreCase) return { [path.kind]: path.value };
  return { [path.kind]: path.value, ignoreCase: true };
}

function fieldsOf({ headers, queries, cookies }: MatchPlan['without'], redaction: Redaction): object {
  const isSecret = (name: string): boolean => redaction.hidesField(name.toLowerCase());
  return {
    ...(headers.length === 0 ? {} : { header: fieldMatchesOf(headers, isSecret) }),
    ...(queries.length === 0 ? {} : { query: fieldMatchesOf(queries, isSecret) }),
    // Whoever has a session's cookie has the session.
    ...(cookies.length === 0 ? {} : { cookie: fieldMatchesOf(cookies, () => true) }),
  };
}

function fieldMatchesOf(fields: readonly FieldMatch[], isSecret: (name: string) => boolean): object {
  return Object.fromEntries(
    fields.map(({ name, kind, value }) => {
      if (kind === 'present' || kind === 'absent') return [name, { present: kind === 'present' }];
      return [name, { [kind]: isSecret(name) ? redacted : value }];
    }),
  );
}
