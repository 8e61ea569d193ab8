/** A rollout: how a route moves from one version to another. It is plain data, and is kept as JSON. */

/** A mirror copies requests to the new version; a release lets it answer a share of them. */
export interface RolloutStep {
  readonly kind: 'mirror' | 'release';
  /** A part of the route's requests. */
  readonly shareMillionths: number;
  /** The step lasts at least this long. */
  readonly atLeastMs: number;
  /** After this time a step that is not decided is held, or ends as `onUndecided` says. */
  readonly atMostMs: number;
  /** The new version must have answered so many requests. */
  readonly requestsMin: number;
}

export type OnUndecided = 'hold' | 'rollback' | 'go-on';

/** What is run or called when something happened: a program with its arguments, or a URL that gets a POST. */
export type HookPlan =
  | { readonly kind: 'command'; readonly command: readonly string[]; readonly timeoutMs: number }
  | { readonly kind: 'http'; readonly url: string; readonly timeoutMs: number };

/** Fractions: 0.1 is 10 %. Null leaves the check out. */
export interface RolloutBounds {
  /** By how much latencies of the new version may be above the old one's. */
  readonly shift: number | null;
  /** By how much its p99 may be. */
  readonly p99Delta: number | null;
  /** By how much its share of errors may be above the old one's. */
  readonly errorDelta: number | null;
  /** The share of answers that may differ. */
  readonly diff: number | null;
}

export interface RolloutPlan {
  /** Name of the new version. */
  readonly to: string;
  /** In order; the last one releases everything. */
  readonly steps: readonly RolloutStep[];
  readonly onUndecided: OnUndecided;
  /** How long the old version gets copies after everything is released; 0: the rollout ends there. */
  readonly watchMs: number;
  readonly bounds: RolloutBounds;
  /** The new version is rolled back at once where it surely fails more than this share of its requests. */
  readonly errorsMax: number;
  /** Safe requests that the new version answered are copied to the old one, and compared in pairs. */
  readonly pairs: boolean;
  readonly onStep: HookPlan | null;
  readonly onRollback: HookPlan | null;
  readonly onDone: HookPlan | null;
}
