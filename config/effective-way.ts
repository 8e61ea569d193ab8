/** What becomes of a route's requests, told in the words of a configuration file. */
import type {
  AnswerPlan,
  FaultPlan,
  HeaderEdits,
  MessageEdits,
  PathChange,
  RetryPlan,
  RoutePlan,
  SamplePlan,
  VersionPlan,
} from '../core/plan.js';
import { type Redaction, redacted } from '../core/redact.js';
import { formatSubstitution } from './substitution.js';
import { formatDuration, percentOfShare } from './units.js';

export function wayOf(route: RoutePlan, versions: readonly VersionPlan[], redaction: Redaction): object {
  const { answer, primaries, rewrite, headers, retries, fault } = route;
  const name = (version: number): string => versions[version].name;
  const own = primaries.flatMap((one) =>
    one.headers === null ? [] : [[name(one.version), messageEditsOf(one.headers, redaction)]],
  );
  return {
    ...(answer === null ? primaryOf(route, name) : answerOf(answer, redaction)),
    ...(rewrite === null
      ? {}
      : {
          rewrite: {
            ...(rewrite.path === null ? {} : { path: pathChangeOf(rewrite.path) }),
            ...(rewrite.host === null ? {} : { host: rewrite.host }),
          },
        }),
    ...(headers === null ? {} : { headers: messageEditsOf(headers, redaction) }),
    ...(own.length === 0 ? {} : { versionHeaders: Object.fromEntries(own) }),
    ...(retries === null ? {} : { retries: retriesOf(retries) }),
    ...(fault === null ? {} : { fault: faultOf(fault) }),
  };
}

function primaryOf({ primaries, split }: RoutePlan, name: (version: number) => string): object {
  const one = primaries.length === 1 && primaries[0].weight === 1;
  const weights = Object.fromEntries(primaries.map(({ version, weight }) => [name(version), weight]));
  return {
    primary: one ? name(primaries[0].version) : weights,
    ...(split.by === 'random' ? {} : { split: sampleOf(split) }),
  };
}

function answerOf(answer: AnswerPlan, redaction: Redaction): object {
  if (answer.kind === 'respond') {
    const { status, body, headers } = answer;
    return { respond: { status, body, headers: fieldsOf(headers, redaction) } };
  }
  const { status, scheme, host, port, path } = answer;
  return {
    redirect: {
      status,
      ...(scheme === null ? {} : { scheme }),
      ...(host === null ? {} : { host }),
      ...(port === null ? {} : { port }),
      ...(path === null ? {} : { path: pathChangeOf(path) }),
    },
  };
}

function pathChangeOf(change: PathChange): object {
  if (change.kind === 'set') return { set: change.value };
  if (change.kind === 'prefix') return { prefix: change.prefix, to: change.value };
  return { regex: change.pattern, to: formatSubstitution(change.substitution) };
}

function retriesOf({ attempts, perTryTimeoutMs, on }: RetryPlan): object {
  return {
    attempts,
    ...(perTryTimeoutMs === 0 ? {} : { perTryTimeout: formatDuration(perTryTimeoutMs) }),
    on,
  };
}

function faultOf({ delay, abort }: FaultPlan): object {
  return {
    ...(delay === null
      ? {}
      : { delay: { percent: percentOfShare(delay.shareMillionths), for: formatDuration(delay.delayMs) } }),
    ...(abort === null
      ? {}
      : { abort: { percent: percentOfShare(abort.shareMillionths), status: abort.status } }),
  };
}

export function sampleOf(sample: SamplePlan): string {
  return 'name' in sample ? `${sample.by}:${sample.name}` : sample.by;
}

function messageEditsOf({ request, response }: MessageEdits, redaction: Redaction): object {
  return {
    ...(request === null ? {} : { request: headersOf(request, redaction) }),
    ...(response === null ? {} : { response: headersOf(response, redaction) }),
  };
}

export function headersOf({ remove, set, add }: HeaderEdits, redaction: Redaction): object {
  return {
    ...(remove.length === 0 ? {} : { remove }),
    ...(set.length === 0 ? {} : { set: fieldsOf(set, redaction) }),
    ...(add.length === 0 ? {} : { add: fieldsOf(add, redaction) }),
  };
}

function fieldsOf(fields: readonly (readonly [name: string, value: string])[], redaction: Redaction): object {
  return Object.fromEntries(
    fields.map(([name, value]) => [name, redaction.hidesField(name) ? redacted : value]),
  );
}
