/** Live changes as they are asked for, and as the control thread shows them. */
import type { LiveCause, LiveState } from '../../core/live/live-state.js';

/** Changes of one route, which take effect together. What is absent stays as it is. */
export interface RouteChange {
  /** Weights by the name of any version of the configuration; null: those of the configuration. */
  readonly weights?: Readonly<Record<string, number>> | null;
  /** What versions get that `weights` does not name: what they have, or nothing. Default: `keep`. */
  readonly unnamed?: 'keep' | 'zero';
  /**
   * Mirrors by the name of their target; null: as in the configuration. A version that has no mirror gets
   * one.
   */
  readonly mirrors?: Readonly<Record<string, MirrorSetting | null>>;
  /** The record of the route's rollout, as JSON; null removes it. */
  readonly rollout?: unknown;
}

export interface MirrorSetting {
  readonly enabled?: boolean;
  /** 0 to 100, in steps of 0.0001. */
  readonly percent?: number;
  /** Only of a mirror that the configuration does not have. */
  readonly methods?: 'all' | 'safe';
}

/** A live change that is asked for. */
export type LiveAsk =
  | { readonly what: 'live'; readonly route: string; readonly change: RouteChange; readonly by: LiveCause }
  /** All mirrors at once. Null ends every live change of a mirror. */
  | { readonly what: 'allMirrors'; readonly enabled: boolean | null; readonly by: LiveCause }
  /** Ends every live change of weights. */
  | { readonly what: 'resetWeights'; readonly by: LiveCause };

/** The live changes in force, and where they are kept. */
export interface LiveView {
  readonly state: LiveState;
  /** The state directory, or the address of a bucket; null: live changes end with the process. */
  readonly keptIn: string | null;
  /** Why the last change could not be kept; null: it is. */
  readonly problem: string | null;
}
