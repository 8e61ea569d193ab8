/** A route: who answers its requests, and what is done to them on the way. */
import type { MessageEdits, PathChange, PrimaryRewrite } from './change.js';
import type { CorsPlan } from './cors.js';
import type { MatchPlan, SamplePlan } from './match.js';
import type { MirrorPlan } from './mirror.js';
import type { RolloutPlan } from './rollout-plan.js';
import type { TimeoutsPlan, VersionPlan } from './version.js';

export interface RoutePlan {
  readonly name: string;
  /** Its row in core/record/route-counts. The same name keeps it over every reload. */
  readonly slot: number;
  /** A request that one of them matches takes this route. Never empty. */
  readonly matches: readonly MatchPlan[];
  /** The versions that answer: one of them each request. Empty where `answer` is set. */
  readonly primaries: readonly PrimaryPlan[];
  /** What decides among several primaries. */
  readonly split: SamplePlan;
  /**
   * Index of the version that answers what another primary was not given, because it can't be reached. Then
   * the answers of the primaries are also counted for this route alone. Null: there is none.
   */
  readonly fallback: number | null;
  /** The settings of rollouts that are started on this route; `to` may be ''. Null: the defaults. */
  readonly rollout: RolloutPlan | null;
  /** umbra answers itself and asks nobody. Null: a primary answers. */
  readonly answer: AnswerPlan | null;
  /** Another path and host for the primary. Null: those of the request. */
  readonly rewrite: PrimaryRewrite | null;
  /** Changes to the request for the primary, and to its response for the client. Null: there are none. */
  readonly headers: MessageEdits | null;
  /** Null: umbra says nothing of cross-origin requests. */
  readonly cors: CorsPlan | null;
  /** Null: nothing beyond what is safe by itself is sent twice. */
  readonly retries: RetryPlan | null;
  /** Null: requests are neither delayed nor refused on purpose. */
  readonly fault: FaultPlan | null;
  /** Protocols, in lower case, to which the primary may switch; an offer of another one is not passed. */
  readonly upgrades: readonly string[];
  /** Status of umbra's own answer where the primary can't be reached, or closes without one. */
  readonly unreachableStatus: 502 | 503;
  /** Time limits of exchanges with the primary. */
  readonly timeouts: TimeoutsPlan;
  /** Null: mirrors do not back off by themselves. */
  readonly guard: GuardPlan | null;
  readonly mirrors: readonly MirrorPlan[];
}

/** One version that answers on a route. */
export interface PrimaryPlan {
  /** Index into `versions`. */
  readonly version: number;
  /** Its part of the sum of all weights of the route; 0: it gets nothing. */
  readonly weight: number;
  /** Beside the route's, for what this version gets and answers; applied after those. */
  readonly headers: MessageEdits | null;
}

/** What umbra answers by itself. */
export type AnswerPlan =
  | {
      readonly kind: 'redirect';
      readonly status: number;
      /** Null: that of the request, as with `host` and `port`. */
      readonly scheme: 'http' | 'https' | null;
      readonly host: string | null;
      /**
       * Null: the scheme's where scheme or host is another one, else the request's. `listener`: that of the
       * listener that received the request.
       */
      readonly port: number | 'listener' | null;
      /** Null: the path stays. The query always does. */
      readonly path: PathChange | null;
    }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly body: string;
      /** Names are lower case; values may have commands. */
      readonly headers: readonly (readonly [name: string, value: string])[];
    };

/** When a request is sent to its primary again, before anything of a response went to the client. */
export interface RetryPlan {
  /** Beyond the first. */
  readonly attempts: number;
  /**
   * Time limit from an attempt's beginning to the head of its response; 0: the route's times alone bound it.
   */
  readonly perTryTimeoutMs: number;
  readonly on: readonly RetryCondition[];
}

/**
 * In Envoy's words, or a status code. `connect`: no connection, so nothing was delivered. `reset`: no answer,
 * or none in time.
 */
export type RetryCondition =
  | 'connect'
  | 'reset'
  | '5xx'
  | 'gateway-error'
  | 'retriable-4xx'
  | 'cancelled'
  | 'deadline-exceeded'
  | 'internal'
  | 'resource-exhausted'
  | 'unavailable'
  | number;

/** What is done to requests on purpose, to see how clients bear it. */
export interface FaultPlan {
  readonly delay: { readonly shareMillionths: number; readonly delayMs: number } | null;
  readonly abort: AbortPlan | null;
}

export interface AbortPlan {
  readonly shareMillionths: number;
  readonly status: number;
  /** The number that gRPC clients get; -1: the one that `status` stands for. */
  readonly grpcStatus: number;
}

/** When mirrors of a route back off because its primary got worse (core/mirror/guard). */
export interface GuardPlan {
  /** How far the primary's p99 may rise above its base line, as a share of that. */
  readonly p99Millionths: number;
  /** How far its share of errors may. */
  readonly errorMillionths: number;
  readonly windowMs: number;
  /** How long it must be good for the first step back. */
  readonly recoverMs: number;
}

/** The mirrors of a route with their baselines, each after its mirror. */
export function mirrorsWithBaselines(
  route: RoutePlan,
): { mirror: MirrorPlan; baselineOf: MirrorPlan | null }[] {
  return route.mirrors.flatMap((mirror) => {
    const baseline = mirror.compare.structure?.baseline ?? null;
    const own = { mirror, baselineOf: null };
    return baseline === null ? [own] : [own, { mirror: baseline, baselineOf: mirror }];
  });
}

/** The names of the versions that answer on a route: those that get requests, or all where none does. */
export function primaryNames(route: RoutePlan, versions: readonly VersionPlan[]): string[] {
  const weighty = route.primaries.filter(({ weight }) => weight > 0);
  return (weighty.length > 0 ? weighty : route.primaries).map(({ version }) => versions[version].name);
}

/**
 * The names of those that a mirror to `to` is compared with: the others that answer, or would if they had a
 * weight.
 */
export function primariesBeside(route: RoutePlan, versions: readonly VersionPlan[], to: string): string[] {
  const answering = primaryNames(route, versions).filter((name) => name !== to);
  if (answering.length > 0) return answering;
  return route.primaries.map(({ version }) => versions[version].name).filter((name) => name !== to);
}
