/** The counts of one difference of one mirror's endpoint, with a few samples. Control thread. */
import { limits } from '../limits.js';
import type { ComparedPair } from './compared-pair.js';
import type { Change, Difference, DifferenceKind, Shown } from './difference.js';
import { baselineHitsMin } from './noise.js';

/** A side that has nothing there (a member that is missing) has no key here. */
export interface DiffSample {
  readonly id: string;
  readonly request: string;
  readonly atMs: number;
  /** The exact place, where the group's path is not it. */
  readonly at?: string;
  readonly primary?: Shown;
  readonly shadow?: Shown;
}

/** The pairs of one endpoint. */
export class EndpointCounts {
  compared = 0;
  baselineCompared = 0;
  /** Requests of which both pairs are known. */
  triples = 0;
  /** The endpoint that took this one's counts. */
  into: EndpointCounts | null = null;

  constructor(readonly name: string) {}

  mergeInto(other: EndpointCounts): void {
    other.compared += this.compared;
    other.baselineCompared += this.baselineCompared;
    other.triples += this.triples;
    this.into = other;
  }
}

/** Fingerprints of the values that the three answers to one request have at a place. */
export interface TriplePrints {
  readonly primary: number;
  readonly shadow: number;
  readonly baseline: number;
}

export class DiffGroup {
  count = 0;
  baselineCount = 0;
  /** Triples that one side alone has, and those that both have. */
  shadowOnly = 0;
  baselineOnly = 0;
  both = 0;
  shadowRepeats = 0;
  baselineRepeats = 0;
  /**
   * Pairs that were looked at beside the one before, and those in which a side has its value of the one
   * before.
   */
  successions = 0;
  primarySteady = 0;
  shadowSteady = 0;
  /** The group that took this one's counts. */
  into: DiffGroup | null = null;
  samples: DiffSample[] = [];
  #last: TriplePrints | null = null;
  #lastPrints: readonly [number, number] | null = null;

  constructor(
    readonly number: number,
    readonly endpoint: EndpointCounts,
    readonly kind: DifferenceKind,
    readonly path: string,
    readonly change: Change,
  ) {}

  addSample(pair: ComparedPair, { at, path, primary, shadow, prints }: Difference): void {
    if (prints !== undefined) this.#succeed(prints);
    if (this.samples.length === limits.diffSamples) this.samples.shift();
    this.samples.push({
      id: pair.id,
      request: pair.request,
      atMs: pair.atMs,
      ...(at === path || at === '' ? {} : { at }),
      ...(primary === undefined ? {} : { primary }),
      ...(shadow === undefined ? {} : { shadow }),
    });
  }

  #succeed(prints: readonly [number, number]): void {
    const last = this.#lastPrints;
    this.#lastPrints = prints;
    if (last === null) return;
    this.successions++;
    if (prints[0] === last[0]) this.primarySteady++;
    if (prints[1] === last[1]) this.shadowSteady++;
  }

  /** The baseline shows it often enough, by what was known before this pair. */
  isKnownNoise(): boolean {
    const hits = resolved(this.endpoint).triples > 0 ? this.both + this.baselineOnly : this.baselineCount;
    return hits >= baselineHitsMin;
  }

  triple(inShadow: boolean, inBaseline: boolean): void {
    if (inShadow && inBaseline) this.both++;
    else if (inShadow) this.shadowOnly++;
    else this.baselineOnly++;
  }

  /**
   * Two requests at a time, so that the times are independent of each other: does one side alone repeat
   * its value while the primary's changes?
   */
  values(prints: TriplePrints): void {
    const last = this.#last;
    this.#last = last === null ? prints : null;
    if (last === null || prints.primary === last.primary) return;
    const [shadow, baseline] = [prints.shadow === last.shadow, prints.baseline === last.baseline];
    if (shadow && !baseline) this.shadowRepeats++;
    else if (baseline && !shadow) this.baselineRepeats++;
  }

  /**
   * Gives its counts to `other`, of another endpoint or of another place in the same pairs. In the
   * latter case the number of pairs is not known exactly, and the evidence of triples is that of the
   * group that has more of it.
   */
  mergeInto(other: DiffGroup): void {
    const endpoint = resolved(other.endpoint);
    other.count = Math.min(endpoint.compared, other.count + this.count);
    other.baselineCount = Math.min(endpoint.baselineCompared, other.baselineCount + this.baselineCount);
    if (this.endpoint !== other.endpoint) {
      other.#take(this, other);
    } else if (this.#evidence() > other.#evidence()) other.#take(this);
    other.successions += this.successions;
    other.primarySteady += this.primarySteady;
    other.shadowSteady += this.shadowSteady;
    other.samples = [...other.samples, ...this.samples]
      .sort((a, b) => a.atMs - b.atMs)
      .slice(-limits.diffSamples);
    this.into = other;
  }

  #evidence(): number {
    return this.both + this.shadowOnly + this.baselineOnly;
  }

  /** Sets the evidence to the sum of that of `groups`. */
  #take(...groups: readonly DiffGroup[]): void {
    const sum = (value: (group: DiffGroup) => number) =>
      groups.reduce((total, group) => total + value(group), 0);
    const [both, shadowOnly, baselineOnly, shadowRepeats, baselineRepeats] = [
      sum((group) => group.both),
      sum((group) => group.shadowOnly),
      sum((group) => group.baselineOnly),
      sum((group) => group.shadowRepeats),
      sum((group) => group.baselineRepeats),
    ];
    Object.assign(this, { both, shadowOnly, baselineOnly, shadowRepeats, baselineRepeats });
  }
}

/** What holds the counts of `one` now. */
export function resolved<T extends { readonly into: T | null }>(one: T): T {
  let at = one;
  while (at.into !== null) at = at.into;
  return at;
}
