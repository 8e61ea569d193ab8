/**
 * The pairs of each mirror by endpoint, in bounded memory. Kept by the control thread, and lost with it.
 * Endpoints are learned from all pairs here, and from the pairs that were taken apart in core/compare: what
 * many clients try without success must not blur where differences are.
 */
import { wallClockMs } from '../clock.js';
import { methodOf } from '../compare/diff-summary.js';
import type { EndpointCounter } from '../compare/endpoint-batch.js';
import { Endpoints, matchesPattern, otherEndpoints } from '../compare/endpoints.js';
import { GRPC_METHOD } from '../grpc/grpc-method.js';
import { limits } from '../limits.js';
import { Differs, RATIO_ONE } from '../record/mirror-counters.js';
import { type EndpointPairs, endpointScale } from './endpoint-pairs.js';
import { DenseCounts, ratioScale } from './slot-counts.js';

/** Indexes of `pairOutcomes`. */
const Outcome = { OK: 0, SHADOW_ERROR: 1, PRIMARY_ERROR: 2, BOTH_ERRORS: 3 } as const;

/** The pairs of one endpoint while they are counted. */
class Counts implements EndpointCounter {
  readonly #outcomes = [0, 0, 0, 0];
  #different = 0;
  #statusDifferent = 0;
  readonly #ratio = new DenseCounts(ratioScale);
  readonly #primary = new DenseCounts(endpointScale);
  readonly #shadow = new DenseCounts(endpointScale);
  #read: EndpointPairs | null = null;

  count(outcome: number, differs: number, primaryUs: number, shadowUs: number): void {
    this.#read = null;
    this.#outcomes[outcome]++;
    if (outcome !== Outcome.OK) return;
    if (differs !== 0) this.#different++;
    if ((differs & Differs.STATUS) !== 0) this.#statusDifferent++;
    // A recording may say nothing of latencies.
    if (primaryUs < 0) return;
    this.#primary.record(primaryUs);
    this.#shadow.record(shadowUs);
    this.#ratio.record(Math.round((shadowUs / Math.max(1, primaryUs)) * RATIO_ONE));
  }

  addTo(other: Counts): void {
    other.#read = null;
    for (const [outcome, count] of this.#outcomes.entries()) other.#outcomes[outcome] += count;
    other.#different += this.#different;
    other.#statusDifferent += this.#statusDifferent;
    this.#ratio.addTo(other.#ratio);
    this.#primary.addTo(other.#primary);
    this.#shadow.addTo(other.#shadow);
  }

  read(endpoint: string, sinceMs: number): EndpointPairs {
    this.#read ??= {
      endpoint,
      sinceMs,
      bothOk: this.#outcomes[Outcome.OK],
      shadowErrors: this.#outcomes[Outcome.SHADOW_ERROR],
      primaryErrors: this.#outcomes[Outcome.PRIMARY_ERROR],
      bothErrors: this.#outcomes[Outcome.BOTH_ERRORS],
      different: this.#different,
      statusDifferent: this.#statusDifferent,
      ratio: this.#ratio.read(),
      primary: this.#primary.read(),
      shadow: this.#shadow.read(),
    };
    return this.#read;
  }
}

class MirrorEndpoints {
  readonly #names: Endpoints;
  readonly #counts = new Map<string, Counts>();
  readonly #hasRoom: () => boolean;
  readonly #sinceMs = wallClockMs();

  /** `hasRoom`: whether all mirrors together may have one more endpoint. */
  constructor(configured: readonly string[], hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
    this.#names = new Endpoints(configured, (pattern) => this.#fold(pattern));
  }

  countsOf(request: string): Counts {
    const name = this.#names.nameOf(request);
    const known = this.#counts.get(name);
    if (known !== undefined) return known;
    return this.#ofName(this.#hasRoom() ? name : `${methodOf(name)} ${otherEndpoints}`);
  }

  get size(): number {
    return this.#counts.size;
  }

  #ofName(name: string): Counts {
    let counts = this.#counts.get(name);
    if (counts === undefined) {
      counts = new Counts();
      this.#counts.set(name, counts);
    }
    return counts;
  }

  read(): EndpointPairs[] {
    return [...this.#counts].map(([name, counts]) => counts.read(name, this.#sinceMs));
  }

  /** Endpoints that are one now, by a pattern of their paths' beginnings. */
  #fold(pattern: string): void {
    const depth = pattern.split('/').length;
    for (const [name, counts] of [...this.#counts]) {
      const [method, path] = name.split(' ', 2);
      const segments = path.split('/');
      if (method === GRPC_METHOD || !matchesPattern(pattern, segments.slice(0, depth).join('/'))) continue;
      const folded = `${method} ${[pattern, ...segments.slice(depth)].join('/')}`;
      if (folded === name) continue;
      this.#counts.delete(name);
      const into = this.#counts.get(folded);
      if (into === undefined) this.#counts.set(folded, counts);
      else counts.addTo(into);
    }
  }
}

interface KnownMirror {
  readonly key: string;
  readonly endpoints: MirrorEndpoints;
}

export class EndpointBook {
  /** By slot. */
  readonly #mirrors = new Map<number, KnownMirror>();
  readonly #hasRoom = (): boolean => {
    let size = 0;
    for (const { endpoints } of this.#mirrors.values()) size += endpoints.size;
    return size < limits.countedEndpoints;
  };

  /** Counts of the mirror begin again where its `configured` patterns change. */
  follow(slot: number, configured: readonly string[]): void {
    const key = JSON.stringify(configured);
    if (this.#mirrors.get(slot)?.key !== key)
      this.#mirrors.set(slot, { key, endpoints: new MirrorEndpoints(configured, this.#hasRoom) });
  }

  /** `name` is a method and a path or its pattern. Null: the mirror is not followed. */
  counterOf(slot: number, name: string): EndpointCounter | null {
    return this.#mirrors.get(slot)?.endpoints.countsOf(name) ?? null;
  }

  /** The endpoints of one mirror, in the order in which they were seen. */
  read(slot: number): readonly EndpointPairs[] {
    return this.#mirrors.get(slot)?.endpoints.read() ?? [];
  }
}
