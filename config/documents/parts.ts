/** Parts of routes in both languages: destinations, weights, header changes, shares. */
import type { Mark } from '../problem.js';
import type { MapNode, TreeNode } from '../tree.js';
import type { Destination } from './destinations.js';
import type { Draft } from './draft.js';
import { type Binding, commonHosts } from './gateways.js';
import { type Growth, grow, placed } from './grow.js';
import { wholeHost } from './host-name.js';
import { at, numberAt, textAt } from './look.js';

/**
 * `timeoutOf` sets the timeout of a request up to the last byte of its response. A document without one has
 * no timeout.
 */
export function timeoutOf(duration: Growth | undefined): Draft['body'] {
  return duration === undefined ? { timeout: 'off' } : { timeout: duration, timeouts: untilEnd };
}

const untilEnd: Growth = { until: 'end' };

/** One destination that a rule may choose. */
export interface Chosen {
  readonly version: string;
  readonly weight: number;
  readonly mark: Mark;
  /** Changes that apply when this destination is chosen. */
  readonly headers: Growth | undefined;
}

/** `destinationAt` reads `host`, `subset` and `port.number` of an Istio destination. */
export function destinationAt(node: MapNode, namespace: string): Destination {
  return {
    host: wholeHost(textAt(node, 'host') ?? '', namespace),
    subset: textAt(node, 'subset'),
    port: numberAt(node, 'port', 'number'),
    mark: (at(node, 'subset') ?? at(node, 'host') ?? node).mark,
  };
}

/**
 * `splitOf` returns `primary`, of one version or of several by weight, with `versionHeaders`. A text
 * describes a problem.
 */
export function splitOf(chosen: readonly Chosen[]): Draft['body'] | string {
  const weights = new Map<string, number>();
  const headers: Record<string, Growth> = {};
  for (const { version, weight, headers: changes } of chosen) {
    if (weights.has(version) && (changes !== undefined || Object.hasOwn(headers, version)))
      return `${version} is there twice with header changes; umbra keeps one set of changes for each version`;
    weights.set(version, (weights.get(version) ?? 0) + weight);
    if (changes !== undefined) headers[version] = changes;
  }
  const live = [...weights].filter(([, weight]) => weight > 0);
  if (live.length === 0) return 'all weights are 0';
  const marks = new Map(chosen.map(({ version, mark }) => [version, mark]));
  const liveHeaders = Object.fromEntries(
    live.flatMap(([name]) => (Object.hasOwn(headers, name) ? [[name, headers[name]]] : [])),
  );
  const first = live[0][0];
  const mark = marks.get(first)!;
  return {
    primary: grow(mark, live.length === 1 ? first : Object.fromEntries(live)),
    versionHeaders: Object.keys(liveHeaders).length === 0 ? undefined : grow(mark, liveHeaders),
  };
}

/**
 * `headersOf` returns `request` and `response`, each with set, add, remove, which have the same names in
 * umbra.yaml.
 */
export function headersOf(node: TreeNode): Growth {
  return grow(node.mark, { request: at(node, 'request'), response: at(node, 'response') });
}

/**
 * `boundDrafts` returns a draft for each port of its bindings, with the hosts that route and listener share.
 * Without a shared host it returns none.
 */
export function boundDrafts(drafts: readonly Draft[], bindings: readonly Binding[]): Draft[] {
  const hostsByPort = new Map<number | null, string[]>();
  for (const { hosts, port } of bindings) hostsByPort.set(port, [...(hostsByPort.get(port) ?? []), ...hosts]);
  return [...hostsByPort].flatMap(([port, ofListeners]) =>
    drafts.flatMap((draft) => {
      const hosts = commonHosts(draft.hosts, ofListeners);
      if (hosts.length === 0) return [];
      const matches = port === null ? draft.matches : draft.matches.map((match) => ({ ...match, port }));
      return [{ ...draft, hosts, matches }];
    }),
  );
}

/** `shareNode` returns a percentage in steps of 0.0001, rounded down as in Istio. */
export function shareNode(node: TreeNode, percent: number): TreeNode {
  return placed(node, Math.floor(percent * 10_000 + 1e-6) / 10_000);
}

/** `withKeys` returns the mapping with these keys replaced or added. */
export function withKeys(map: TreeNode, keys: Record<string, Growth>): TreeNode {
  const both: Record<string, Growth> = {};
  for (const [key, entry] of (map as MapNode).entries) both[key] = entry.node;
  return grow(map.mark, { ...both, ...keys });
}
