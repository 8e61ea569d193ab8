/**
 * What main and its threads say to each other. Nothing of a request is ever in a message: these are for
 * plans, for coming and leaving, and for words to the log.
 *
 *   main --start (workerData)--> thread     thread --ready--> main
 *   main --part--> thread                   thread --partReceived--> main (routes and counters of a plan)
 *   main --plan--> thread                   thread --planApplied--> main   (the rest of it)
 *   main --targets--> thread                (an endpoint's name resolves to other addresses)
 *   main --releaseIdle--> thread            (file descriptors have run out)
 *   main --retire--> shadow                 (every proxy thread has left the older plans)
 *   main --drain--> thread                  thread --drained--> main
 *   main --leave--> thread                  thread exits
 *                                           thread --failing--> main: take me out, then send leave
 *   main <--change / replace--> control     (what a person asked for through the admin API)
 */
import type { DocumentChange } from '../../config/documents/change.js';
import type { NatsKey } from '../../config/nats-address.js';
import type { LogLevel, Plan, RoutePlan } from '../../core/plan.js';
import type { EndpointErrors } from '../../core/report/endpoint-errors.js';
import type { DataThreadKind, ObservedBlocks, Role } from '../../core/report/observed.js';
import type { Targets } from '../../core/upstream/target.js';
import type { KeptMark } from '../control/histogram-log.js';
import type { LiveAsk, LiveView, SharedLive, ShareResult } from './live-change.js';

/** Where a plan is, and which revision of it is in force. */
export interface PlanSource {
  readonly place: NatsKey;
  readonly revision: number;
  /** The live changes beside it, as they were at the start. */
  readonly live: SharedLive;
}

/** The shared blocks that one thread writes under one plan. */
export interface CountersShares {
  /**
   * By index into `plan.versions`: this thread's counters in its role (proxy: primary, shadow: shadow), if
   * the version has it.
   */
  readonly versions: readonly (SharedArrayBuffer | undefined)[];
  /** By mirror slot, every mirror the process ever had. */
  readonly mirrors: readonly (SharedArrayBuffer | undefined)[];
  /** proxy: by `releaseKey`, the primaries that are counted by route. */
  readonly releases: ReadonlyMap<string, SharedArrayBuffer>;
}

/** `releaseKey` names the counters of a version on one route. Names have no blanks. */
export function releaseKey(route: string, version: string): string {
  return `${route} ${version}`;
}

/** What every data-plane thread begins with. */
export interface ThreadStart {
  readonly kind: DataThreadKind;
  readonly index: number;
  /** How often this thread was started before. */
  readonly incarnation: number;
  readonly plan: Plan;
  readonly targets: Targets;
  readonly counters: CountersShares;
  readonly threadCounters: SharedArrayBuffer;
  /** The thread's own block of `core/record/route-counts`; null for other threads. */
  readonly routeCounts: SharedArrayBuffer | null;
  /** The block of `core/record/connection-count`, in which proxy threads count. */
  readonly connectionCounts: SharedArrayBuffer;
  /**
   * 48 random bytes of this process, by which proxy threads encrypt the sessions that clients of TLS keep.
   * Null for other threads.
   */
  readonly ticketKeys: Uint8Array | null;
  /** proxy: one per shadow thread. shadow and sink: one per proxy thread. */
  readonly rings: readonly SharedArrayBuffer[];
  /** proxy: one per shadow thread. shadow and sink: its own alone. */
  readonly doorbells: readonly SharedArrayBuffer[];
  /**
   * Blocks of `core/mirror/full-slots`. proxy: one per shadow thread, and that of the sink thread. shadow and
   * sink: its own alone.
   */
  readonly fullSlots: readonly SharedArrayBuffer[];
  /** proxy: the ring and doorbell of the sink thread, whether or not it runs. */
  readonly sink: { readonly ring: SharedArrayBuffer; readonly doorbell: SharedArrayBuffer } | null;
  readonly shadowThreads: number;
  /** What the guards hold back (core/mirror/held-back). */
  readonly heldBack: SharedArrayBuffer;
  /** Sinks have no line in the access log. */
  readonly logRing: SharedArrayBuffer | null;
  readonly logDoorbell: SharedArrayBuffer;
  /** shadow: pairs for the analysts. */
  readonly pairRing: SharedArrayBuffer | null;
  readonly pairDoorbell: SharedArrayBuffer;
}

/** Blocks that a thread has not been given before. */
export interface NewCounters {
  readonly versions: readonly (readonly [name: string, shared: SharedArrayBuffer])[];
  readonly mirrors: readonly (readonly [slot: number, shared: SharedArrayBuffer])[];
  readonly releases: readonly (readonly [key: string, shared: SharedArrayBuffer])[];
}

export type ToThread =
  /**
   * A part of the next plan, small enough to be taken without a pause; the next one comes when the thread
   * says that it has it.
   */
  | {
      readonly type: 'part';
      readonly generation: number;
      readonly routes: readonly RoutePlan[];
      readonly counters: NewCounters;
    }
  | {
      readonly type: 'plan';
      /** Its routes came in parts. */
      readonly plan: Plan;
      readonly targets: Targets;
    }
  | { readonly type: 'targets'; readonly targets: Targets }
  /** The process is out of file descriptors: idle upstream connections give theirs back. */
  | { readonly type: 'releaseIdle' }
  | { readonly type: 'retire'; readonly belowGeneration: number }
  /** proxy: `handOver`, another process has taken over, and clients leave by themselves. */
  | { readonly type: 'drain'; readonly withinMs: number; readonly handOver: boolean }
  | { readonly type: 'leave' };

export type FromThread =
  /** proxy: `descriptors` are the engine's handles, by listener, for the acceptors. */
  | { readonly type: 'ready'; readonly descriptors: readonly unknown[] }
  /**
   * proxy: another descriptor of one listener; the one before it is not to be used any more. Comes before the
   * `planApplied` that it is due to.
   */
  | { readonly type: 'descriptor'; readonly listener: number; readonly descriptor: unknown }
  | { readonly type: 'partReceived' }
  | { readonly type: 'planApplied'; readonly generation: number }
  | { readonly type: 'drained' }
  | EndpointEvent
  | BreakerEvent
  | Failing
  | LogMessage;

/** The thread can't work any more, or not at all. Main takes it out of the acceptors and sends `leave`. */
export interface Failing {
  readonly type: 'failing';
  readonly error: string;
}

export interface LogMessage {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** News of one endpoint on one thread: `count` failures for one cause, or the end of its ejection. */
export interface EndpointEvent {
  readonly type: 'endpoint';
  readonly version: string;
  readonly role: Role;
  /** `http://HOST:PORT`, `https://…` or `unix:PATH`, as configured. */
  readonly endpoint: string;
  /** `host:port` with an IP address, or a socket's path. */
  readonly address: string;
  readonly news:
    | {
        readonly what: 'failed';
        /** An index of `causes` (core/endpoint-cause). */
        readonly cause: number;
        readonly errno: string;
        readonly count: number;
        /** When the last of them was, in milliseconds since 1970. */
        readonly atMs: number;
        /** The time of the ejection that followed; 0: it is not, or was before. */
        readonly ejectedMs: number;
      }
    | { readonly what: 'back'; readonly answered: boolean };
}

/** The breaker of a mirror on one thread opened or closed. */
export interface BreakerEvent {
  readonly type: 'breaker';
  readonly route: string;
  readonly to: string;
  readonly open: boolean;
  /** What the latest failed copy failed for. */
  readonly reason: string;
  readonly cooldownMs: number;
}

export interface ControlStart {
  readonly kind: 'control';
  readonly observed: ObservedBlocks;
  readonly live: LiveView;
  readonly logRings: readonly SharedArrayBuffer[];
  readonly logDoorbell: SharedArrayBuffer;
  /** How far a control thread before this one has written the histogram logs. */
  readonly marks: readonly KeptMark[];
  /** One for each shadow thread. */
  readonly pairRings: readonly SharedArrayBuffer[];
  readonly pairDoorbell: SharedArrayBuffer;
  /** The block of `core/record/reload-block`. */
  readonly reload: SharedArrayBuffer;
  /** The latest error of each endpoint. */
  readonly endpointErrors: EndpointErrors;
  /** Identifies this process among those of a fleet. */
  readonly fleetId: string;
  /** Null: the plan does not come from a bucket. */
  readonly plan: PlanSource | null;
  /** The port that the admin API had before; null: as the plan says. */
  readonly adminPort: number | null;
  readonly threadCounters: SharedArrayBuffer;
  /** How long the admin API's address may still be that of the process that is being taken over. */
  readonly takeoverMs: number;
}

export type ToControl =
  | { readonly type: 'observe'; readonly observed: ObservedBlocks; readonly live: LiveView }
  | { readonly type: 'endpointErrors'; readonly errors: EndpointErrors }
  | { readonly type: 'serving'; readonly serving: boolean }
  | { readonly type: 'reopenLog' }
  /** The plan in its bucket is taken once more. */
  | { readonly type: 'followAgain' }
  /** The admin API's address is another process's from now on. */
  | { readonly type: 'closeAdmin' }
  | { readonly type: 'answer'; readonly id: number; readonly answer: ChangeAnswer }
  /** Live changes are to be written to the bucket, if its entry still has the revision. */
  | { readonly type: 'share'; readonly id: number; readonly text: string; readonly revision: number }
  | { readonly type: 'leave' };

export type FromControl =
  /** `address` is where the admin API listens, null where it is switched off. */
  | { readonly type: 'ready'; readonly address: string | null; readonly port: number }
  | { readonly type: 'observing'; readonly generation: number }
  | { readonly type: 'mark'; readonly mark: KeptMark }
  | { readonly type: 'ask'; readonly id: number; readonly ask: ChangeAsk }
  | { readonly type: 'shared'; readonly id: number; readonly result: ShareResult }
  | Failing
  | LogMessage;

/** A change that a person asks for, or a rollout. */
export type ChangeAsk =
  | LiveAsk
  | { readonly what: 'config'; readonly text: string }
  /** A revision of the plan that is followed. */
  | { readonly what: 'plan'; readonly text: string; readonly revision: number }
  /** Live changes of the bucket, which another instance has made or this one has to share. */
  | { readonly what: 'shared'; readonly live: SharedLive }
  | {
      readonly what: 'documents';
      readonly change: DocumentChange;
      /** Nothing is changed; the answer is what it would come to. */
      readonly dryRun: boolean;
    };

export interface DocumentsTaken {
  /** A line on each document. */
  readonly told: readonly string[];
  readonly warnings: readonly string[];
  /** What all documents come to, in a dry run. */
  readonly yaml: string | null;
}

export type ChangeAnswer =
  | {
      readonly ok: true;
      readonly generation: number;
      readonly documents?: DocumentsTaken;
      /** Live changes that a configuration has ended, a line each. */
      readonly ended?: readonly string[];
      /** What a person should know of a live change that was made. */
      readonly warnings?: readonly string[];
      /** False: a live change is in force, but would be lost with the process. */
      readonly kept?: boolean;
    }
  | {
      readonly ok: false;
      readonly status: number;
      readonly message: string;
      readonly problems: readonly string[];
    };
