/**
 * Warns of routes that no request can reach, because an earlier route matches all of theirs. The first match
 * wins, so pairs of routes are compared.
 */
import { asciiLowerCase } from '../core/http/chars.js';
import { wholePattern } from '../core/route/pattern.js';
import { type ConfigProblem, warningAt } from './problem.js';
import type { Config, MatchConfig } from './schema.js';
import { markAt, type TreeNode } from './tree.js';

type Match = MatchConfig;

/** The number of pairs grows with the square. Only this many matches, over all routes, are compared. */
const matchesComparedMax = 512;

export function warnOfUnreachable(config: Config, root: TreeNode): ConfigProblem[] {
  let matches = 0;
  const routes = config.routes.filter(({ match }) => {
    matches += match.length;
    return matches <= matchesComparedMax;
  });
  return routes.flatMap((later, index) => {
    const earlier = routes.slice(0, index).find((route) => coversAll(route.match, later.match));
    if (earlier === undefined) return [];
    const message = `route \`${later.name}\` can never match: \`${earlier.name}\` before it matches all of its requests`;
    return [warningAt(markAt(root, ['routes', index]), message)];
  });
}

function coversAll(earlier: readonly Match[], later: readonly Match[]): boolean {
  return later.every((one) => earlier.some((other) => covers(other, one)));
}

/** `covers` returns true when every request that `later` matches certainly matches `earlier`. */
function covers(earlier: Match, later: Match): boolean {
  return (
    earlier.without === undefined &&
    coversHost(earlier.host, later.host) &&
    (earlier.port === undefined || earlier.port === later.port) &&
    (earlier.scheme === undefined || earlier.scheme === later.scheme) &&
    coversPath(earlier.path, later.path) &&
    coversMethods(earlier.method, later.method) &&
    coversFields(lowerNames(earlier.header), lowerNames(later.header)) &&
    coversFields(names(earlier.query), names(later.query)) &&
    coversFields(names(earlier.cookie), names(later.cookie))
  );
}

function coversHost(earlier: string | undefined, later: string | undefined): boolean {
  if (earlier === undefined || earlier === later) return true;
  // `*.example.com` matches `a.example.com` and `*.a.example.com`.
  return later !== undefined && earlier.startsWith('*.') && later.endsWith(earlier.slice(1));
}

function coversPath(earlier: Match['path'], later: Match['path']): boolean {
  if (earlier === undefined || earlier.prefix === '/') return true;
  if (later?.ignoreCase === true && earlier.ignoreCase !== true) return false;
  const cased = (path: string | undefined) =>
    earlier.ignoreCase === true && path !== undefined ? asciiLowerCase(path) : path;
  if (earlier.exact !== undefined) return cased(later?.exact) === cased(earlier.exact);
  if (earlier.regex !== undefined) {
    return later?.exact === undefined
      ? later?.regex === earlier.regex
      : wholePattern(earlier.regex).test(later.exact);
  }
  return cased(later?.exact ?? later?.prefix)?.startsWith(cased(earlier.prefix)!) ?? false;
}

function coversMethods(
  earlier: readonly string[] | undefined,
  later: readonly string[] | undefined,
): boolean {
  return earlier === undefined || (later?.every((method) => earlier.includes(method)) ?? false);
}

type FieldMatch = NonNullable<Match['header']>[string];
type FieldMatches = ReadonlyMap<string, FieldMatch>;

function coversFields(earlier: FieldMatches, later: FieldMatches): boolean {
  for (const [name, match] of earlier) {
    const other = later.get(name);
    if (other === undefined || !coversField(match, other)) return false;
  }
  return true;
}

function coversField(earlier: FieldMatch, later: FieldMatch): boolean {
  if (later.present === false || earlier.present === false) return earlier.present === later.present;
  if (earlier.present === true) return true;
  const text = later.exact ?? later.prefix;
  if (earlier.prefix !== undefined) return text?.startsWith(earlier.prefix) ?? false;
  return earlier.exact === later.exact && earlier.regex === later.regex && later.prefix === undefined;
}

function lowerNames(header: Match['header']): FieldMatches {
  return new Map(Object.entries(header ?? {}).map(([name, match]) => [name.toLowerCase(), match]));
}

function names(fields: Match['query']): FieldMatches {
  return new Map(Object.entries(fields ?? {}));
}
