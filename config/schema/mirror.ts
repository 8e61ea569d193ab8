/** `mirrors` of a route: what is copied, to whom, and within which bounds. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import type { HostPolicy } from '../../core/plan.js';
import { parseAuthority } from '../address.js';
import { formatTarget, parseTarget } from '../sink-target.js';
import { formatSubstitution, parseSubstitution } from '../substitution.js';
import { Refusal } from '../units.js';
import { compare } from './compare.js';
import { requestEdits } from './edits.js';
import { parsePath } from './path-change.js';
import { recording } from './recording.js';
import { sample } from './sample.js';
import { stream } from './stream.js';
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
    description: 'Takes the place of the path or prefix that the route matches.',
  }),
  regex: regex.optional().meta({
    description:
      'A JavaScript regular expression that must match the whole path; other paths stay. With `substitution`.',
  }),
  substitution: text('expected a path', parsePath).optional().meta({
    description: 'The path of the copy; $1 to $9 or \\1 to \\9 stand for groups.',
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
      'What decides: random, client (its address), header:NAME or cookie:NAME. The same key always gets the same answer.',
  }),
  methods: mirroredMethods
    .prefault('all')
    .meta({ description: 'all, safe (GET, HEAD, OPTIONS, TRACE) or a list.' }),
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
  headers: requestEdits
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
        'Most bytes of requests that are held because the shadow does not take them, over all threads. More are dropped, and counted.',
    }),
  response: mapping({
    max: size
      .prefault('64MiB')
      .meta({ description: 'A response with a larger body is cut off, and counted as failed.' }),
  })
    .prefault({})
    .meta({ description: "Bounds on the shadow's responses." }),
  breaker: mapping({
    failures: share
      .refine((millionths) => millionths > 0, { error: 'must be above 0' })
      .prefault('50%')
      .meta({ description: 'The share of copies that fail within the window, from which on it opens.' }),
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
    .meta({ description: 'Most copies that may be under way at once, over all threads.' }),
  timeout: positiveDuration
    .prefault('5s')
    .meta({ description: 'How long the whole mirrored exchange may take.' }),
  firstByteTimeout: positiveDuration.optional().meta({
    description: "How long the shadow may take from the copy's last byte to the head of its response.",
  }),
  recording: recording.prefault({}).meta({ description: 'How a mirror to file:DIRECTORY records.' }),
  stream: stream.prefault({}).meta({ description: 'How a mirror to nats://host:4222/subject publishes.' }),
  compare: compare.optional().meta({
    description:
      'How responses are compared. Without it: status, size and latency of every pair; off compares nothing.',
  }),
});
