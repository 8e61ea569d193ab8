/** Live changes as they are asked for, and as the control thread shows them. */
import type { LiveCause, LiveState } from '../../core/live/live-state.js';
import type { Basis } from '../../core/rollout/settled.js';

/** Changes of one route, which take effect together. What is absent stays as it is. */
export interface RouteChange {
  /** Weights by the name of any version of the configuration; null: those of the configuration. */
  readonly weights?: Readonly<Record<string, number>> | null;
  /** What versions get that `weights` does not name: what they have, or nothing. Default: `keep`. */
  readonly unnamed?: 'keep' | 'zero';
  /** With `weights`: the version that answers what another one can't be given. Default: none does. */
  readonly fallback?: string;
  /**
   * Mirrors by the name of their target; null: as in the configuration. A version that has no mirror gets
   * one.
   */
  readonly mirrors?: Readonly<Record<string, MirrorSetting | null>>;
  /** The record of the route's rollout, as JSON; null removes it. */
  readonly rollout?: unknown;
  /**
   * The record that `rollout` was made from. Where the route has another one by now, the change is refused
   * with 412, or joined to it (core/rollout/settled). Absent: whatever is there is replaced.
   */
  readonly after?: Basis;
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
  | {
      readonly what: 'live';
      readonly route: string;
      readonly change: RouteChange;
      readonly by: LiveCause;
      /** In a fleet: refused with 503 where the change can't be shared. */
      readonly mustShare?: boolean;
    }
  /** All mirrors at once. Null ends every live change of a mirror. */
  | { readonly what: 'allMirrors'; readonly enabled: boolean | null; readonly by: LiveCause }
  /** Ends every live change of weights. */
  | { readonly what: 'resetWeights'; readonly by: LiveCause };

/** The live changes in force, and where they are kept. */
export interface LiveView {
  readonly state: LiveState;
  /** The state directory, or the entry of a bucket; null: live changes end with the process. */
  readonly keptIn: string | null;
  /** Why the last change could not be kept; null: it is. */
  readonly problem: string | null;
  /** Revision of the bucket's entry; 0: there is none. */
  readonly revision: number;
  /** Changes that were made on this instance alone, and wait for the bucket. */
  readonly unshared: number;
}

/** The entry of a bucket in which the instances of a fleet share their live changes. */
export interface SharedLive {
  /** Its address, for people. */
  readonly place: string;
  /** Null: there is no entry, and `revision` is 0. */
  readonly text: string | null;
  readonly revision: number;
}

/** What became of a text that was to be shared. */
export type ShareResult =
  | { readonly kind: 'kept'; readonly revision: number }
  /** Another instance was quicker. */
  | { readonly kind: 'newer'; readonly text: string | null; readonly revision: number }
  | { readonly kind: 'failed'; readonly reason: string };
