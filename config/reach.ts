/** Routes that no request can take, because an earlier one takes them all. First match wins, so this is about pairs. */
import { type ConfigProblem, warningAt } from './problem.js';
import type { Config, RouteConfig } from './schema.js';
import { markAt, type TreeNode } from './tree.js';

type Match = RouteConfig['match'];

/** Pairs grow with the square; a configuration with more routes is not looked through. */
const routesComparedMax = 512;

export function warnOfUnreachable(config: Config, root: TreeNode): ConfigProblem[] {
  const routes = config.routes.slice(0, routesComparedMax);
  return routes.flatMap((later, index) => {
    const earlier = routes.slice(0, index).find((route) => covers(route.match, later.match));
    if (earlier === undefined) return [];
    const message = `route \`${later.name}\` can never match: \`${earlier.name}\` before it takes all of its requests`;
    return [warningAt(markAt(root, ['routes', index]), message)];
  });
}

/** Whether every request that `later` matches surely matches `earlier`. When in doubt: no. */
function covers(earlier: Match, later: Match): boolean {
  return (
    coversHost(earlier.host, later.host) &&
    coversPath(earlier.path, later.path) &&
    coversMethods(earlier.method, later.method) &&
    coversHeaders(earlier.header, later.header)
  );
}

function coversHost(earlier: string | undefined, later: string | undefined): boolean {
  if (earlier === undefined || earlier === later) return true;
  // `*.example.com` takes `a.example.com` and `*.a.example.com`.
  return later !== undefined && earlier.startsWith('*.') && later.endsWith(earlier.slice(1));
}

function coversPath(earlier: Match['path'], later: Match['path']): boolean {
  if (earlier === undefined) return true;
  if (earlier.exact !== undefined) return later?.exact === earlier.exact;
  if (earlier.regex !== undefined) return later?.regex === earlier.regex;
  const prefix = earlier.prefix!;
  const path = later?.exact ?? later?.prefix;
  if (prefix === '/') return true;
  if (path === undefined) return false;
  // True whether a prefix is understood by characters or by segments.
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function coversMethods(
  earlier: readonly string[] | undefined,
  later: readonly string[] | undefined,
): boolean {
  return earlier === undefined || (later?.every((method) => earlier.includes(method)) ?? false);
}

function coversHeaders(earlier: Match['header'], later: Match['header']): boolean {
  const wanted = lowerNames(later);
  for (const [name, match] of lowerNames(earlier)) {
    const other = wanted.get(name);
    if (other === undefined) return false;
    const same = match.exact === other.exact && match.prefix === other.prefix && match.regex === other.regex;
    if (!match.present && !same) return false;
  }
  return true;
}

function lowerNames(header: Match['header']): Map<string, NonNullable<Match['header']>[string]> {
  return new Map(Object.entries(header ?? {}).map(([name, match]) => [name.toLowerCase(), match]));
}
