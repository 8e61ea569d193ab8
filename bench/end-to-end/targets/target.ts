import type { Origins } from '../origins.js';
import type { Placement } from '../placement.js';

/** What a proxy is set up to do in a measurement. */
export interface TargetCase {
  /** 0: it does not mirror. */
  readonly mirrorPercent: number;
  /** Its clients come over TLS. */
  readonly tls: boolean;
}

export const plainCase: TargetCase = { mirrorPercent: 0, tls: false };

export function mirrorOnly(mirrorPercent: number): TargetCase {
  return { ...plainCase, mirrorPercent };
}

/** One contestant. */
export interface Target {
  readonly name: string;
  readonly mirrors: boolean;
  /**
   * A measurement with fewer copies for each request is not valid; not set: 0.99, or 0 if it does not mirror.
   */
  readonly copiesMin?: number;
  /** Null where it can run; else why it can't, for the line that says that it was left out. */
  readonly missing: () => string | null;
  /** Rejects with an Error of one line when it can't start. */
  readonly start: (origins: Origins, placement: Placement) => Promise<RunningTarget>;
}

export interface RunningTarget {
  readonly url: string;
  /** Whose CPU time and memory are the proxy's; empty for none. */
  readonly pids: () => number[];
  /** What it counted itself of copies that were not made, as text; null for nothing. */
  readonly dropped?: () => Promise<string | null>;
  readonly stop: () => Promise<void>;
}
