import type { DocumentChange } from '../../config/documents/change.js';
import type { Diffs } from '../../core/compare/diff-book.js';
import type { Address } from '../../core/plan.js';
import type { ControlCounts } from '../../core/report/control-counts.js';
import type { Observed } from '../../core/report/observed.js';
import type { PairSource, Reading } from '../../core/report/reading.js';
import type { Verdict } from '../../core/verdict/verdict.js';
import type { Rollouts } from '../control/rollouts.js';
import type { LiveAsk } from '../protocol/live-change.js';
import type { ChangeAnswer } from '../protocol/messages.js';
import type { AdminFigures } from './figures.js';
import type { LiveFeed } from './live-feed.js';
import type { HookCounts, ReportCounts } from './rollout-metrics.js';
import type { Status } from './status-body.js';

/**
 * The services of the process that the admin API needs. The control thread implements them, and asks main for
 * changes.
 */
export interface AdminDeps {
  /** The address of the API, which decides which Host fields are accepted. */
  readonly address: Address;
  /** The token for `Authorization: Bearer …`; null only on loopback and unix sockets. */
  readonly token: string | null;
  readonly log: AdminLog;
  /** Counts of what the server rejects. */
  readonly figures: AdminFigures;
  /** The feed of `GET /api/stream`. */
  readonly feed: LiveFeed;
  /** The input of reports; main replaces it with every new plan. */
  observe(): Observed;
  /** The control thread's own counts. */
  controlCounts(): ControlCounts;
  /** True when every listener is open and nothing is draining. */
  ready(): boolean;
  /** Pairs of a mirror by blocks of time, and by endpoint. */
  readonly pairs: PairSource;
  /** Judges the mirrors of a reading by everything since the control thread started. */
  verdict(reading: Reading): Verdict;
  /** The differences found so far. */
  diffs(): Diffs;
  /** The current configuration with its defaults, without its secrets. */
  effectiveConfig(): object;
  /** What runs, and what differs from the configuration. */
  status(): Status;
  /** Changes mirrors or weights. It resolves when every thread has applied the new plan. */
  /** The rollouts of all routes. */
  rollouts(): Pick<Rollouts, 'all' | 'of' | 'start' | 'command'>;
  rolloutHooks(): HookCounts;
  /** Reports on rollouts that go to the leader of a fleet; null: this process is not one of a fleet. */
  rolloutReports(): ReportCounts | null;
  wallMs(): number;
  changeLive(ask: LiveAsk): Promise<ChangeAnswer>;
  /** Replaces the whole configuration, YAML or JSON, or changes nothing. It resolves like `changeLive`. */
  replaceConfig(text: string): Promise<ReplaceResult>;
  /**
   * Applies or deletes documents, all or none. A dry run only returns the result. It resolves like
   * `changeLive`.
   */
  changeDocuments(change: DocumentChange, dryRun: boolean): Promise<ChangeAnswer>;
}

/** The part of pino's logger that the admin API uses. */
export interface AdminLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type ReplaceResult =
  /** `ended` has a line for each live change that the configuration has ended. */
  | { readonly ok: true; readonly generation: number; readonly ended?: readonly string[] }
  /** Problems as `umbra check` prints them. Nothing was changed. */
  | {
      readonly ok: false;
      readonly status: number;
      readonly message: string;
      readonly problems: readonly string[];
    };
