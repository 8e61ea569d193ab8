/**
 * Adds documents to the tree of umbra.yaml: their routes before its own, and their versions beside its own.
 */
import { limits } from '../../core/limits.js';
import { type ConfigProblem, errorAt, type Mark } from '../problem.js';
import { childOf, ListNode, MapNode, type TreeNode } from '../tree.js';
import { arrange } from './arrange.js';
import { Delegates } from './delegates.js';
import { Destinations } from './destinations.js';
import { byAge, type Document } from './document.js';
import type { Draft, Mapping } from './draft.js';
import { Gateways } from './gateways.js';
import { draftGrpcRoute } from './grpc-route.js';
import { draftHttpRoute } from './http-route.js';
import { textAt } from './look.js';
import { oneKindOfRoute } from './one-kind-of-route.js';
import { ReferenceGrants } from './reference-grants.js';
import { draftVirtualService } from './virtual-service.js';

/**
 * The settings in `documents` of umbra.yaml that reading and mapping need. The schema reports malformed ones.
 */
export interface DocumentSettings {
  readonly namespace: string;
  readonly mirrorHost: string;
}

export function documentSettings(root: TreeNode): DocumentSettings {
  const settings = childOf(root, 'documents');
  return {
    namespace: textAt(settings, 'namespace') ?? 'default',
    mirrorHost: textAt(settings, 'mirrorHost') ?? 'shadow',
  };
}

/** The routes and versions that are made from documents. */
export interface Grown {
  readonly routes: readonly TreeNode[];
  readonly versions: MapNode;
}

/**
 * `mergeDocuments` changes `root` and adds to `problems`. Routes of documents with errors may be incomplete.
 */
export function mergeDocuments(
  root: MapNode,
  documents: readonly Document[],
  problems: ConfigProblem[],
): Grown {
  const settings = documentSettings(root);
  const subsets = childOf(root, 'subsets');
  const destinations = new Destinations(documents, subsets, settings.namespace, problems);
  const gateways = new Gateways(documents, root, problems);
  const delegates = new Delegates(documents, problems);
  const grants = new ReferenceGrants(documents);
  const mapping: Mapping = { destinations, gateways, delegates, grants, problems, ...settings };
  if (documents.length > limits.documents)
    problems.push(errorAt(documents[limits.documents].mark, `more than ${limits.documents} documents`));
  const drafts = byAge(documents).flatMap((document, age): Draft[] => {
    if (document.kind.name === 'VirtualService') return draftVirtualService(document, mapping);
    if (document.kind.name === 'HTTPRoute') return draftHttpRoute(document, mapping, age);
    if (document.kind.name === 'GRPCRoute') return draftGrpcRoute(document, mapping, age);
    return [];
  });
  delegates.reportUnused();
  destinations.settle();
  const own = childOf(root, 'routes');
  const hasOwn = own instanceof ListNode && own.items.length > 0;
  const routes = arrange(oneKindOfRoute(drafts, problems), settings.namespace, hasOwn);
  const { versions } = destinations;
  if (documents.length === 0 && subsets === undefined && childOf(root, 'documents') === undefined)
    return { routes, versions };
  if (own === undefined || own instanceof ListNode) {
    const all = new ListNode(own?.mark ?? root.mark);
    for (const route of [...routes, ...((own as ListNode | undefined)?.items ?? [])]) all.items.push(route);
    put(root, 'routes', own?.mark ?? root.mark, all);
  }
  addVersions(root, versions, problems);
  return { routes, versions };
}

function addVersions(root: MapNode, versions: MapNode, problems: ConfigProblem[]): void {
  const own = childOf(root, 'versions');
  if (own !== undefined && !(own instanceof MapNode)) return;
  const all = new MapNode(own?.mark ?? root.mark);
  for (const [name, entry] of own?.entries ?? []) all.entries.set(name, entry);
  for (const [name, entry] of versions.entries) {
    if (all.entries.has(name)) {
      const message = `version \`${name}\`: a destination in a document has the same name; rename the version in umbra.yaml`;
      problems.push(errorAt(entry.keyMark, message));
    } else all.entries.set(name, entry);
  }
  put(root, 'versions', own?.mark ?? root.mark, all);
}

function put(root: MapNode, key: string, mark: Mark, node: TreeNode): void {
  root.entries.set(key, { keyMark: root.entries.get(key)?.keyMark ?? mark, node });
}
