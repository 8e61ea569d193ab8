/** `versions`: the deployments of the service, and their connections. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import type { EndpointPlan } from '../../core/plan.js';
import { formatEndpoint, parseAuthority, parseEndpoint, parseServerName } from '../address.js';
import { durationPattern, formatDuration, parseDuration, Refusal } from '../units.js';
import {
  duration,
  durationExpected,
  form,
  integer,
  list,
  mapping,
  off,
  pemFile,
  positiveDuration,
  share,
  shorthand,
  single,
  text,
} from './values.js';

export const connectionsMax = 65_535;
const queueMax = 65_535;
export const streamsMax = 65_535;
const thresholdMax = 1000;
const statusesMax = 64;

const endpointExpected =
  'expected an endpoint such as http://127.0.0.1:9080, https://[::1]:9443 or unix:/run/app.sock';
const endpointUrl = text(
  endpointExpected,
  (value): EndpointPlan | Refusal => parseEndpoint(value),
  formatEndpoint,
);
/** The maximum weight, as in documents, which have a uint32. */
const weightMax = 2 ** 31 - 1;
const endpoint = z.union(
  [
    form(
      endpointUrl,
      (url) => url,
      (url) => (url.weight === 1 ? url : new Refusal('has a weight')),
    ),
    form(
      mapping({
        url: endpointUrl.meta({ description: 'The endpoint.' }),
        weight: integer(1, weightMax).prefault(1).meta({
          description: 'Its share of requests, relative to the weights of the other endpoints.',
        }),
      }),
      ({ url, weight }): EndpointPlan => ({ ...url, weight }),
      (url) => ({ url: { ...url, weight: 1 }, weight: url.weight }),
    ),
  ],
  { error: endpointExpected },
);
const endpointsExpected = 'expected an endpoint or a list of them';
const endpoints = z.union([single(endpointUrl), list(endpoint, endpointsExpected)], {
  error: endpointsExpected,
});

const connections = mapping({
  max: integer(1, connectionsMax).prefault(4096).meta({
    description:
      'Maximum connections of one thread to one endpoint. A streaming response holds one until it ends.',
  }),
  idle: positiveDuration
    .prefault('60s')
    .meta({ description: 'Maximum time that an unused connection is kept.' }),
  connectTimeout: positiveDuration
    .prefault('1s')
    .meta({ description: 'Maximum time to open a connection, including the TLS handshake.' }),
  queue: mapping({
    max: integer(0, queueMax).prefault(limits.upstreamWaiters).meta({
      description:
        'Maximum requests of one thread that wait for a connection; further ones are answered 503 (`overloaded`).',
    }),
    timeout: positiveDuration
      .prefault('5s')
      .meta({ description: 'Maximum wait of a request for a connection, then 503.' }),
  })
    .prefault({})
    .meta({ description: 'Queue of requests while every connection is busy.' }),
});

const protocol = z
  .enum(['http1', 'http2', 'auto'], { error: 'expected http1, http2 or auto' })
  .prefault('http1')
  .meta({
    description:
      'Protocol of requests to the version. `http2`: by ALPN on `https://`, without negotiation on others. `auto`: the one that ALPN selects on `https://`, else HTTP/1.1.',
  });

const streams = mapping({
  max: integer(1, streamsMax).prefault(limits.upstreamStreams).meta({
    description:
      'Maximum requests at once on one connection of HTTP/2, if the endpoint does not allow fewer. Reached: another connection.',
  }),
});

const dns = mapping({
  refresh: positiveDuration.prefault('10s').meta({
    description: 'Interval at which the names of endpoints are resolved again.',
  }),
});
const slowStart = duration.prefault('10s').meta({
  description: 'Time over which the share of a returning endpoint grows; 0s for none.',
});

const statusExpected = 'expected a status code such as 200, or a range such as 200-299';

function parseStatuses(value: string): readonly [number, number] | Refusal {
  const [, first, last] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(value) ?? [];
  if (first === undefined) return new Refusal(statusExpected);
  const range = [Number(first), Number(last ?? first)] as const;
  return range[0] <= range[1] ? range : new Refusal(`the range \`${value}\` is empty`);
}

const statuses = z.union(
  [
    form(
      integer(100, 599, statusExpected),
      (code): readonly [number, number] => [code, code],
      ([first, last]) => (first === last ? first : new Refusal('is a range')),
    ),
    text(statusExpected, parseStatuses, ([first, last]) => `${first}-${last}`),
  ],
  { error: statusExpected },
);

function parseHealthPath(path: string): string | Refusal {
  return /^\/[\x21-\x7e]*$/.test(path) && !path.includes('#')
    ? path
    : new Refusal('expected a path such as /healthz, with or without a query');
}

const checkIntervalMsMin = 100;
const checkInterval = text(
  durationExpected,
  (value): number | Refusal => {
    const ms = parseDuration(value);
    return typeof ms === 'number' && ms < checkIntervalMsMin
      ? new Refusal(`must be at least ${checkIntervalMsMin}ms`)
      : ms;
  },
  formatDuration,
).meta({ pattern: durationPattern.source });

const healthServiceMax = 127;
const healthServiceExpected = 'expected the name of a gRPC service, or "" for the whole server';

const health = mapping({
  path: text('expected a path such as /healthz', parseHealthPath).optional().meta({
    description: 'Path of the GET request of a check, which uses its own connection.',
  }),
  grpc: z
    .string({ error: healthServiceExpected })
    .max(healthServiceMax, { error: healthServiceExpected })
    .optional()
    .meta({
      description:
        'Service that a check asks for by `grpc.health.v1.Health/Check` in place of a GET; "" is the whole server.',
    }),
  interval: checkInterval.prefault('5s').meta({
    description: 'Interval of checks of an address; up to a tenth shorter, to spread checks.',
  }),
  timeout: positiveDuration
    .prefault('1s')
    .meta({ description: 'Maximum time of a check, from the connect to the last byte of the response.' }),
  healthyThreshold: integer(1, thresholdMax)
    .prefault(2)
    .meta({ description: 'Checks in a row that must pass before an unhealthy address is used again.' }),
  unhealthyThreshold: integer(1, thresholdMax)
    .prefault(3)
    .meta({ description: 'Checks in a row that must fail before an address is no longer used.' }),
  statuses: list(statuses, 'expected a list of status codes and ranges', statusesMax)
    .prefault(['200-399'])
    .meta({ description: 'Status codes and ranges that pass.' }),
  host: text('expected a host name', parseAuthority)
    .optional()
    .meta({ description: "The Host that checks are sent with, where it is not the endpoint's." }),
}).check((context) => {
  const { path, grpc } = context.value;
  if ((path === undefined) === (grpc === undefined)) {
    const message = 'expected either path or grpc';
    context.issues.push({ code: 'custom', message, input: context.value });
  }
});

const ejectionKeys = mapping({
  failures: integer(0, thresholdMax).prefault(5).meta({
    description:
      'Failed responses in a row (502, 503, 504, reset, timeout, invalid HTTP) that eject an address; 0 for never.',
  }),
  errors: integer(0, thresholdMax).prefault(0).meta({
    description: 'Errors in a row that eject an address; any status from 500 on counts too; 0 for never.',
  }),
  baseTime: positiveDuration
    .prefault('1s')
    .meta({ description: 'Length of the first ejection; the n-th in a row lasts n times as long.' }),
  maxTime: positiveDuration.prefault('30s').meta({ description: 'Maximum length of an ejection.' }),
  maxPercent: share.prefault(50).meta({
    description:
      "The most of a version's addresses, those that refuse aside, that are ejected for their answers; rounded down.",
  }),
});

/**
 * With `off`, an endpoint that refuses is still ejected for a moment: failed connection attempts are the most
 * expensive outcome.
 */
const ejectionOff = { failures: 0, errors: 0, baseTime: 1000, maxTime: 1000, maxPercent: 0 };

function isEjectionOff(value: unknown): boolean {
  const { failures, errors } = value as typeof ejectionOff;
  return failures === 0 && errors === 0;
}

const ejection = z.union([off(ejectionOff, isEjectionOff), ejectionKeys], {
  error: 'expected a mapping, or off',
});

const tls = mapping({
  ca: pemFile.optional().meta({
    description: "PEM file with the authorities that are trusted in place of the system's.",
  }),
  cert: pemFile.optional().meta({
    description: "PEM file with umbra's own certificate, for endpoints that require one; needs `key`.",
  }),
  key: pemFile.optional().meta({ description: 'PEM file with the private key of `cert`.' }),
  serverName: text('expected a host name', parseServerName).optional().meta({
    description: "The name for SNI and for the check of the certificate, if it is not the endpoint's.",
  }),
  verify: z.boolean({ error: 'expected true or false' }).prefault(true).meta({
    description: 'false accepts any certificate; for tests only.',
  }),
}).check((context) => {
  const { cert, key } = context.value;
  if ((cert === undefined) === (key === undefined)) return;
  context.issues.push({
    code: 'custom',
    message: 'expected both of `cert` and `key`, or neither',
    input: context.value,
  });
});

export const version = z.union(
  [
    shorthand(endpoints, (value) => ({
      endpoints: value,
      protocol: protocol.parse(undefined),
      streams: streams.parse({}),
      connections: connections.parse({}),
      dns: dns.parse({}),
      health: undefined,
      ejection: ejectionKeys.parse({}),
      slowStart: slowStart.parse(undefined),
      tls: undefined,
    })),
    mapping({
      endpoints: endpoints.meta({
        description: 'http://host:port, https://host:port or unix:/path, or { url, weight }, one or a list.',
      }),
      protocol,
      streams: streams.prefault({}).meta({ description: 'Requests at once on a connection of HTTP/2.' }),
      connections: connections.prefault({}).meta({ description: 'Pool of connections to each endpoint.' }),
      dns: dns.prefault({}).meta({ description: 'Resolution of the names of endpoints.' }),
      health: health.optional().meta({ description: 'Active health checks. Off unless set.' }),
      ejection: ejection.prefault({}).meta({
        description: 'Ejection of endpoints that fail real requests; `off` for none.',
      }),
      slowStart,
      tls: tls.optional().meta({
        description:
          "TLS to `https://` endpoints. Default: the system's authorities and the endpoint's own name.",
      }),
    }).check((context) => {
      const { protocol, health } = context.value;
      if (health?.grpc === undefined || protocol !== 'http1') return;
      const message = 'health.grpc needs `protocol: http2` or auto';
      context.issues.push({ code: 'custom', message, input: context.value });
    }),
  ],
  { error: 'expected an endpoint, a list of them, or a mapping with `endpoints`' },
);
