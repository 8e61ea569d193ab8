/**
 * The body of `GET /api/status`: what runs, and what differs from the configuration. Its names are a contract
 * with commands and the live page.
 */
import { packageVersion } from '../../config/package-file.js';
import { isoTime } from '../../core/clock.js';
import { madeWords, mirrorWords } from '../../core/live/live-record.js';
import type { LiveCause, LiveState, Weights } from '../../core/live/live-state.js';
import type { Plan } from '../../core/plan.js';
import { type Reading, restarts } from '../../core/report/reading.js';
import type { RolloutNote } from '../../core/report/rollout-note.js';
import type { LiveView } from '../protocol/live-change.js';

export interface Status {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly ready: boolean;
  readonly uptimeS: number;
  readonly generation: number;
  readonly engine: string;
  readonly threads: { readonly proxy: number; readonly shadow: number; readonly restarts: number };
  /** Where live changes are kept; `directory` null: they end with the process. */
  readonly state: {
    readonly keptIn: string | null;
    /** Why the last change could not be kept. */
    readonly problem: string | null;
    /** Changes of this instance that the others of the fleet don't have yet. */
    readonly unshared: number;
  };
  /** Null: this instance does not follow the plan of a fleet. `leader` null: nobody, or unknown. */
  readonly fleet: { readonly name: string; readonly leader: string | null } | null;
  /** What differs from the configuration. */
  readonly live: readonly LiveEntry[];
  /** The last rollout of each route. */
  readonly rollouts: readonly RolloutNote[];
}

interface Made {
  readonly at: string;
  readonly by: LiveCause;
}

export type LiveEntry =
  | ({ readonly what: 'allMirrors'; readonly enabled: boolean } & Made)
  | ({
      readonly what: 'mirror';
      readonly route: string;
      readonly to: string;
      /** Absent: as in the configuration. */
      readonly enabled?: boolean;
      readonly percent?: number;
      readonly methods?: 'all' | 'safe';
      /** Null: the configuration has no such mirror. */
      readonly file: { readonly enabled: boolean; readonly percent: number } | null;
    } & Made)
  | ({
      readonly what: 'weights';
      readonly route: string;
      readonly weights: Readonly<Record<string, number>>;
      readonly file: Readonly<Record<string, number>>;
    } & Made)
  /** The guard holds copies back, because the route's primary got worse. */
  | {
      readonly what: 'heldBack';
      readonly route: string;
      readonly to: string;
      readonly heldBackPercent: number;
      readonly at: string;
      readonly by: 'guard';
    };

/** Read once: the file may be another one after an upgrade. */
const version = packageVersion();

export interface StatusSource {
  readonly plan: Plan;
  readonly reading: Reading;
  readonly live: LiveView;
  readonly ready: boolean;
  readonly fleet: Status['fleet'];
  readonly rollouts: Status['rollouts'];
  /** Wall clock; null where nothing is held back. */
  heldSinceMs(route: string): number | null;
}

export function statusOf({ plan, reading, live, ready, fleet, rollouts, heldSinceMs }: StatusSource): Status {
  const heldBack = reading.mirrors
    .filter((mirror) => mirror.baselineOf === null && mirror.heldBackPercent > 0)
    .flatMap(({ route, to, heldBackPercent }): LiveEntry[] => {
      const sinceMs = heldSinceMs(route);
      if (sinceMs === null) return [];
      return [{ what: 'heldBack', route, to, heldBackPercent, at: isoTime(sinceMs), by: 'guard' }];
    });
  return {
    version,
    node: process.version,
    pid: process.pid,
    ready,
    uptimeS: reading.uptimeS,
    generation: reading.generation,
    engine: reading.engine,
    threads: { proxy: plan.threads.proxy, shadow: plan.threads.shadow, restarts: restarts(reading) },
    state: { keptIn: live.keptIn, problem: live.problem, unshared: live.unshared },
    fleet,
    live: [...entriesOf(live.state), ...heldBack],
    rollouts,
  };
}

function entriesOf({ allMirrors, mirrors, weights }: LiveState): LiveEntry[] {
  const all: LiveEntry[] =
    allMirrors === null
      ? []
      : [{ what: 'allMirrors', enabled: allMirrors.enabled, ...madeWords(allMirrors) }];
  return [
    ...all,
    ...mirrors.map((mirror): LiveEntry => ({ what: 'mirror', ...mirrorWords(mirror) })),
    ...weights.map(
      (one): LiveEntry => ({
        what: 'weights',
        route: one.route,
        weights: record(one.weights),
        file: record(one.file),
        ...madeWords(one),
      }),
    ),
  ];
}

function record(weights: Weights): Record<string, number> {
  return Object.fromEntries(weights);
}
