/** Compiles how a route's requests are handled: who answers, what is changed, and what is sent again. */
import { GrpcStatus, grpcStatusOfName, httpStatusOfGrpc } from '../core/grpc/grpc-status.js';
import type {
  AbortPlan,
  AnswerPlan,
  CorsPlan,
  FaultPlan,
  HeaderEdits,
  MessageEdits,
  PathChange,
  RetryPlan,
  RoutePlan,
} from '../core/plan.js';
import type { PathChangeConfig } from './schema/path-change.js';
import type { RouteConfig } from './schema.js';

type AbortConfig = NonNullable<NonNullable<RouteConfig['fault']>['abort']>;

const msPerSecond = 1000;

type Way = Pick<
  RoutePlan,
  'primaries' | 'split' | 'answer' | 'rewrite' | 'headers' | 'cors' | 'retries' | 'fault'
>;

export function compileWay(route: RouteConfig, versions: ReadonlyMap<string, number>): Way {
  const { rewrite, headers, versionHeaders = {} } = route;
  const ignoreCase = route.match.some(({ path }) => path?.ignoreCase === true);
  return {
    primaries: (route.primary ?? []).map(({ version, weight }) => ({
      version: versions.get(version)!,
      weight,
      headers: compileMessageEdits(versionHeaders[version]),
    })),
    split: route.split,
    answer: compileAnswer(route, ignoreCase),
    rewrite:
      rewrite === undefined || (rewrite.path === undefined && rewrite.host === undefined)
        ? null
        : { path: compilePathChange(rewrite.path, ignoreCase), host: rewrite.host ?? null },
    headers: compileMessageEdits(headers),
    cors: route.cors === undefined ? null : compileCors(route.cors),
    retries: compileRetries(route.retries),
    fault: compileFault(route.fault),
  };
}

function compileAnswer({ redirect, respond }: RouteConfig, ignoreCase: boolean): AnswerPlan | null {
  if (redirect !== undefined) {
    const { status, scheme, host, port, path } = redirect;
    return {
      kind: 'redirect',
      status,
      scheme: scheme ?? null,
      host: host ?? null,
      port: port ?? null,
      path: compilePathChange(path, ignoreCase),
    };
  }
  if (respond === undefined) return null;
  return { kind: 'respond', ...respond };
}

/**
 * `compilePathChange` uses the route's `ignoreCase`, because a prefix is replaced as the route matched it.
 */
function compilePathChange(change: PathChangeConfig | undefined, ignoreCase: boolean): PathChange | null {
  if (change === undefined) return null;
  if ('set' in change) return { kind: 'set', value: change.set };
  if ('prefix' in change) return { kind: 'prefix', prefix: change.prefix, value: change.to, ignoreCase };
  return { kind: 'regex', pattern: change.regex, substitution: change.to, whole: false };
}

interface EditsConfig {
  readonly remove?: readonly string[] | undefined;
  readonly set?: readonly (readonly [string, string])[] | undefined;
  readonly add?: readonly (readonly [string, string])[] | undefined;
}

export function compileEdits({ remove, set, add }: EditsConfig): HeaderEdits {
  return { remove: [...new Set(remove ?? [])], set: set ?? [], add: add ?? [] };
}

/** `compileMessageEdits` returns null for edits that change nothing. */
function compileMessageEdits(
  edits:
    | { readonly request?: EditsConfig | undefined; readonly response?: EditsConfig | undefined }
    | undefined,
): MessageEdits | null {
  const request = editsOrNull(edits?.request);
  const response = editsOrNull(edits?.response);
  return request === null && response === null ? null : { request, response };
}

function editsOrNull(given: EditsConfig | undefined): HeaderEdits | null {
  const edits = compileEdits(given ?? {});
  return edits.remove.length + edits.set.length + edits.add.length === 0 ? null : edits;
}

function compileCors({ origins, maxAge, unmatched, ...cors }: NonNullable<RouteConfig['cors']>): CorsPlan {
  return {
    ...cors,
    origins,
    maxAgeS: maxAge === undefined ? null : Math.floor(maxAge / msPerSecond),
    forwardsUnmatched: unmatched === 'forward',
  };
}

function compileRetries(retries: RouteConfig['retries']): RetryPlan | null {
  if (retries === undefined) return null;
  return {
    attempts: retries.attempts,
    perTryTimeoutMs: retries.perTryTimeout ?? 0,
    on: [...new Set(retries.on)],
  };
}

function compileFault(fault: RouteConfig['fault']): FaultPlan | null {
  if (fault === undefined || (fault.delay === undefined && fault.abort === undefined)) return null;
  const { delay, abort } = fault;
  return {
    delay: delay === undefined ? null : { shareMillionths: delay.percent, delayMs: delay.for },
    abort: abort === undefined ? null : compileAbort(abort),
  };
}

function compileAbort({ percent, status, grpcStatus }: AbortConfig): AbortPlan {
  if (grpcStatus === undefined)
    return { shareMillionths: percent, status: status!, grpcStatus: GrpcStatus.NONE };
  const grpc = grpcStatusOfName(grpcStatus);
  return { shareMillionths: percent, status: httpStatusOfGrpc(grpc), grpcStatus: grpc };
}
