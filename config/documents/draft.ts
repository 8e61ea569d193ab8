/** A route of umbra.yaml before its hosts are in it: what a rule of a document becomes. */
import type { ConfigProblem, Mark } from '../problem.js';
import type { TreeNode } from '../tree.js';
import type { Delegates } from './delegates.js';
import type { Destinations } from './destinations.js';
import type { Document } from './document.js';
import { fitted } from './fitted-name.js';
import type { Gateways } from './gateways.js';
import type { Growth } from './grow.js';
import { textAt } from './look.js';
import type { ReferenceGrants } from './reference-grants.js';

export interface Draft {
  readonly document: Document;
  readonly name: string;
  readonly mark: Mark;
  /** Whole hosts, `*.example.com`, or `*`. */
  readonly hosts: readonly string[];
  /** Conditions but for the host; one of them must hold. An empty one takes every request. */
  readonly matches: readonly MatchGrowth[];
  /** The keys of a route but for `name` and `match`. */
  readonly body: Readonly<Record<string, Growth | undefined>>;
  /** Where it stands among those of its host; the smaller one is first, number by number. */
  readonly rank: readonly number[];
}

export type MatchGrowth = Readonly<Record<string, Growth | undefined>>;

/** What all mappings of documents need. */
export interface Mapping {
  readonly destinations: Destinations;
  readonly gateways: Gateways;
  readonly delegates: Delegates;
  readonly grants: ReferenceGrants;
  readonly problems: ConfigProblem[];
  /** The usual one: `documents.namespace`. */
  readonly namespace: string;
  /** `host` of every mirror. */
  readonly mirrorHost: string;
}

/**
 * Whether one of the matches takes every request: it has no condition, or only a path that every path fits.
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
 * `reviews`, `reviews_2`, `reviews_canary`; `prod__reviews` in another namespace, `httproute_reviews` of an
 * HTTPRoute, which
 * may have the name of a VirtualService; `reviews_1-2` for the second of the routes that one rule becomes.
 * Names of objects
 * have no `_`, so rules of different documents do not meet.
 */
export function routeNameOf(
  { kind, namespace, name }: Document,
  usualNamespace: string,
  index: number,
  ruleName: string | undefined,
  part = 1,
): string {
  const local = namespace === usualNamespace ? name : `${namespace}__${name}`;
  const own = kind.name === 'HTTPRoute' ? `httproute_${local}` : local;
  const rule = (ruleName ?? '').replace(/[^A-Za-z0-9.-]/g, '-');
  if (part > 1) return fitted(`${own}_${rule || index + 1}-${part}`);
  if (rule !== '') return fitted(`${own}_${rule}`);
  return index === 0 ? fitted(own) : fitted(`${own}_${index + 1}`);
}
