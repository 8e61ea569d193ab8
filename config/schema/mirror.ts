/** `mirrors` of a route: what is copied, to whom, and within which bounds. */
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

/** Less would drop bodies that arrive in one piece. */
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
      'Takes the place of the path or prefix that the route matches (without one: comes before the path). A slash at the seam is neither doubled nor lost.',
  }),
  regex: regex.optional().meta({
    description:
      'A regular expression of RE2 that must match the whole path; other paths stay. With `substitution`.',
  }),
  substitution: text('expected a path', parsePath).optional().meta({
    description: 'What such a path becomes; `$1` to `$9`, or `\\1` to `\\9`, stand for groups.',
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
      'The version that gets the copies (the shadow); or file:DIRECTORY, relative to the configuration file, where they are recorded; or nats://host:4222/subject, a stream of JetStream that `umbra shadow` takes them from.',
  }),
  enabled: z
    .boolean({ error: 'expected true or false' })
    .prefault(true)
    .meta({ description: 'Turns the mirror off without removing it.' }),
  percent: share
    .prefault(100)
    .meta({ description: 'The share of requests that are copied, 0 to 100, in steps of 0.0001.' }),
  sample: sample.prefault('random').meta({
    description:
      'What decides. With a key, the same key always gets the same answer, and a larger percentage keeps the keys of a smaller one.',
  }),
  methods: mirroredMethods
    .prefault('all')
    .meta({ description: 'all, safe (GET, HEAD, OPTIONS, TRACE) or a list.' }),
  of: z
    .enum(['original', 'forwarded'], { error: 'expected original or forwarded' })
    .prefault('original')
    .meta({
      description:
        "What is copied: the client's request, or what the primary gets, with the route's changes of path, host and fields. The mirror's own changes come after.",
    }),
  order: order.prefault('off').meta({
    description:
      'Copies with one key go out one after the other, each once the one before it was answered: client (its address), connection, header:NAME or cookie:NAME. For a shadow with a store of its own; off sends each as it comes.',
  }),
  host: hostPolicy.prefault('shadow').meta({
    description:
      "The Host of the copy: shadow appends -shadow to the name, preserve keeps it, endpoint sends the endpoint's, { set: name } sends name.",
  }),
  rewrite: rewrite.optional().meta({
    description: 'Another path for the copy: { prefix } or { regex, substitution }. The query stays.',
  }),
  trace: z.enum(['keep', 'drop', 'new'], { error: 'expected keep, drop or new' }).prefault('keep').meta({
    description:
      'The fields that name a trace (traceparent, tracestate, b3, x-b3-*) or a request (x-request-id): kept, left out, or with new ids, so that the copy is a trace of its own.',
  }),
  headers: copyEdits
    .prefault({})
    .meta({ description: 'Changes to the copy alone, in the order remove, set, add.' }),
  body: mapping({
    max: size.prefault('1MiB').meta({
      description: 'A request with a larger body is not mirrored, and counted; the primary is untouched.',
    }),
  })
    .prefault({})
    .meta({ description: 'Bounds on the bodies that are copied.' }),
  memory: size
    .refine((bytes) => bytes >= memoryMin, { error: 'expected a size of at least 64KiB' })
    .prefault('64MiB')
    .meta({
      description:
        'Most bytes of requests held for a shadow that does not take them, over all threads; more are dropped or given up (`memory`). At least 64KiB.',
    }),
  response: mapping({
    max: size.prefault('64MiB').meta({
      description:
        'A longer response of the shadow is cut off and its connection closed; the copy fails (`response-too-large`).',
    }),
  })
    .prefault({})
    .meta({ description: "Bounds on the shadow's responses." }),
  breaker: mapping({
    failures: share
      .refine((millionths) => millionths > 0, { error: 'must be above 0' })
      .prefault('50%')
      .meta({
        description: 'The share of failed copies in the window at which it opens; judged from 10 results on.',
      }),
    window: positiveDuration.prefault('10s').meta({ description: 'How far it looks back.' }),
    cooldown: positiveDuration
      .prefault('5s')
      .meta({ description: 'How long it stays open before one copy is tried again.' }),
  })
    .optional()
    .meta({
      description: 'Gives a shadow that fails most copies a rest. Without it each copy is tried.',
    }),
  rate: rate
    .optional()
    .meta({ description: 'Most copies per second, over all threads. Without it there is no limit.' }),
  pipelining: integer(1, limits.pipelining).prefault(1).meta({
    description:
      'Requests without a body and with a safe method that may be under way on one connection at a time, for a shadow that takes them so. 1: none is put behind another.',
  }),
  inFlight: integer(1, limits.openMirroredExchanges)
    .prefault(256)
    .meta({ description: 'Most copies under way at once over all threads; more are dropped (`in-flight`).' }),
  timeout: timeout.optional().meta({ description: 'The same as `timeouts.request`, which goes before it.' }),
  timeouts: mirrorTimeouts.meta({
    description: "How long the copy's exchange may take. What is not given here is the route's.",
  }),
  firstByteTimeout: positiveDuration.optional().meta({
    description: "How long the shadow may take from the copy's last byte to the head of its response.",
  }),
  recording: recording.prefault({}).meta({
    description:
      'With `to: file:DIRECTORY` alone: how copies are recorded. All mirrors to one directory have the same, but for `responses`.',
  }),
  stream: stream.prefault({}).meta({
    description:
      'With `to: nats://…` alone: how copies are published. All mirrors to one subject have the same, but for `primary`.',
  }),
  compare: compare.optional().meta({
    description:
      'How responses are compared: see comparing. Without it status, size and latency of every pair; `off` compares nothing.',
  }),
});
