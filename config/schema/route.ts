/** `routes`: requests, the primaries that answer them, their changes, and their mirrors. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { parseAuthority } from '../address.js';
import { isToken } from '../fields.js';
import { parseName } from '../names.js';
import { Refusal } from '../units.js';
import { redirect, respond } from './answer.js';
import { cors } from './cors.js';
import { messageEdits } from './edits.js';
import { fault } from './fault.js';
import { guard } from './guard.js';
import { match } from './match.js';
import { mirror } from './mirror.js';
import { pathChange } from './path-change.js';
import { primary } from './primary.js';
import { retries } from './retries.js';
import { rollout } from './rollout.js';
import { sample } from './sample.js';
import { routeTimeouts, timeout } from './timeouts.js';
import { form, key, list, mapping, mappingExpected, name, positiveDuration, text } from './values.js';

const matches = z.union(
  [
    form(
      match,
      (one) => [one],
      (all) => (all.length === 1 ? all[0] : new Refusal('is a list')),
    ),
    list(match, 'expected a mapping, or a list of at least one', limits.routes),
  ],
  { error: 'expected a mapping, or a list of at least one' },
);

const upgradeExpected = 'expected the name of a protocol such as websocket';

function parseUpgrade(name: string): string | Refusal {
  const lower = name.toLowerCase();
  if (lower === 'h2c')
    return new Refusal('is never forwarded: it would open a tunnel past routes and limits');
  return lower.split('/').every(isToken) ? lower : new Refusal(upgradeExpected);
}

/** The ways to answer a request. A route has exactly one of them. */
const ways = ['primary', 'redirect', 'respond'] as const;

export const route = mapping({
  name: name.optional().meta({
    description: 'Names the route in metrics and in the admin API. Default: route-1, route-2, …',
  }),
  match: matches.prefault({}).meta({
    description:
      'Requests of this route; all parts must match. In a list, one item must match. Default: every request.',
  }),
  primary: primary.optional().meta({
    description: 'The version that answers the client, or several with their weights: { v1: 99, v2: 1 }.',
  }),
  redirect: redirect.optional().meta({
    description: 'Answers with a redirect instead of a primary. Nothing is mirrored.',
  }),
  respond: respond.optional().meta({
    description: 'Answers with a fixed response instead of a primary. Nothing is mirrored.',
  }),
  split: sample.prefault('random').meta({
    description:
      'How one of several primaries is chosen: random, client (its address), header:NAME or cookie:NAME. The same key always gets the same version while the weights stay the same.',
  }),
  rewrite: mapping({
    path: pathChange.optional().meta({
      description:
        'Another path: { prefix, to }, { regex, to } or { set }. The query and the path of copies are kept.',
    }),
    host: text('expected a host name', parseAuthority)
      .optional()
      .meta({ description: 'The Host that the primary gets.' }),
  })
    .optional()
    .meta({ description: 'Another path and host for the primary.' }),
  headers: messageEdits.optional().meta({
    description:
      'Changes to the fields of the request for the primary, and of its response, each in the order remove, set, add.',
  }),
  versionHeaders: z.record(key(parseName), messageEdits, { error: mappingExpected }).optional().meta({
    description: 'The same for single primaries, by name; applied after those of the route.',
  }),
  cors: cors.optional().meta({
    description: 'Pages of other origins that may use the route. Off unless set: the version decides.',
  }),
  retries: retries
    .optional()
    .meta({ description: 'Sends failed requests to the primary again. Off unless set.' }),
  unreachable: z.literal([502, 503], { error: 'expected 502 or 503' }).prefault(502).meta({
    description:
      "The status of umbra's own answer where the primary can't be reached, or closes without a response; Envoy's is 503.",
  }),
  fault: fault
    .optional()
    .meta({ description: 'Delays requests or answers them with an error on purpose, to test clients.' }),
  upgrades: z
    .array(text(upgradeExpected, parseUpgrade), { error: 'expected a list of protocols' })
    .prefault(['websocket'])
    .meta({
      description:
        'Protocols that clients may upgrade to. Other offers are removed from the request. h2c is never forwarded.',
    }),
  timeout: timeout
    .prefault('15s')
    .meta({ description: 'Short form of `timeouts.request`, which takes precedence.' }),
  timeouts: routeTimeouts.meta({
    description: 'Timeouts of the exchange with the primary; off or 0 for none.',
  }),
  firstByteTimeout: positiveDuration.optional().meta({
    description:
      "How long the primary may take from the request's last byte to the head of its response, for one attempt.",
  }),
  guard: guard.optional().meta({
    description: 'The guard of this route, instead of the global one; `off` for none.',
  }),
  rollout: rollout.optional().meta({
    description:
      'How `umbra rollout start` moves this route to another version. It starts nothing by itself.',
  }),
  mirrors: z
    .array(mirror, { error: 'expected a list of mirrors' })
    .max(limits.mirrorSlots, { error: `has more than ${limits.mirrorSlots} items` })
    .prefault([])
    .meta({ description: 'Targets of copies; each version at most once, and never the only primary.' }),
}).check((context) => {
  const given = ways.filter((way) => context.value[way] !== undefined);
  if (given.length === 1) return;
  const { issues, value } = context;
  if (given.length === 0)
    issues.push({ code: 'custom', message: 'is missing', input: value, path: ['primary'] });
  else
    issues.push({ code: 'custom', message: `has ${given.join(' and ')}: one of them answers`, input: value });
});
