/**
 * The shape of a configuration: every key with its type, default and meaning. The descriptions feed
 * `config/schema.json`, which editors show. What concerns several places at once (a mirror's version must
 * exist) is in `check.ts`; the keys that are not built yet are in `not-yet.ts`.
 *
 * A default is written as a person would write it (`prefault`) and goes through the same parser.
 */
import { z } from 'zod';
import { limits } from '../core/limits.js';
import type { Address, EndpointPlan, HostPolicy, SamplePlan } from '../core/plan.js';
import { parseAddress, parseAuthority, parseEndpoint, parseHostMatch } from './address.js';
import {
  isToken,
  parseEditableFieldName,
  parseFieldValue,
  parseMatchableFieldName,
  parseMethod,
} from './fields.js';
import { parseRegex } from './regex-safety.js';
import {
  durationPattern,
  formatSize,
  parseDuration,
  parseRate,
  parseShare,
  parseSize,
  percentPattern,
  Refusal,
  ratePattern,
  sizePattern,
} from './units.js';

const textExpected = 'expected text';
const nameLengthMax = 128;
const textLengthMax = 4096;
const connectionsMax = 65_535;
const ringBytesMin = 64 * 1024;
const ringBytesMax = 1024 * 1024 * 1024;

/** Text that `parse` turns into what umbra works with. */
function text<T>(expected: string, parse: (text: string) => T | Refusal) {
  return z.string({ error: expected }).transform((value, context): T => {
    const parsed: T | Refusal =
      value.length > textLengthMax ? new Refusal(`is longer than ${textLengthMax} characters`) : parse(value);
    if (!(parsed instanceof Refusal)) return parsed;
    context.issues.push({ code: 'custom', message: parsed.reason, input: value });
    return z.NEVER;
  });
}

/** A record's key; what it becomes is decided when the record is read. */
function key(parse: (text: string) => string | Refusal) {
  return z.string().check((context) => {
    const parsed = parse(context.value);
    if (parsed instanceof Refusal)
      context.issues.push({ code: 'custom', message: parsed.reason, input: context.value });
  });
}

function integer(min: number, max: number, error = `expected a whole number from ${min} to ${max}`) {
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function list<T extends z.ZodType>(item: T, expected: string, max: number = limits.routes) {
  return z
    .array(item, { error: expected })
    .min(1, { error: expected })
    .max(max, { error: `has more than ${max} items` });
}

function mapping<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, { error: mappingExpected });
}
const mappingExpected = 'expected a mapping';

/** Names stand in metrics, in admin URLs and on command lines. */
function parseName(name: string): string | Refusal {
  if (name.length <= nameLengthMax && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) return name;
  return new Refusal(`expected a name of letters, digits and ._- (at most ${nameLengthMax})`);
}

function parsePlain(value: string): string | Refusal {
  return value === '' || /\p{Cc}/u.test(value) ? new Refusal(textExpected) : value;
}

function parseMatchedPath(path: string): string | Refusal {
  if (/^\/[\x21-\x7e]*$/.test(path) && !/[?#]/.test(path)) return path;
  return new Refusal(
    'expected a path that begins with / and has no query; other characters are written in percent-encoding',
  );
}

function parseSample(sample: string): SamplePlan | Refusal {
  if (sample === 'random' || sample === 'client') return { by: sample };
  const [by, name] = sample.split(/:(.*)/s, 2);
  if ((by !== 'header' && by !== 'cookie') || name === undefined || !isToken(name))
    return new Refusal(sampleExpected);
  return { by, name: by === 'header' ? name.toLowerCase() : name };
}
const sampleExpected = 'expected random, client, header:NAME or cookie:NAME';

function parseRingSize(value: string): number | Refusal {
  const bytes = parseSize(value);
  if (bytes instanceof Refusal) return bytes;
  const powerOfTwo = Number.isInteger(Math.log2(bytes));
  return powerOfTwo && bytes >= ringBytesMin && bytes <= ringBytesMax ? bytes : new Refusal(ringExpected);
}
const ringExpected = 'expected a power of two from 64KiB to 1GiB';

function parseToken(token: string): string | Refusal {
  // It travels in a header field: `Authorization: Bearer …`.
  return /^[\x21-\x7e]{1,1024}$/.test(token)
    ? token
    : new Refusal('is not a token: 1 to 1024 visible ASCII characters without blanks');
}

const durationExpected = 'expected a duration such as 250ms, 15s, 5m or 1h';
/** Milliseconds. */
const duration = text(durationExpected, parseDuration).meta({ pattern: durationPattern.source });
const positiveDuration = text(durationExpected, (value) => {
  const ms = parseDuration(value);
  return ms === 0 ? new Refusal('must be longer than 0') : ms;
}).meta({ pattern: durationPattern.source });
/** Bytes. */
const size = text('expected a size such as 500B, 64KiB, 1MiB or 1GiB', parseSize).meta({
  pattern: sizePattern.source,
});
const rate = text('expected a rate such as 5000/s', parseRate).meta({ pattern: ratePattern.source });

const percentExpected = 'expected a percentage from 0 to 100 in steps of 0.0001, such as 25, 0.5 or 1%';
/** Millionths. */
const share = z
  .union(
    [
      z.number().min(0, { error: percentExpected }).max(100, { error: percentExpected }),
      z.string().meta({ pattern: percentPattern.source }),
    ],
    {
      error: percentExpected,
    },
  )
  .transform((value, context): number => {
    const millionths = parseShare(value);
    if (!(millionths instanceof Refusal)) return millionths;
    context.issues.push({ code: 'custom', message: millionths.reason, input: value });
    return z.NEVER;
  });

const method = text('expected a method such as GET', parseMethod);
const header = text('expected a header name', parseEditableFieldName);
const fieldValue = text('expected a header value', parseFieldValue);
const name = text('expected a name', parseName);
const file = text('expected the path of a file', parsePlain);

const address = text(
  'expected an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/umbra.sock',
  (value): Address | Refusal => parseAddress(value),
);

const engine = z
  .enum(['auto', 'uws', 'node'], { error: 'expected auto, uws or node' })
  .prefault('auto')
  .meta({
    description: 'What speaks HTTP with clients: uws (µWebSockets.js), node, or auto (uws where it loads).',
  });

const listenerObject = mapping({
  address: address.meta({ description: 'host:port, [::]:port or unix:/path. Port 0 takes a free port.' }),
  engine,
  tls: mapping({
    cert: file.meta({
      description: 'PEM file with the certificate and its chain, relative to the configuration file.',
    }),
    key: file.meta({ description: 'PEM file with the private key, relative to the configuration file.' }),
  })
    .optional()
    .meta({ description: 'Serves HTTPS with this certificate.' }),
});

const listener = z.union(
  [
    address.transform((value) => ({ address: value, engine: 'auto' as const, tls: undefined })),
    listenerObject,
  ],
  { error: 'expected an address, or a mapping with `address`' },
);

const admin = z.union(
  [
    z.literal(false).transform(() => null),
    z.literal('off').transform(() => null),
    mapping({
      address: address
        .prefault('127.0.0.1:9901')
        .meta({ description: 'Where the admin API, the metrics and the live page are served.' }),
      token: text('expected text', parseToken).optional().meta({
        description:
          'Asked for as `Authorization: Bearer …`. Required off loopback. Best taken from the environment.',
      }),
    }),
  ],
  { error: 'expected a mapping with `address`, or off' },
);

const threadsExpected = `expected auto or a whole number from 1 to ${limits.threads}`;
const threadCount = z.union([z.literal('auto'), integer(1, limits.threads, threadsExpected)], {
  error: threadsExpected,
});

const threads = mapping({
  proxy: threadCount
    .prefault('auto')
    .meta({ description: 'Threads that serve clients. auto: the cores less one, at least 1.' }),
  shadow: threadCount
    .prefault('auto')
    .meta({ description: 'Threads that talk to shadows. auto: a quarter of the cores, at least 1.' }),
  ring: text(ringExpected, parseRingSize).prefault(formatSize(limits.ringBytes)).meta({
    description:
      'Bytes of one ring between one proxy and one shadow thread: a power of two from 64KiB to 1GiB.',
    pattern: sizePattern.source,
  }),
});

const endpoint = text(
  'expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock',
  (value): EndpointPlan | Refusal => parseEndpoint(value),
);
const endpointsExpected = 'expected an endpoint or a list of them';
const endpoints = z.union([endpoint.transform((one) => [one]), list(endpoint, endpointsExpected)], {
  error: endpointsExpected,
});

const connections = mapping({
  max: integer(1, connectionsMax)
    .prefault(256)
    .meta({ description: 'Most connections that one thread opens to one endpoint.' }),
  idle: positiveDuration.prefault('60s').meta({ description: 'How long an unused connection is kept.' }),
  connectTimeout: positiveDuration
    .prefault('1s')
    .meta({ description: 'How long a connection may take to open.' }),
});

const version = z.union(
  [
    endpoints.transform((value) => ({ endpoints: value, connections: connections.parse({}) })),
    mapping({
      endpoints: endpoints.meta({
        description: 'http://host:port or unix:/path, one or a list; requests take turns.',
      }),
      connections: connections
        .prefault({})
        .meta({ description: 'The pool of connections to each endpoint.' }),
    }),
  ],
  { error: 'expected an endpoint, a list of them, or a mapping with `endpoints`' },
);

const regex = text('expected a regular expression', parseRegex);

/** A mapping of which exactly one key is given. */
function choice<T extends z.core.$ZodLooseShape>(shape: T) {
  const expected = `expected exactly one of ${Object.keys(shape).join(', ')}`;
  return mapping(shape)
    .check((context) => {
      const given = Object.values(context.value as object).filter((part) => part !== undefined);
      if (given.length !== 1)
        context.issues.push({ code: 'custom', message: expected, input: context.value });
    })
    .meta({ minProperties: 1, maxProperties: 1 });
}

const pathMatch = choice({
  exact: text('expected a path', parseMatchedPath)
    .optional()
    .meta({ description: 'The whole path, without the query.' }),
  prefix: text('expected a path', parseMatchedPath)
    .optional()
    .meta({ description: 'The beginning of the path.' }),
  regex: regex
    .optional()
    .meta({ description: 'A JavaScript regular expression that must match the whole path.' }),
});

const fieldMatch = choice({
  exact: fieldValue.optional().meta({ description: 'The whole value.' }),
  prefix: fieldValue.optional().meta({ description: 'The beginning of the value.' }),
  regex: regex
    .optional()
    .meta({ description: 'A JavaScript regular expression that must match the whole value.' }),
  present: z
    .literal(true, { error: 'expected true' })
    .optional()
    .meta({ description: 'Any value, as long as the field is there.' }),
});

const match = mapping({
  host: text('expected a host name', parseHostMatch)
    .optional()
    .meta({ description: 'Host name without port; *.example.com matches every name below example.com.' }),
  path: pathMatch.optional().meta({ description: 'The path of the target: exact, prefix or regex.' }),
  method: list(method, 'expected a list of methods such as [GET, HEAD]')
    .optional()
    .meta({ description: 'Methods.' }),
  header: z
    .record(key(parseMatchableFieldName), fieldMatch, { error: mappingExpected })
    .optional()
    .meta({ description: 'Header fields by name; all of them must match.' }),
});

/** Names in lower case, in the order given; one name in two spellings is refused. */
const edits = z
  .record(key(parseEditableFieldName), fieldValue, { error: mappingExpected })
  .transform((values, context): [name: string, value: string][] => {
    const pairs = new Map<string, string>();
    for (const [given, value] of Object.entries(values)) {
      const lower = given.toLowerCase();
      if (pairs.has(lower)) {
        context.issues.push({
          code: 'custom',
          message: 'is given twice in different spellings',
          input: given,
          path: [given],
        });
      }
      pairs.set(lower, value);
    }
    return [...pairs];
  });

const headers = mapping({
  set: edits.optional().meta({ description: 'Fields that replace those of the same name.' }),
  add: edits.optional().meta({ description: 'Fields that are added to those of the same name.' }),
  remove: list(header, 'expected a list of header names')
    .optional()
    .meta({ description: 'Fields that are left out.' }),
});

const mirroredMethods = z.union([z.enum(['all', 'safe']), list(method, 'expected a list of methods')], {
  error: 'expected all, safe or a list of methods such as [GET, POST]',
});

const hostPolicy = z.union(
  [
    z.enum(['shadow', 'preserve', 'endpoint']).transform((kind): HostPolicy => ({ kind })),
    mapping({
      set: text('expected a host name', parseAuthority).meta({
        description: 'The Host that the copy is sent with.',
      }),
    }).transform((host): HostPolicy => ({ kind: 'set', value: host.set })),
  ],
  { error: 'expected shadow, preserve, endpoint or { set: name }' },
);

const mirror = mapping({
  to: name.meta({ description: 'The version that gets the copies: the shadow.' }),
  enabled: z
    .boolean({ error: 'expected true or false' })
    .prefault(true)
    .meta({ description: 'Turns the mirror off without removing it.' }),
  percent: share
    .prefault(100)
    .meta({ description: 'The share of requests that are copied, 0 to 100, in steps of 0.0001.' }),
  sample: text(sampleExpected, parseSample).prefault('random').meta({
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
  headers: headers
    .prefault({})
    .meta({ description: 'Changes to the copy alone, in the order remove, set, add.' }),
  body: mapping({
    max: size.prefault('1MiB').meta({
      description: 'A request with a larger body is not mirrored, and counted; the primary is untouched.',
    }),
  })
    .prefault({})
    .meta({ description: 'Bounds on the bodies that are copied.' }),
  rate: rate
    .optional()
    .meta({ description: 'Most copies per second, over all threads. Without it there is no limit.' }),
  inFlight: integer(1, limits.openMirroredExchanges)
    .prefault(256)
    .meta({ description: 'Most copies that may be under way at once, over all threads.' }),
  timeout: positiveDuration
    .prefault('5s')
    .meta({ description: 'How long the whole mirrored exchange may take.' }),
});

const route = mapping({
  name: name.optional().meta({
    description: 'Names the route in metrics and in the admin API. Without it: route-1, route-2, …',
  }),
  match: match.prefault({}).meta({
    description: 'Which requests take this route; all parts must match. Without it: every request.',
  }),
  primary: name.meta({ description: 'The version that answers the client.' }),
  timeout: positiveDuration.prefault('15s').meta({
    description:
      "How long the exchange with the primary may take, from the request's first byte to the response's last.",
  }),
  mirrors: z
    .array(mirror, { error: 'expected a list of mirrors' })
    .max(limits.mirrorSlots, { error: `has more than ${limits.mirrorSlots} items` })
    .prefault([])
    .meta({ description: "Where copies of the route's requests go." }),
});

const accessLog = mapping({
  path: file
    .prefault('-')
    .meta({ description: 'The file, relative to the configuration file; `-` is standard output.' }),
  format: z
    .enum(['envoy', 'json'], { error: 'expected envoy or json' })
    .prefault('envoy')
    .meta({ description: 'How a line is written.' }),
  sample: share.prefault('100%').meta({ description: 'The share of exchanges that are logged.' }),
});

export const configSchema = mapping({
  listen: z
    .union([listener.transform((one) => [one]), list(listener, 'expected a list of listeners')], {
      error: 'expected a list of listeners',
    })
    .prefault([{ address: '127.0.0.1:8080' }])
    .meta({ description: 'Where clients connect.' }),
  admin: admin.prefault({}).meta({ description: 'The admin server; off turns it off.' }),
  threads: threads
    .prefault({})
    .meta({ description: 'How many threads share the work, and how much memory lies between them.' }),
  drain: duration
    .prefault('30s')
    .meta({ description: 'How long a stop waits for exchanges that are in flight.' }),
  sampling: mapping({
    salt: text(textExpected, parsePlain)
      .prefault('umbra')
      .meta({ description: 'Instances with one salt choose the same keys.' }),
  })
    .prefault({})
    .meta({ description: 'How keyed samples are drawn.' }),
  versions: z
    .record(key(parseName), version, { error: 'expected a mapping of version names' })
    .check((context) => {
      const count = Object.keys(context.value).length;
      const message =
        count === 0
          ? 'expected at least one version'
          : count > limits.versions
            ? `has more than ${limits.versions} versions`
            : '';
      if (message !== '') context.issues.push({ code: 'custom', message, input: context.value });
    })
    .meta({ description: 'The deployments of the service, by name.' }),
  routes: list(route, 'expected a list of at least one route')
    .transform((routes) => routes.map((given, index) => ({ ...given, name: routeName(given.name, index) })))
    .meta({ description: 'Which version answers which requests; the first match wins.' }),
  accessLog: accessLog.optional().meta({ description: 'One line for each exchange. Off unless set.' }),
}).meta({ title: 'umbra configuration' });

/** A configuration whose every part was understood: durations in ms, sizes in bytes, shares in millionths, defaults filled in. */
export type Config = z.output<typeof configSchema>;
export type RouteConfig = Config['routes'][number];
export type MirrorConfig = RouteConfig['mirrors'][number];

/** The name of a route that has none, counted from 1. */
export function routeName(given: string | undefined, index: number): string {
  return given ?? `route-${index + 1}`;
}
