/** A route of umbra.yaml that a rule of a document becomes, before its hosts are added. */
import type { ConfigProblem, Mark } from '../problem.js';
import type { TreeNode } from '../tree.js';
import type { Delegates } from './delegates.js';
import type { Destinations } from './destinations.js';
import type { Document } from './document.js';
import { fitted } from './fitted-name.js';
import type { Gateways } from './gateways.js';
import type { Growth } from './grow.js';
import { isGatewayRoute } from './kinds.js';
import { textAt } from './look.js';
import type { ReferenceGrants } from './reference-grants.js';

export interface Draft {
  readonly document: Document;
  readonly name: string;
  readonly mark: Mark;
  /** Full host names, `*.example.com`, or `*`. */
  readonly hosts: readonly string[];
  /** Conditions without the host, of which one must hold. An empty one matches every request. */
  readonly matches: readonly MatchGrowth[];
  /** The keys of a route except `name` and `match`. */
  readonly body: Readonly<Record<string, Growth | undefined>>;
  /** Order among the drafts of a host, compared number by number; the smaller one comes first. */
  readonly rank: readonly number[];
}

export type MatchGrowth = Readonly<Record<string, Growth | undefined>>;

/** Shared by all mappings of documents. */
export interface Mapping {
  readonly destinations: Destinations;
  readonly gateways: Gateways;
  readonly delegates: Delegates;
  readonly grants: ReferenceGrants;
  readonly problems: ConfigProblem[];
  /** The default namespace: `documents.namespace`. */
  readonly namespace: string;
  /** `host` of every mirror. */
  readonly mirrorHost: string;
}

/**
 * `isCatchAll` returns true when one of the matches accepts every request: it has no condition, or only a
 * path that every path matches.
 */
export function isCatchAll({ matches }: Draft): boolean {
  return matches.some((match) =>
    Object.entries(match).every(([key, part]) => part === undefined || (key === 'path' && isEveryPath(part))),
  );
}

function isEveryPath(path: Growth): boolean {
  const node = path as TreeNode;
  const regex = textAt(node, 'regex');
  return textAt(node, 'prefix') === '/' || (regex !== undefined && /^\^?\/?\.\*\$?$/.test(regex));
}

/**
 * `routeNameOf` returns `reviews`, `reviews_2` or `reviews_canary`. In another namespace it is
 * `prod__reviews`, and for a route of Gateway API, which may have the name of a VirtualService,
 * `httproute_reviews` or `grpcroute_reviews`. `reviews_1-2` is the second route of one rule. Names of objects
 * contain no `_`, so rules of different documents never collide.
 */
export function routeNameOf(
  { kind, namespace, name }: Document,
  usualNamespace: string,
  index: number,
  ruleName: string | undefined,
  part = 1,
): string {
  const local = namespace === usualNamespace ? name : `${namespace}__${name}`;
  const own = isGatewayRoute(kind.name) ? `${kind.name.toLowerCase()}_${local}` : local;
  const rule = (ruleName ?? '').replace(/[^A-Za-z0-9.-]/g, '-');
  if (part > 1) return fitted(`${own}_${rule || index + 1}-${part}`);
  if (rule !== '') return fitted(`${own}_${rule}`);
  return index === 0 ? fitted(own) : fitted(`${own}_${index + 1}`);
}
