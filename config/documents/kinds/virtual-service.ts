/** Fields of Istio's VirtualService (networking.istio.io). Its reference is the source of every note. */
import { grpcStatusNames } from '../../../core/grpc/grpc-status.js';
import { ignored, refused, required, supported } from '../fate.js';
import {
  boolean,
  count,
  duration,
  fields,
  integer,
  listOf,
  mapOf,
  percent,
  port,
  type Shape,
  text,
  word,
} from '../shape.js';

/** An empty match means that the field is present, whatever its value. */
const stringMatch = fields({ exact: supported(text), prefix: supported(text), regex: supported(text) }, [
  'exact',
  'prefix',
  'regex',
]);

const destination = fields({
  host: required(text, 'a short name belongs to the namespace of the document'),
  subset: supported(text, 'of a DestinationRule, or of `subsets` in umbra.yaml'),
  port: supported(
    fields({ number: required(port) }),
    'chooses among the ports of a ServiceEntry; endpoints of `subsets` have their own',
  ),
});

const headerEdits = fields({
  set: supported(mapOf(text)),
  add: supported(mapOf(text)),
  remove: supported(listOf(text)),
});

const headers = fields({
  request: supported(headerEdits, 'for the primary, and with it for the copies'),
  response: supported(headerEdits),
});

const percentage = fields({ value: supported(percent, '0 unless given') });

const match = fields({
  name: ignored('metrics use the name of the route'),
  uri: supported(stringMatch, '`match.path`'),
  scheme: supported(stringMatch, '`match.scheme`: that of X-Forwarded-Proto, or of the connection'),
  method: supported(
    stringMatch,
    '`match.method`; `prefix`, and a `regex` that is not a list of names, are tried on the methods of HTTP, which is reported',
  ),
  authority: supported(stringMatch, 'the Host field as the client sent it, beside `hosts`'),
  headers: supported(mapOf(stringMatch), '`match.header`; empty, or `regex: "*"`: the header is there'),
  port: supported(port, '`match.port`: the port of the listener'),
  sourceLabels: refused('umbra does not know the workloads that requests come from'),
  sourceNamespace: refused('umbra does not know the workloads that requests come from'),
  gateways: ignored('umbra is the gateway'),
  queryParams: supported(mapOf(stringMatch), '`match.query`'),
  ignoreUriCase: supported(boolean, '`match.path.ignoreCase`, for exact and prefix'),
  withoutHeaders: supported(
    mapOf(stringMatch),
    '`match.without.header`; empty: the header is not there; an absent one counts as empty text',
  ),
  statPrefix: ignored('metrics use the name of the route'),
});

const route = fields({
  destination: required(destination),
  weight: supported(count, 'the weights of `primary`; a single destination gets everything, as in Istio'),
  headers: supported(headers, '`versionHeaders`: applied when this destination was chosen'),
});

const redirect = fields(
  {
    uri: supported(text, 'the whole path'),
    prefixRewrite: supported(text, 'replaces the matched path, as `rewrite.uri` does'),
    authority: supported(text, 'host, or host and port'),
    port: supported(port),
    derivePort: supported(
      word('FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'),
      'FROM_REQUEST_PORT is `redirect.port: listener`',
    ),
    scheme: supported(word('http', 'https')),
    redirectCode: supported(integer(301, 308), '301 unless given; 301, 302, 303, 307 or 308'),
  },
  ['port', 'derivePort'],
);

const directResponse = fields({
  status: required(integer(200, 599)),
  body: supported(
    fields({ string: supported(text), bytes: supported(text, 'base64 of UTF-8 text') }, ['string', 'bytes']),
  ),
});

const rewrite = fields(
  {
    uri: supported(text, 'replaces the matched prefix, or the whole path with exact and regex'),
    authority: supported(text, '`rewrite.host`'),
    uriRegexRewrite: supported(
      fields({ match: required(text), rewrite: required(text, '\\1 to \\9 stand for groups') }),
    ),
  },
  ['uri', 'uriRegexRewrite'],
);

const retries = fields({
  attempts: supported(integer(0, 1000), '0 turns them off'),
  perTryTimeout: supported(duration),
  retryOn: supported(
    text,
    'connect-failure, refused-stream, reset, reset-before-request, 5xx, gateway-error, retriable-4xx, retriable-status-codes, and status codes; others are ignored with a warning',
  ),
  retryRemoteLocalities: ignored('umbra has no localities'),
  retryIgnorePreviousHosts: ignored('umbra retries on another endpoint if there is one'),
  backoff: ignored('umbra waits up to 25 ms before the first retry, and up to 250 ms before later ones'),
});

const delay = fields(
  {
    fixedDelay: supported(duration, '`fault.delay.for`'),
    exponentialDelay: refused('Istio has no such delay either'),
    percentage: supported(percentage, 'all requests unless given'),
    percent: supported(integer(0, 100), 'deprecated by Istio; as `percentage`'),
  },
  ['percentage', 'percent'],
);

const abort = fields(
  {
    httpStatus: supported(integer(200, 599), '`fault.abort.status`'),
    grpcStatus: supported(
      word(...grpcStatusNames),
      '`fault.abort.grpcStatus`, a name such as UNAVAILABLE; other clients get the HTTP status that stands for it',
    ),
    http2Error: refused('umbra does not abort streams of HTTP/2 on purpose'),
    percentage: supported(percentage, 'all requests unless given'),
  },
  ['httpStatus', 'grpcStatus', 'http2Error'],
);

const http = fields(
  {
    name: supported(text, 'a part of the name of the route'),
    match: supported(listOf(match), 'one of them must match, with all its conditions'),
    route: supported(listOf(route), '`primary`'),
    redirect: supported(redirect, '`redirect`'),
    directResponse: supported(directResponse, '`respond`'),
    delegate: supported(
      fields({
        name: required(text),
        namespace: supported(text, 'that of the document unless given'),
      }),
      'the rules of the other VirtualService, with the conditions of both',
    ),
    rewrite: supported(rewrite, '`rewrite`, for the primary and with it for the copies'),
    timeout: supported(duration, '`timeouts.request` with `until: end`; none unless given, as in Istio'),
    retries: supported(retries, '`retries`; without it none, where Istio repeats twice by default'),
    fault: supported(
      fields({ delay: supported(delay), abort: supported(abort) }),
      '`fault`; with it there is no timeout and there are no retries, as in Istio',
    ),
    mirror: supported(destination, 'a mirror'),
    mirrorPercentage: supported(percentage, '100 % unless given; `{}` is 0 %'),
    mirrorPercent: supported(integer(0, 100), 'deprecated by Istio; as `mirrorPercentage`'),
    mirror_percent: supported(integer(0, 100), 'deprecated by Istio; as `mirrorPercentage`'),
    mirrors: supported(
      listOf(
        fields({
          destination: required(destination),
          percentage: supported(percentage, '100 % unless given'),
        }),
      ),
      'mirrors, each with a share of its own',
    ),
    headers: supported(headers, '`headers`'),
    corsPolicy: supported(
      fields(
        {
          allowOrigins: supported(listOf(stringMatch), '`cors.origins`'),
          allowOrigin: supported(listOf(text), 'deprecated by Istio; as `allowOrigins` with `exact`'),
          allowMethods: supported(listOf(text)),
          allowHeaders: supported(listOf(text)),
          exposeHeaders: supported(listOf(text)),
          maxAge: supported(duration),
          allowCredentials: supported(boolean),
          unmatchedPreflights: supported(
            word('UNSPECIFIED', 'FORWARD', 'IGNORE'),
            '`cors.unmatched`; they are forwarded unless this is IGNORE',
          ),
        },
        ['allowOrigins', 'allowOrigin'],
      ),
      '`cors`',
    ),
    rateLimit: refused('umbra does not limit requests to the primary'),
  },
  ['mirrorPercentage', 'mirrorPercent', 'mirror_percent'],
);

export const virtualService: Shape = fields({
  hosts: supported(
    listOf(text),
    '`match.host`; a short name also stands for its longer forms, `*.example.com` for every name below; none in one that others delegate to',
  ),
  gateways: supported(listOf(text), 'hosts and ports of a Gateway that umbra has read; others are reported'),
  http: supported(listOf(http), 'in order, the first that matches wins'),
  tls: refused('umbra routes only HTTP'),
  tcp: refused('umbra routes only HTTP'),
  exportTo: ignored('umbra does not restrict namespaces'),
});
