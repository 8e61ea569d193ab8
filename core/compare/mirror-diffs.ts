/**
 * What comparing found for one mirror, in bounded memory: counts for each difference of each endpoint,
 * the pairs by the sets of differences that they have, and the triples of shadow and baseline. Control
 * thread.
 */
import { wallClockMs } from '../clock.js';
import { GRPC_METHOD } from '../grpc/grpc-method.js';
import { limits } from '../limits.js';
import type { BookRules, ComparedPair } from './compared-pair.js';
import { DiffGroup, EndpointCounts, resolved } from './diff-group.js';
import { isRead, type MirrorCounts, methodOf } from './diff-summary.js';
import type { Comparison, Difference } from './difference.js';
import { Endpoints, matchesPattern } from './endpoints.js';
import { KeyFold } from './key-fold.js';
import { MeantDifferences } from './meant-differences.js';

/** Names that are data are in less than this share of an endpoint's pairs, on the average. */
const dataShareMax = 0.4;
/** Where there is no room for more groups. */
const crowdedShareMax = 0.75;

interface Hit {
  readonly group: DiffGroup;
  readonly difference: Difference;
}

/** A pair whose counterpart has not come yet. */
interface Waiting {
  readonly isBaseline: boolean;
  readonly endpoint: EndpointCounts;
  readonly hits: readonly { readonly group: DiffGroup; readonly prints: readonly [number, number] | null }[];
  /** A bound left no room for some of its differences, or the pair is one with an error. */
  readonly incomplete: boolean;
}

export class MirrorDiffs {
  /** When these counts began, wall clock. */
  readonly sinceMs = wallClockMs();
  /** Names the rules by which its pairs are compared. */
  readonly rulesKey: string;
  compared = 0;
  different = 0;
  notComparable = 0;
  /** Pairs with an error. They are in no other count of pairs. */
  errors = 0;
  baseline: string | null = null;
  baselineCompared = 0;
  baselineDifferent = 0;
  /** Differences that found no room as a group. */
  ungrouped = 0;
  readonly overflow = new Set<string>();
  readonly #endpointNames: Endpoints;
  readonly #meant: MeantDifferences;
  #endpoints = new Map<string, EndpointCounts>();
  #groups = new Map<string, DiffGroup>();
  #nextNumber = 0;
  /** How often groups were put together. */
  #regroups = 0;
  readonly #keys = new KeyFold();
  #sets = new Map<string, { readonly groups: readonly DiffGroup[]; pairs: number }>();
  /** Groups in all sets together. */
  #setGroups = 0;
  #unplaced = 0;
  readonly #any = { triples: 0, shadowOnly: 0, baselineOnly: 0 };
  /** Pairs that wait for their counterparts. */
  readonly #waitingMax: number;
  readonly #waiting = new Map<string, Waiting>();
  #waitingHits = 0;

  constructor(
    readonly route: string,
    readonly version: string,
    rules: BookRules,
    waitingMax: number,
  ) {
    this.rulesKey = rules.key;
    this.#waitingMax = waitingMax;
    this.#meant = new MeantDifferences(rules.meant);
    this.#endpointNames = new Endpoints(rules.endpoints, (pattern) => this.#foldEndpoints(pattern));
  }

  record(pair: ComparedPair, { differences: all, more }: Comparison): void {
    this.baseline = pair.baseline;
    if (pair.isError) {
      if (!pair.isBaseline) this.errors++;
      // Two error pages say nothing of the answers.
      if (all.every(({ kind }) => kind !== 'status')) return;
    }
    const endpoint = this.#endpointOf(pair.request);
    // Counted first, because whether names are data is judged by their share.
    if (pair.isBaseline) endpoint.baselineCompared++;
    else endpoint.compared++;
    const differences = this.#meant.without(endpoint.name, all, (path) => this.#keys.fold(path));
    const ungrouped = this.ungrouped;
    const hits = this.#hitsOf(pair, endpoint, differences);
    if (more > 0) this.overflow.add('pairDifferences');
    const incomplete = pair.isError || more > 0 || this.ungrouped > ungrouped;
    if (pair.isError) this.#show(pair, hits);
    else if (pair.isBaseline) this.#countBaseline(differences.length > 0);
    else this.#countShadow(pair, hits, differences, incomplete);
    if (pair.baseline !== null && hasBaseline(endpoint)) this.#match(pair, endpoint, hits, incomplete);
  }

  /** The endpoints that pairs were compared of. */
  endpoints(): readonly EndpointCounts[] {
    return [...this.#endpoints.values()];
  }

  /** All groups, in the order of the counts. */
  groups(): readonly DiffGroup[] {
    return [...this.#groups.values()];
  }

  /** The counts of `groups` and of what has no group. */
  counts(groups: readonly DiffGroup[]): MirrorCounts {
    const indexes = new Map(groups.map((group, i) => [group, i]));
    return {
      hasBaseline: this.baseline !== null,
      compared: this.compared,
      groups: groups.map((group) => this.#countsOf(group)),
      sets: [...this.#sets.values()].map(({ groups, pairs }) => ({
        groups: groups.flatMap((group) => indexes.get(group) ?? []),
        pairs,
      })),
      any: { ...this.#any },
      unplaced: this.#unplaced,
    };
  }

  #countsOf(group: DiffGroup): MirrorCounts['groups'][number] {
    const { endpoint, kind, path, change, count } = group;
    const { name, compared, baselineCompared, triples } = endpoint;
    return {
      endpoint: name,
      kind,
      path,
      change,
      count,
      compared,
      baseline:
        this.baseline !== null && hasBaseline(endpoint)
          ? { count: group.baselineCount, compared: baselineCompared }
          : null,
      triples: { pairs: triples, shadowOnly: group.shadowOnly, baselineOnly: group.baselineOnly },
      repeats: { shadowOnly: group.shadowRepeats, baselineOnly: group.baselineRepeats },
      steady: { pairs: group.successions, primary: group.primarySteady, shadow: group.shadowSteady },
    };
  }

  #countBaseline(isDifferent: boolean): void {
    this.baselineCompared++;
    if (isDifferent) this.baselineDifferent++;
  }

  #countShadow(
    pair: ComparedPair,
    hits: readonly Hit[],
    differences: readonly Difference[],
    incomplete: boolean,
  ): void {
    this.compared++;
    if (incomplete) this.#unplaced++;
    if (differences.length === 0) return;
    this.different++;
    if (differences.some(({ kind }) => kind === 'not-comparable')) this.notComparable++;
    this.#show(pair, hits);
    const open = hits.flatMap(({ group }) => (group.isKnownNoise() ? [] : [group]));
    if (open.length > 0) this.#countSet(open);
  }

  #show(pair: ComparedPair, hits: readonly Hit[]): void {
    if (pair.isBaseline) return;
    for (const { group, difference } of hits) group.addSample(pair, difference);
  }

  #countSet(groups: readonly DiffGroup[]): void {
    const key = setKey(groups);
    const set = this.#sets.get(key);
    if (set !== undefined) set.pairs++;
    else if (this.#sets.size < limits.diffSets && this.#setGroups + groups.length <= limits.diffSetGroups) {
      this.#sets.set(key, { groups, pairs: 1 });
      this.#setGroups += groups.length;
    } else {
      this.#unplaced++;
      this.overflow.add('diffSets');
    }
  }

  /** Puts the pair together with its counterpart, or lets it wait for it. */
  #match(pair: ComparedPair, endpoint: EndpointCounts, hits: readonly Hit[], incomplete: boolean): void {
    const key = `${pair.id}\n${pair.request}`;
    const other = this.#waiting.get(key);
    if (other !== undefined) this.#forget(key, other);
    const known = hits.map(({ group, difference }) => ({ group, prints: difference.prints ?? null }));
    const own = { isBaseline: pair.isBaseline, endpoint, hits: known, incomplete };
    if (other !== undefined && other.isBaseline !== own.isBaseline) {
      if (own.isBaseline) this.#triple(other, own);
      else this.#triple(own, other);
      return;
    }
    this.#waiting.set(key, own);
    this.#waitingHits += own.hits.length;
    for (const [oldest, waiting] of this.#waiting) {
      if (this.#waiting.size <= this.#waitingMax && this.#waitingHits <= limits.diffWaitingHits) break;
      this.#forget(oldest, waiting);
    }
  }

  #forget(key: string, waiting: Waiting): void {
    this.#waiting.delete(key);
    this.#waitingHits -= waiting.hits.length;
  }

  #triple(shadow: Waiting, baseline: Waiting): void {
    const endpoint = resolved(shadow.endpoint);
    const inBaseline = new Map(baseline.hits.map(({ group, prints }) => [resolved(group), prints]));
    const inShadow = new Map(shadow.hits.map(({ group, prints }) => [resolved(group), prints]));
    // What is noise is decided by what was known before this triple, so that neither side is favoured.
    if (!shadow.incomplete && !baseline.incomplete) {
      const [a, b] = [hasNews(inShadow), hasNews(inBaseline)];
      this.#any.triples++;
      if (a && !b) this.#any.shadowOnly++;
      if (b && !a) this.#any.baselineOnly++;
    }
    endpoint.triples++;
    for (const [group, prints] of inShadow) {
      const other = inBaseline.get(group);
      group.triple(true, other !== undefined);
      if (prints === null) continue;
      const [primary, value] = prints;
      group.values({ primary, shadow: value, baseline: other?.[1] ?? primary });
    }
    for (const [group, prints] of inBaseline) {
      if (inShadow.has(group)) continue;
      group.triple(false, true);
      if (prints !== null) group.values({ primary: prints[0], shadow: prints[0], baseline: prints[1] });
    }
  }

  #endpointOf(request: string): EndpointCounts {
    const name = this.#endpointNames.nameOf(request);
    if (this.#endpointNames.overflowed) this.overflow.add('endpoints');
    let endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) {
      endpoint = new EndpointCounts(name);
      this.#endpoints.set(name, endpoint);
    }
    return endpoint;
  }

  /** Counts the pair in the groups of its differences. One for which there is no room is not among them. */
  #hitsOf(pair: ComparedPair, endpoint: EndpointCounts, differences: readonly Difference[]): Hit[] {
    let hits: Hit[] = [];
    const counted = new Set<DiffGroup>();
    const regroups = this.#regroups;
    for (const difference of differences) {
      const group = this.#groupOf(endpoint, difference);
      if (group === null || counted.has(group)) continue;
      counted.add(group);
      if (pair.isBaseline) group.baselineCount++;
      else group.count++;
      hits.push({ group, difference });
    }
    if (this.#regroups > regroups) {
      const merged = new Map(hits.map(({ group, difference }) => [resolved(group), difference]));
      hits = [...merged].map(([group, difference]) => ({ group, difference }));
    }
    return hits;
  }

  #groupOf(endpoint: EndpointCounts, { kind, path, change }: Difference): DiffGroup | null {
    const known = this.#groups.get(groupKey(endpoint, kind, path, change));
    if (known !== undefined || kind !== 'json') return known ?? this.#newGroup(endpoint, kind, path, change);
    const place = this.#keys.fold(path);
    const folded = this.#groups.get(groupKey(endpoint, kind, place, change));
    if (folded !== undefined) return folded;
    this.#foldKeys(place);
    return this.#newGroup(endpoint, kind, this.#keys.fold(place), change);
  }

  #newGroup(
    endpoint: EndpointCounts,
    kind: Difference['kind'],
    path: string,
    change: Difference['change'],
  ): DiffGroup | null {
    const key = groupKey(endpoint, kind, path, change);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= limits.diffGroups) {
      this.ungrouped++;
      this.overflow.add('diffGroups');
      return null;
    }
    const group = new DiffGroup(this.#nextNumber++, endpoint, kind, path, change);
    this.#groups.set(key, group);
    return group;
  }

  /** Makes names that are data one place, where `path` shows that they are. */
  #foldKeys(path: string): void {
    const shareMax = this.#groups.size >= limits.diffGroups ? crowdedShareMax : dataShareMax;
    for (const { has, fold } of this.#keys.learn(path)) {
      const members = this.groups().filter(({ kind, path }) => kind === 'json' && has(path));
      const shares = members.map(({ count, baselineCount, endpoint }) => {
        return (count + baselineCount) / (endpoint.compared + endpoint.baselineCompared);
      });
      if (members.length === 0 || shares.reduce((a, b) => a + b, 0) / shares.length > shareMax) continue;
      fold();
      this.#regroup();
      return;
    }
  }

  /** Endpoints that are one now, by a pattern of their paths' beginnings. */
  #foldEndpoints(pattern: string): void {
    const depth = pattern.split('/').length;
    for (const endpoint of this.endpoints()) {
      const [method, path] = endpoint.name.split(' ', 2);
      const segments = path.split('/');
      if (method === GRPC_METHOD || !matchesPattern(pattern, segments.slice(0, depth).join('/'))) continue;
      const name = `${method} ${[pattern, ...segments.slice(depth)].join('/')}`;
      if (name === endpoint.name) continue;
      const into = this.#endpoints.get(name) ?? new EndpointCounts(name);
      this.#endpoints.set(name, into);
      this.#endpoints.delete(endpoint.name);
      endpoint.mergeInto(into);
    }
    this.#regroup();
  }

  /** Puts groups of what is one endpoint or one place now together. */
  #regroup(): void {
    this.#regroups++;
    const groups = this.groups();
    this.#groups = new Map();
    for (const group of groups) {
      const endpoint = resolved(group.endpoint);
      const path = group.kind === 'json' ? this.#keys.fold(group.path) : group.path;
      const key = groupKey(endpoint, group.kind, path, group.change);
      let into = this.#groups.get(key);
      if (into === undefined) {
        const isSame = endpoint === group.endpoint && path === group.path;
        into = isSame ? group : new DiffGroup(this.#nextNumber++, endpoint, group.kind, path, group.change);
        this.#groups.set(key, into);
      }
      if (into !== group) group.mergeInto(into);
    }
    const sets = [...this.#sets.values()];
    this.#sets = new Map();
    for (const set of sets) {
      const merged = [...new Set(set.groups.map(resolved))];
      const known = this.#sets.get(setKey(merged));
      if (known !== undefined) known.pairs += set.pairs;
      else this.#sets.set(setKey(merged), { groups: merged, pairs: set.pairs });
    }
  }
}

/** A live baseline is asked reads alone, and that of a replay everything. */
function hasBaseline({ name, baselineCompared }: EndpointCounts): boolean {
  return baselineCompared > 0 || isRead(methodOf(name));
}

function hasNews(hits: ReadonlyMap<DiffGroup, unknown>): boolean {
  for (const group of hits.keys()) if (!group.isKnownNoise()) return true;
  return false;
}

function groupKey(
  endpoint: EndpointCounts,
  kind: Difference['kind'],
  path: string,
  change: Difference['change'],
): string {
  return `${endpoint.name}\n${kind}\n${change}\n${path}`;
}

function setKey(groups: readonly DiffGroup[]): string {
  return groups
    .map(({ number }) => number)
    .sort((a, b) => a - b)
    .join();
}
