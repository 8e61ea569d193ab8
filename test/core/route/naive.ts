/** What a table must find: routes tried one by one, each time by splitting what a table reads in place. */
import type { RequestHead } from '../../../core/http/message.js';
import type { FieldMatch, MatchPlan, PathMatch, RoutePlan } from '../../../core/plan.js';

type Values = (name: string) => string | undefined;

/** -1 when none matches. */
export function naiveFind(routes: readonly RoutePlan[], head: RequestHead): number {
  return routes.findIndex(({ matches }) => matches.some((match) => takes(match, head)));
}

function takes(match: MatchPlan, head: RequestHead): boolean {
  const { headers, cookies, queries, without } = match;
  const [path, query = ''] = splitOnce(head.target, '?');
  const header: Values = (name) =>
    name.toLowerCase() === 'host' ? head.host : headerOf(head.fields, name.toLowerCase());
  const cookie: Values = (name) => pairValue((header('cookie') ?? '').split(';'), name, true);
  const parameter: Values = (name) => pairValue(query.split('&'), name, false);
  return (
    hostIsRight(match.host, head.host) &&
    (match.port === null || match.port === head.localPort) &&
    (match.path === null || pathIsRight(match.path, path)) &&
    (match.methods === null || match.methods.length === 0 || match.methods.includes(head.method)) &&
    headers.every((field) => holds(field, header)) &&
    cookies.every((field) => holds(field, cookie)) &&
    queries.every((field) => holds(field, parameter)) &&
    !without.headers.some((field) => holds(field, header)) &&
    !without.cookies.some((field) => holds(field, cookie)) &&
    !without.queries.some((field) => holds(field, parameter))
  );
}

function hostIsRight(wanted: string | null, said: string): boolean {
  if (wanted === null) return true;
  const host = said.toLowerCase().replace(/:[0-9]*$/, '');
  if (!wanted.startsWith('*.')) return host === wanted.toLowerCase();
  const end = wanted.slice(1).toLowerCase();
  return host.endsWith(end) && host !== end;
}

function pathIsRight(wanted: PathMatch, path: string): boolean {
  if (wanted.kind === 'regex') return new RegExp(`^(?:${wanted.value})$`).test(path);
  const [ours, theirs] = wanted.ignoreCase
    ? [wanted.value.toLowerCase(), path.toLowerCase()]
    : [wanted.value, path];
  return wanted.kind === 'exact' ? theirs === ours : theirs.startsWith(ours);
}

function holds(field: FieldMatch, values: Values): boolean {
  const value = values(field.name);
  switch (field.kind) {
    case 'exact':
      return value === field.value;
    case 'prefix':
      return value?.startsWith(field.value) ?? false;
    case 'regex':
      return value !== undefined && new RegExp(`^(?:${field.value})$`).test(value);
    case 'present':
      return value !== undefined;
    case 'absent':
      return value === undefined;
  }
}

function headerOf(fields: string, lowerName: string): string | undefined {
  const line = fields.split('\r\n').find((one) => one.toLowerCase().startsWith(`${lowerName}:`));
  return line === undefined ? undefined : withoutBlanks(line.slice(lowerName.length + 1));
}

/**
 * Returns the value of the first pair of the name. A cookie must have an equals sign, a parameter need not.
 */
function pairValue(pairs: readonly string[], name: string, isCookie: boolean): string | undefined {
  for (const pair of pairs) {
    const [own, value] = splitOnce(isCookie ? withoutBlanks(pair) : pair, '=');
    if (own !== name || pair === '') continue;
    if (value === undefined && isCookie) continue;
    return isCookie ? withoutBlanks(value!) : (value ?? '');
  }
  return undefined;
}

function splitOnce(text: string, at: string): [string, string?] {
  const place = text.indexOf(at);
  return place === -1 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}

function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
