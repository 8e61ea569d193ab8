/**
 * A host has HTTPRoutes or GRPCRoutes, and never both (Gateway API, GRPCRoute `hostnames`): younger routes of
 * the other kind have no effect.
 */
import type { ConfigProblem } from '../problem.js';
import { type Document, warnOf } from './document.js';
import type { Draft } from './draft.js';
import { isGatewayRoute } from './kinds.js';

/**
 * `oneKindOfRoute` returns `drafts` without those of documents that come too late for one of their hosts.
 * Drafts come from the oldest document to the youngest. A wildcard is a host of its own here, because only
 * the rules of the most specific host are tried.
 */
export function oneKindOfRoute(drafts: readonly Draft[], problems: ConfigProblem[]): Draft[] {
  const owners = new Map<string, Document>();
  const late = new Set<Document>();
  for (const [document, hosts] of hostsByRoute(drafts)) {
    const older = [...hosts]
      .map((host) => owners.get(host))
      .find((owner) => owner && owner.kind !== document.kind);
    if (older === undefined) {
      for (const host of hosts) if (!owners.has(host)) owners.set(host, document);
    } else {
      late.add(document);
      const message = `it has no effect: a host has routes of one kind, and ${older.label} has one of its hosts`;
      problems.push(warnOf(document, document.mark, message));
    }
  }
  return drafts.filter(({ document }) => !late.has(document));
}

/** `hostsByRoute` returns the hosts of each route of Gateway API, each with a port of its listeners. */
function hostsByRoute(drafts: readonly Draft[]): Map<Document, Set<string>> {
  const routes = new Map<Document, Set<string>>();
  for (const { document, hosts, matches } of drafts) {
    if (!isGatewayRoute(document.kind.name)) continue;
    const own = routes.get(document) ?? new Set();
    routes.set(document, own);
    for (const { port } of matches) for (const host of hosts) own.add(`${host} ${port ?? ''}`);
  }
  return routes;
}
