/** `mirrors` of a route: what is copied, where to, and within which bounds. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import type { HostPolicy } from '../../core/plan.js';
import { parseAuthority } from '../address.js';
import { formatTarget, parseTarget } from '../sink-target.js';
import { formatSubstitution, parseSubstitution } from '../substitution.js';
import { Refusal } from '../units.js';
import { compare } from './compare.js';
import { copyEdits } from './edits.js';
import { order } from './order.js';
import { parsePath } from './path-change.js';
import { recording } from './recording.js';
import { sample } from './sample.js';
import { stream } from './stream.js';
import { mirrorTimeouts, timeout } from './timeouts.js';
import {
  form,
  integer,
  list,
  mapping,
  method,
  positiveDuration,
  rate,
  regex,
  share,
  size,
  text,
} from './values.js';

/** A smaller value would drop bodies that arrive in one piece. */
const memoryMin = 64 * 1024;

const mirroredMethods = z.union([z.enum(['all', 'safe']), list(method, 'expected a list of methods')], {
  error: 'expected all, safe or a list of methods such as [GET, POST]',
});

const hostPolicy = z.union(
  [
    form(
      z.enum(['shadow', 'preserve', 'endpoint']),
      (kind): HostPolicy => ({ kind }),
      (policy) => (policy.kind === 'set' ? new Refusal('is a name') : policy.kind),
    ),
    form(
      mapping({
        set: text('expected a host name', parseAuthority).meta({
          description: 'The Host that the copy is sent with.',
        }),
      }),
      ({ set }): HostPolicy => ({ kind: 'set', value: set }),
      (policy) => (policy.kind === 'set' ? { set: policy.value } : new Refusal('is a policy')),
    ),
  ],
  { error: 'expected shadow, preserve, endpoint or { set: name }' },
);

const rewriteExpected = 'expected { prefix: PATH } or { regex: PATTERN, substitution: PATH }';
const rewriteWritten = mapping({
  prefix: text('expected a path', parsePath).optional().meta({
    description:
      'Replaces the path or prefix that the route matches, or is put before the path if the route matches none. A slash where both meet is neither doubled nor lost.',
  }),
  regex: regex.optional().meta({
    description:
      'A regular expression of RE2 that must match the whole path; other paths are kept. Needs `substitution`.',
  }),
  substitution: text('expected a path', parsePath).optional().meta({
    description: 'The new path; `$1` to `$9`, or `\\1` to `\\9`, stand for groups.',
  }),
});

function readRewrite({ prefix, regex, substitution }: z.output<typeof rewriteWritten>): Rewrite | Refusal {
  if (prefix !== undefined && regex === undefined && substitution === undefined) return { prefix };
  if (prefix !== undefined || regex === undefined || substitution === undefined)
    return new Refusal(rewriteExpected);
  const parsed = parseSubstitution(substitution, regex);
  return parsed instanceof Refusal
    ? new Refusal(parsed.reason, ['substitution'])
    : { regex, substitution: parsed };
}

const rewrite = form(rewriteWritten, readRewrite, (given) =>
  'regex' in given ? { ...given, substitution: formatSubstitution(given.substitution) } : given,
);

type Rewrite = { readonly prefix: string } | { readonly regex: string; readonly substitution: string };

export const mirror = mapping({
  to: text('expected a name', parseTarget, formatTarget).meta({
    description:
      'The version that receives the copies (the shadow); or file:DIRECTORY, relative to the configuration file, to record them; or nats://host:4222/subject, a JetStream stream that `umbra shadow` reads.',
  }),
  enabled: z
    .boolean({ error: 'expected true or false' })
    .prefault(true)
    .meta({ description: 'Whether the mirror is on.' }),
  percent: share
    .prefault(100)
    .meta({ description: 'The share of requests that are copied, 0 to 100, in steps of 0.0001.' }),
  sample: sample.prefault('random').meta({
    description:
      'How requests are chosen. With a key, the same key is always chosen or never, and a larger percentage includes the keys of a smaller one.',
  }),
  methods: mirroredMethods
    .prefault('all')
    .meta({ description: 'all, safe (GET, HEAD, OPTIONS, TRACE) or a list.' }),
  of: z
    .enum(['original', 'forwarded'], { error: 'expected original or forwarded' })
    .prefault('original')
    .meta({
      description:
        "What is copied: the client's request, or what the primary gets, with the route's changes of path, host and fields. The mirror's own changes are applied afterwards.",
    }),
  order: order.prefault('off').meta({
    description:
      'Copies with the same key are sent one after the other, each after the previous response: client (its address), connection, header:NAME or cookie:NAME. For shadows with their own data; `off` sends each at once.',
  }),
  host: hostPolicy.prefault('shadow').meta({
    description:
      "The Host of the copy: shadow appends -shadow to the name, preserve keeps it, endpoint sends the endpoint's, { set: name } sends name.",
  }),
  rewrite: rewrite.optional().meta({
    description: 'Another path for the copy: { prefix } or { regex, substitution }. The query is kept.',
  }),
  trace: z.enum(['keep', 'drop', 'new'], { error: 'expected keep, drop or new' }).prefault('keep').meta({
    description:
      'Fields of a trace (traceparent, tracestate, b3, x-b3-*) and of a request (x-request-id): kept, removed, or given new ids, so that the copy has its own trace.',
  }),
  headers: copyEdits
    .prefault({})
    .meta({ description: 'Changes to the copy only, in the order remove, set, add.' }),
  body: mapping({
    max: size.prefault('1MiB').meta({
      description:
        'Maximum body of a copy. A request with a larger one is not mirrored, and counted; the primary is not affected.',
    }),
  })
    .prefault({})
    .meta({ description: 'Bounds on the bodies that are copied.' }),
  memory: size
    .refine((bytes) => bytes >= memoryMin, { error: 'expected a size of at least 64KiB' })
    .prefault('64MiB')
    .meta({
      description:
        'Maximum bytes of requests that are held for a slow shadow, over all threads; above it copies are dropped or fail (`memory`). At least 64KiB.',
    }),
  response: mapping({
    max: size.prefault('64MiB').meta({
      description:
        'Maximum response of the shadow. A larger one is cut off, its connection is closed, and the copy fails (`response-too-large`).',
    }),
  })
    .prefault({})
    .meta({ description: "Bounds on the shadow's responses." }),
  breaker: mapping({
    failures: share
      .refine((millionths) => millionths > 0, { error: 'must be above 0' })
      .prefault('50%')
      .meta({
        description: 'The share of failed copies in the window that opens the breaker, from 10 results on.',
      }),
    window: positiveDuration.prefault('10s').meta({ description: 'Time over which failures are counted.' }),
    cooldown: positiveDuration.prefault('5s').meta({ description: 'Time before one copy is tried again.' }),
  })
    .optional()
    .meta({
      description: 'Stops copies to a shadow that fails most of them. Without it every copy is tried.',
    }),
  rate: rate
    .optional()
    .meta({ description: 'Maximum copies per second, over all threads. Default: no limit.' }),
  pipelining: integer(1, limits.pipelining).prefault(1).meta({
    description:
      'Maximum pipelined requests on one connection, for requests with a safe method and no body, if the shadow supports pipelining. 1: no pipelining.',
  }),
  inFlight: integer(1, limits.openMirroredExchanges).prefault(256).meta({
    description: 'Maximum copies in flight over all threads; further ones are dropped (`in-flight`).',
  }),
  timeout: timeout
    .optional()
    .meta({ description: 'Short form of `timeouts.request`, which takes precedence.' }),
  timeouts: mirrorTimeouts.meta({
    description: "Timeouts of the copy's exchange. Default: those of the route.",
  }),
  firstByteTimeout: positiveDuration.optional().meta({
    description: "How long the shadow may take from the copy's last byte to the head of its response.",
  }),
  recording: recording.prefault({}).meta({
    description:
      'Only with `to: file:DIRECTORY`: how copies are recorded. All mirrors to one directory need the same settings, except `responses`.',
  }),
  stream: stream.prefault({}).meta({
    description:
      'Only with `to: nats://…`: how copies are published. All mirrors to one subject need the same settings, except `primary`.',
  }),
  compare: compare.optional().meta({
    description:
      'Comparison of responses (docs/comparing.md). Default: status, size and latency of every pair; `off` compares nothing.',
  }),
});
