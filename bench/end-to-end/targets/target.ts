import type { Origins } from '../origins.js';
import type { Placement } from '../placement.js';

/** One contestant. */
export interface Target {
  readonly name: string;
  readonly mirrors: boolean;
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
