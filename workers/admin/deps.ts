import type { DocumentChange } from '../../config/documents/change.js';
import type { Diffs } from '../../core/compare/diff-book.js';
import type { Address } from '../../core/plan.js';
import type { ControlCounts } from '../../core/report/control-counts.js';
import type { Observed } from '../../core/report/observed.js';
import type { PairSource, Reading } from '../../core/report/reading.js';
import type { Verdict } from '../../core/verdict/verdict.js';
import type { ChangeAnswer } from '../protocol/messages.js';
import type { AdminFigures } from './figures.js';
import type { LiveFeed } from './live-feed.js';

/**
 * What the admin API needs from the process. Implemented by the control thread, which asks main for changes.
 */
export interface AdminDeps {
  /** Where the API listens: it decides which Host fields are believed. */
  readonly address: Address;
  /** Asked for as `Authorization: Bearer …`; null only on loopback and unix sockets. */
  readonly token: string | null;
  readonly log: AdminLog;
  /** Counts what the server refuses. */
  readonly figures: AdminFigures;
  /** What `GET /api/stream` reads. */
  readonly feed: LiveFeed;
  /** What to report from; main replaces it with every new plan. */
  observe(): Observed;
  /** What the thread that serves the API counts itself. */
  controlCounts(): ControlCounts;
  /** Serving: every listener is open and nothing is draining. */
  ready(): boolean;
  /** Pairs of a mirror by blocks of time, and by endpoint. */
  readonly pairs: PairSource;
  /** Judges the mirrors of a reading by everything since the control thread started. */
  verdict(reading: Reading): Verdict;
  /** What comparisons of responses found so far. */
  diffs(): Diffs;
  /** The configuration in force, with its defaults and without its secrets. */
  effectiveConfig(): object;
  /**
   * Changes one mirror, or all if `target` is null. Resolves when every thread has taken the new plan. The
   * target was found in the plan before, but may be gone by now.
   */
  changeMirrors(target: MirrorTarget | null, change: MirrorChange): Promise<ChangeResult>;
  /**
   * Changes the weights of a route's primaries, by name; those that are not named keep theirs. Resolves as
   * above.
   */
  changeWeights(route: string, weights: Readonly<Record<string, number>>): Promise<ChangeResult>;
  /** Replaces the whole configuration, YAML or JSON, or leaves everything as it is. Resolves as above. */
  replaceConfig(text: string): Promise<ReplaceResult>;
  /**
   * Applies documents or takes them back, all or none; a dry run only returns the result. Resolves
   * as above.
   */
  changeDocuments(change: DocumentChange, dryRun: boolean): Promise<ChangeAnswer>;
}

/** The part of pino's logger that the admin API uses. */
export interface AdminLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface MirrorTarget {
  readonly route: string;
  readonly version: string;
}

/** At least one of the two. `percent` is from 0 to 100 in steps of 0.0001. */
export interface MirrorChange {
  readonly percent?: number;
  readonly enabled?: boolean;
}

export type ChangeResult =
  | { readonly ok: true; readonly generation: number }
  | { readonly ok: false; readonly status: 400 | 404 | 409 | 500 | 503; readonly message: string };

export type ReplaceResult =
  | { readonly ok: true; readonly generation: number }
  /** Each problem as `umbra check` prints it. Nothing was changed. */
  | {
      readonly ok: false;
      readonly status: number;
      readonly message: string;
      readonly problems: readonly string[];
    };
