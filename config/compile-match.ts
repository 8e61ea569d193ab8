/** Compiles `match` of a route to the plan's form. */
import type { FieldMatch, MatchPlan, PathMatch } from '../core/plan.js';
import type { MatchConfig } from './schema.js';

export function compileMatch(match: MatchConfig): MatchPlan {
  const { without } = match;
  return {
    host: match.host ?? null,
    port: match.port ?? null,
    scheme: match.scheme ?? null,
    path: match.path === undefined ? null : compilePath(match.path),
    methods: match.method === undefined ? null : [...new Set(match.method)],
    headers: compileHeaders(match.header),
    cookies: compileFields(match.cookie),
    queries: compileFields(match.query),
    without: {
      headers: compileHeaders(without?.header),
      cookies: compileFields(without?.cookie),
      queries: compileFields(without?.query),
    },
  };
}

/** `compilePath` relies on the schema, which ensures that exactly one of the three is given. */
function compilePath({
  exact,
  prefix,
  regex,
  ignoreCase = false,
}: NonNullable<MatchConfig['path']>): PathMatch {
  if (exact !== undefined) return { kind: 'exact', value: exact, ignoreCase };
  if (prefix !== undefined) return { kind: 'prefix', value: prefix, ignoreCase };
  return { kind: 'regex', value: regex! };
}

function compileHeaders(fields: MatchConfig['header']): FieldMatch[] {
  return compileFields(fields).map((field) => ({ ...field, name: field.name.toLowerCase() }));
}

function compileFields(fields: MatchConfig['query']): FieldMatch[] {
  return Object.entries(fields ?? {}).map(([name, { exact, prefix, regex, present }]): FieldMatch => {
    if (present !== undefined) return { name, kind: present ? 'present' : 'absent', value: '' };
    if (exact !== undefined) return { name, kind: 'exact', value: exact };
    if (prefix !== undefined) return { name, kind: 'prefix', value: prefix };
    return { name, kind: 'regex', value: regex! };
  });
}
