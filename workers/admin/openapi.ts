/**
 * The description of the admin API in OpenAPI 3.1, served as `/api/openapi.json`. A test compares it with the
 * routes of the server and with their answers.
 */
import { packageVersion } from '../../config/package-file.js';

type Schema = Readonly<Record<string, unknown>>;
type Answers = Readonly<Record<string, object>>;

const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
const flag = { type: 'boolean' } as const;
const list = (items: Schema): Schema => ({ type: 'array', items });
const map = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const any: Schema = {};

/** An object with these members, all of them required. Further members may be added in any version. */
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
/** The same with members that may be absent. */
const optional = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  additionalProperties: false,
});

const json = (schema: Schema, description = 'OK'): object => ({
  description,
  content: { 'application/json': { schema } },
});
const plain = (description: string, type = 'text/plain'): object => ({
  description,
  content: { [type]: { schema: text } },
});

const error = object({ error: text });
const problems = object({ error: text, problems: list(text) });
const live = object({ generation: number, kept: flag, warnings: list(text) });
const rollout = object({ route: text, to: text });

const role = orNull(
  object({
    requests: number,
    responses: map(number),
    failures: map(number),
    endpointFailures: map(number),
    latencyUs: map(number),
    firstByteUs: map(number),
  }),
);
const endpoint = object({
  endpoint: text,
  address: text,
  health: orNull(object({ state: text, sinceS: number, passed: number, failed: number })),
  lastError: orNull(
    object({ role: text, cause: text, errno: orNull(text), message: text, at: text, count: number }),
  ),
});
const mirror = object({
  route: text,
  to: text,
  enabled: flag,
  percent: number,
  eligible: number,
  sent: number,
  dropped: map(number),
  completed: number,
  failed: map(number),
  inFlight: number,
  pairedDeltaUs: map(number),
  compare: any,
});
const stats = object({
  generation: number,
  uptimeS: number,
  engine: text,
  threads: object({ proxy: number, shadow: number, restarts: number }),
  versions: map(object({ primary: role, shadow: role, endpoints: list(endpoint) })),
  mirrors: list(mirror),
  dns: list(object({ name: text, addresses: number, lookups: number, failures: number })),
});

const refusals: Answers = {
  '400': json(error, 'The request is malformed.'),
  '401': json(error, 'A token is required: Authorization: Bearer TOKEN.'),
  '403': json(error, 'The Host or the Origin is not one of this server.'),
  '503': json(error, 'umbra is ending, or too many changes wait.'),
};

const body = (schema: Schema, type = 'application/json'): object => ({
  required: true,
  content: { [type]: { schema } },
});
const parameter = (name: string, description: string): object => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: text,
});
const query = (name: string, description: string): object => ({
  name,
  in: 'query',
  required: false,
  description,
  schema: text,
});

const get = (summary: string, ok: object, more: object = {}): object => ({
  get: { summary, responses: { '200': ok, ...more } },
});
const change = (
  summary: string,
  requestBody: object,
  responses: object,
  parameters: readonly object[] = [],
): object => ({
  summary,
  ...(parameters.length === 0 ? {} : { parameters }),
  requestBody,
  responses: { ...responses, ...refusals },
});

const routeName = parameter('route', 'The name of a route.');
const versionName = parameter('version', 'The name of a version, a recording or a stream.');
const documents = (summary: string): object => ({
  post: change(
    summary,
    body(text, 'application/yaml'),
    {
      '200': json(object({ generation: number, ended: list(text) })),
      '422': json(problems, 'Nothing was changed.'),
    },
    [
      query('dryRun', '`true`: nothing is changed.'),
      query('strict', '`true`: fields that are not carried out are errors.'),
    ],
  ),
});

/** `openApi` returns the description, as an object for JSON. */
export function openApi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'umbra admin API',
      version: packageVersion(),
      description:
        'Figures and live changes of a running umbra. Off loopback every request needs a token. Members may be ' +
        'added to answers in any version; none is renamed or removed.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }, {}],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths: {
      '/': get('The live page.', plain('HTML', 'text/html')),
      '/dashboard/{name}': {
        get: {
          summary: 'A file of the live page.',
          parameters: [parameter('name', 'The name of the file.')],
          responses: { '200': plain('The file.'), '404': json(error, 'There is no such file.') },
        },
      },
      '/healthz': get('Whether the process lives.', plain('ok')),
      '/readyz': get('Whether every listener is open and nothing drains.', plain('ready'), {
        '503': plain('Starting or draining.'),
      }),
      '/metrics': get(
        'Metrics in the Prometheus text format, or OpenMetrics where Accept names it.',
        plain('Metrics'),
      ),
      '/api': get('The paths of this API.', plain('Paths')),
      '/api/openapi.json': get('This description.', json(object({ openapi: text, paths: any }))),
      '/api/stats': get('Counts and latencies since the start.', json(stats)),
      '/api/status': get('What runs, and what differs from the configuration.', json(object({}))),
      '/api/diffs': {
        get: {
          summary: 'Differences of responses, grouped, with samples.',
          parameters: [query('sets', '`no`: without the sets of values.')],
          responses: { '200': json(object({ groups: list(any) })) },
        },
      },
      '/api/endpoints': get(
        'Pairs of each mirror by endpoint, and gRPC calls of each version by method.',
        json(
          object({
            mirrors: list(object({ route: text, version: text, endpoints: list(any) })),
            grpc: list(object({ version: text, role: text, methods: list(any) })),
          }),
        ),
      ),
      '/api/histograms': get(
        'A whole reading, with histograms in the V2 encoding of HdrHistogram.',
        json(object({ generation: number, versions: list(any), mirrors: list(any) })),
      ),
      '/api/stream': get('Server-sent events: one snapshot a second.', plain('Events', 'text/event-stream'), {
        '503': json(error, 'Too many readers.'),
      }),
      '/api/config': {
        ...get('The configuration in force, with its defaults and without its secrets.', json(object({}))),
        put: change('Replaces the whole configuration, or changes nothing.', body(text, 'application/yaml'), {
          '200': json(object({ generation: number, ended: list(text) })),
          '422': json(problems, 'The configuration has errors; nothing was changed.'),
        }),
      },
      '/api/apply': documents('Applies documents of Istio or Gateway API, all or none.'),
      '/api/delete': documents('Deletes documents, all or none.'),
      '/api/rollouts': {
        ...get('The last rollout of each route.', json(object({ rollouts: list(rollout) }))),
        post: change(
          'Starts a rollout, with the keys of `routes[].rollout`.',
          body(object({ route: text })),
          {
            '201': json(rollout, 'Started.'),
            '404': json(error, 'There is no such route.'),
            '409': json(error, 'A rollout of the route is under way.'),
            '422': json(problems, 'The settings have errors.'),
          },
        ),
      },
      '/api/rollouts/{route}': {
        get: {
          summary: 'The last rollout of a route.',
          parameters: [routeName],
          responses: { '200': json(rollout), '404': json(error, 'The route has no rollout.') },
        },
      },
      '/api/rollouts/{route}/{command}': {
        post: change(
          'Pauses, resumes, promotes or aborts a rollout.',
          body(optional({ reason: text, full: flag })),
          {
            '200': json(rollout),
            '404': json(error, 'There is no such rollout or command.'),
            '409': json(error, 'The rollout is in another state.'),
          },
          [routeName, parameter('command', 'pause, resume, promote or abort.')],
        ),
      },
      '/api/mirrors': {
        patch: change(
          'Switches all mirrors off or on, or back to the configuration.',
          body(optional({ enabled: flag, reset: flag })),
          { '200': json(live) },
        ),
      },
      '/api/weights': {
        patch: change('Sets all weights back to the configuration.', body(optional({ reset: flag })), {
          '200': json(live),
        }),
      },
      '/api/routes/{route}': {
        patch: change(
          'Changes the weights of a route.',
          body(optional({ primary: map(number), reset: flag })),
          { '200': json(live), '404': json(error, 'There is no such route.') },
          [routeName],
        ),
      },
      '/api/routes/{route}/mirrors/{version}': {
        patch: change(
          'Changes the share of a mirror, or switches it.',
          body(optional({ percent: number, enabled: flag, reset: flag })),
          { '200': json(live), '404': json(error, 'There is no such mirror.') },
          [routeName, versionName],
        ),
      },
    },
  };
}
