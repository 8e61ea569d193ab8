/**
 * Orders the drafts of all documents as the routes of umbra.yaml. A request uses the rules of the most
 * specific host in any document, and of that host alone, as in Envoy: an exact name, then the longest
 * wildcard, then `*`. Within a host:
 *
 *   - VirtualServices come before routes of Gateway API.
 *   - VirtualServices are sorted from the oldest to the youngest, and the rules of each stay in their order,
 *     because the first match wins. From the first rule that matches every request on, the rules of a
 *     VirtualService come after those of the others (Istio does not define the order of resources).
 *   - HTTPRoutes and GRPCRoutes are sorted from the most specific match to the least. No host has both
 *     (one-kind-of-route).
 */
import type { Mark } from '../problem.js';
import type { TreeNode } from '../tree.js';
import { type Draft, isCatchAll, type MatchGrowth, routeNameOf } from './draft.js';
import { fitted } from './fitted-name.js';
import { type Growth, grow } from './grow.js';
import { hostForms } from './host-name.js';

interface Placed {
  readonly draft: Draft;
  readonly hosts: readonly string[];
  readonly name: string;
}

/**
 * `arrange` orders drafts. With `closeAll`, hosts whose rules do not match every request get a 404 route,
 * because other routes follow.
 */
export function arrange(drafts: readonly Draft[], namespace: string, closeAll: boolean): TreeNode[] {
  const istio = drafts.filter(isIstio);
  const isLate = fromCatchAll(istio);
  const inRank = [
    ...istio.filter((draft) => !isLate(draft)),
    ...istio.filter(isLate),
    ...drafts.filter((draft) => !isIstio(draft)).sort((a, b) => compareRanks(a.rank, b.rank)),
  ];
  const byPattern = new Map<string, Placed[]>();
  const put = (pattern: string, placed: Placed) => {
    const before = byPattern.get(pattern);
    if (before === undefined) byPattern.set(pattern, [placed]);
    else before.push(placed);
  };
  const exact: Placed[] = [];
  for (const draft of inRank) {
    const plain = draft.hosts.filter((host) => !host.startsWith('*'));
    if (plain.length > 0) exact.push({ draft, hosts: plain, name: draft.name });
    const isPlain = plain.length > 0 || draft.hosts.length > 1;
    for (const host of draft.hosts.filter((host) => host.startsWith('*'))) {
      const suffix = host === '*' ? '_any' : `_any${host.slice(1)}`;
      put(host, { draft, hosts: [host], name: isPlain ? fitted(draft.name + suffix) : draft.name });
    }
  }
  const patterns = [...byPattern.keys()].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const closing = closeAll || patterns.length > 0;
  const groups = [exact, ...patterns.map((pattern) => byPattern.get(pattern)!)];
  const names = new Names();
  return groups.flatMap((group) => [
    ...group.map((placed) => routeOf({ ...placed, name: names.free(placed.name) }, namespace)),
    ...(closing ? closings(group, namespace) : []),
  ]);
}

/** Makes names unique: names of rules may repeat, but names of routes may not. */
class Names {
  readonly #taken = new Set<string>();

  free(name: string): string {
    let free = name;
    for (let copy = 2; this.#taken.has(free); copy++) free = fitted(`${name}.${copy}`);
    this.#taken.add(free);
    return free;
  }
}

function isIstio({ document }: Draft): boolean {
  return document.kind.name === 'VirtualService';
}

/**
 * `fromCatchAll` returns a function that is true for the first draft of its resource that matches every
 * request, and for those after it.
 */
function fromCatchAll(drafts: readonly Draft[]): (draft: Draft) => boolean {
  const late = new Set<Draft>();
  const caught = new Set<Draft['document']>();
  for (const draft of drafts) {
    if (isCatchAll(draft)) caught.add(draft.document);
    if (caught.has(draft.document)) late.add(draft);
  }
  return (draft) => late.has(draft);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, rank] of a.entries()) if (rank !== b[index]) return rank - b[index];
  return 0;
}

function routeOf({ draft, hosts, name }: Placed, namespace: string): TreeNode {
  const own = draft.document.namespace;
  const forms = hosts.flatMap((host) => formsOf(host, own, namespace));
  const matches = forms.flatMap((host) => draft.matches.map((match) => withHost(match, host, draft.mark)));
  const match = matches.length === 1 ? matches[0] : matches;
  // Envoy's answer when it reaches no version.
  const unreachable = draft.body.primary === undefined ? undefined : 503;
  return grow(draft.mark, { name, match, unreachable, ...draft.body });
}

/**
 * `formsOf` returns the names by which clients address a service: the short name refers to the namespace of
 * the document, or to the default one.
 */
function formsOf(host: string, own: string, usual: string): string[] {
  if (host.startsWith('*')) return [host];
  return [...new Set([...hostForms(host, own), ...hostForms(host, usual)])];
}

function withHost(match: MatchGrowth, host: string, mark: Mark): Growth {
  return grow(mark, { host: host === '*' ? undefined : host, ...match });
}

/**
 * `closings` returns a route for each document, with its hosts that no rule of any document matches
 * completely.
 */
function closings(group: readonly Placed[], namespace: string): TreeNode[] {
  const caught = new Set(group.filter(({ draft }) => isCatchAll(draft)).flatMap(({ hosts }) => hosts));
  const routes: TreeNode[] = [];
  for (const { draft, hosts } of group) {
    const open = hosts.filter((host) => !caught.has(host));
    if (open.length === 0) continue;
    for (const host of open) caught.add(host);
    const forms = open.flatMap((host) => formsOf(host, draft.document.namespace, namespace));
    const matches = forms.map((host) => withHost({}, host, draft.mark));
    const suffix = open[0].startsWith('*') ? `_any${open[0].slice(1)}` : '';
    routes.push(
      grow(draft.mark, {
        name: fitted(`${routeNameOf(draft.document, namespace, 0, 'unmatched')}${suffix}`),
        match: matches.length === 1 ? matches[0] : matches,
        respond: { status: 404 },
      }),
    );
  }
  return routes;
}
