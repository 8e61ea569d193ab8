/**
 * The schema of a configuration: every key with its type, default and description. The descriptions are in
 * `config/schema.json`, which editors show. `check.ts` has the checks over several places, for example that a
 * mirror's version exists.
 *
 * A default is written as a user would write it (`prefault`), and goes through the same parser.
 */
import { z } from 'zod';
import { limits } from '../core/limits.js';
import { parseName, parsePlain, textExpected } from './names.js';
import { redact } from './schema/compare.js';
import { documents, subsets } from './schema/documents.js';
import { fleet } from './schema/fleet.js';
import { guard } from './schema/guard.js';
import { histograms } from './schema/histograms.js';
import { admin, listen } from './schema/listen.js';
import { log } from './schema/log.js';
import { route } from './schema/route.js';
import { threads } from './schema/threads.js';
import { tracing } from './schema/tracing.js';
import { duration, file, form, key, mapping, share, text } from './schema/values.js';
import { version } from './schema/version.js';

const accessLog = mapping({
  path: file
    .prefault('-')
    .meta({ description: 'The file, relative to the configuration file; `-` is standard output.' }),
  format: z
    .enum(['envoy', 'json'], { error: 'expected envoy or json' })
    .prefault('envoy')
    .meta({ description: 'Format of a line.' }),
  sample: share.prefault('100%').meta({ description: 'The share of exchanges that are logged.' }),
});

export const routesExpected = 'expected a list of at least one route';

export const configSchema = mapping({
  listen: listen.prefault([{ address: '127.0.0.1:8080' }]).meta({ description: 'Addresses for clients.' }),
  admin: admin
    .prefault({})
    .meta({ description: 'Admin API, metrics and live page; `off` (or `false`) turns them off.' }),
  threads: threads
    .prefault({})
    .meta({ description: 'Numbers of threads, and memory of the rings between them.' }),
  drain: duration
    .prefault('30s')
    .meta({ description: 'Time that a stop waits for exchanges in flight; `0s` does not wait.' }),
  sampling: mapping({
    salt: text(textExpected, parsePlain)
      .prefault('umbra')
      .meta({ description: 'Instances with the same salt choose the same keys.' }),
  })
    .prefault({})
    .meta({ description: 'Sampling by key.' }),
  guard: guard.optional().meta({
    description:
      'Mirrors back off when the primary of their route gets worse; for all routes, unless `routes[].guard` overrides it.',
  }),
  versions: z
    .record(key(parseName), version, { error: 'expected a mapping of version names' })
    .check((context) => {
      const count = Object.keys(context.value).length;
      const message = count > limits.versions ? `has more than ${limits.versions} versions` : '';
      if (message !== '') context.issues.push({ code: 'custom', message, input: context.value });
    })
    .meta({
      description:
        'The deployments of the service by name; at least one. The short form is an endpoint: `v1: http://127.0.0.1:9080`.',
    }),
  routes: form(
    z
      .array(route, { error: routesExpected })
      .max(limits.routes, { error: `has more than ${limits.routes} items` }),
    (routes) => routes.map((given, index) => ({ ...given, name: routeName(given.name, index) })),
    (routes) => routes,
  ).meta({ description: 'Routes of requests to versions; the first match wins.' }),
  subsets: subsets.optional().meta({
    description:
      'Endpoints of the hosts and subsets in documents (docs/istio.md): a version, or a mapping of subsets to versions, by host.',
  }),
  state: file.optional().meta({
    description:
      'Directory that keeps live changes and applied documents over a restart, relative to the configuration file. Default: that of systemd (`StateDirectory=`); without one they last as long as the process.',
  }),
  documents: documents.optional().meta({
    description: 'Documents of Istio and Gateway API (docs/istio.md).',
  }),
  accessLog: accessLog.optional().meta({ description: 'One line for each exchange. Off unless set.' }),
  histograms: histograms.optional().meta({
    description: 'Latencies as HdrHistogram logs on disk, one per version and role. Off unless set.',
  }),
  log: log.prefault({}).meta({ description: "umbra's own log, on standard error." }),
  tracing: tracing.optional().meta({
    description: 'Traces of sampled requests and their copies, for OpenTelemetry. Off unless set.',
  }),
  fleet: fleet.optional().meta({
    description: 'One of many instances, seen as one through NATS (docs/scale.md). Off unless set.',
  }),
  redact: redact
    .prefault({})
    .meta({ description: 'Fields and values that are never shown or stored (docs/redaction.md).' }),
}).meta({ title: 'umbra configuration' });

/**
 * A valid configuration: durations in milliseconds, sizes in bytes, shares in millionths, with all defaults.
 */
export type Config = z.output<typeof configSchema>;
export type RouteConfig = Config['routes'][number];
export type MatchConfig = RouteConfig['match'][number];
export type MirrorConfig = RouteConfig['mirrors'][number];

/** `routeName` returns the given name, or one that is counted from 1. */
export function routeName(given: string | undefined, index: number): string {
  return given ?? `route-${index + 1}`;
}
