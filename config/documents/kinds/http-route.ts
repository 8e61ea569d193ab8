/** Fields of Gateway API's HTTPRoute (gateway.networking.k8s.io/v1). */
import { ignored, refused, required, supported } from '../fate.js';
import { boolean, duration, fields, integer, listOf, port, type Shape, text, word } from '../shape.js';
import { backendRefsOf, commonFilters, routeOf, valueMatch } from './route-parts.js';

const path = fields(
  {
    type: required(word('ReplaceFullPath', 'ReplacePrefixMatch')),
    replaceFullPath: supported(text),
    replacePrefixMatch: supported(text, 'only where every match of the rule is a PathPrefix'),
  },
  ['replaceFullPath', 'replacePrefixMatch'],
);

const requestRedirect = fields({
  scheme: supported(word('http', 'https')),
  hostname: supported(text),
  path: supported(path),
  port: supported(port),
  statusCode: supported(integer(301, 308), '302 unless given; 301, 302, 303, 307 or 308'),
});

const filterTypes = [
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestMirror',
  'RequestRedirect',
  'URLRewrite',
  'CORS',
];

const filter = fields({
  type: required(word(...filterTypes), 'ExtensionRef and others are refused'),
  ...commonFilters('500'),
  requestRedirect: supported(requestRedirect, '`redirect`'),
  urlRewrite: supported(
    fields({ hostname: supported(text, '`rewrite.host`'), path: supported(path, '`rewrite.path`') }),
  ),
  cors: supported(
    fields({
      allowOrigins: supported(listOf(text), '`cors.origins`; `*` within one is any text'),
      allowMethods: supported(listOf(text)),
      allowHeaders: supported(listOf(text)),
      exposeHeaders: supported(listOf(text)),
      allowCredentials: supported(boolean),
      maxAge: supported(integer(1, 2 ** 31 - 1), 'seconds; 5 unless given'),
    }),
    '`cors`',
  ),
  extensionRef: refused('umbra has no extensions'),
  externalAuth: refused('umbra has no external authorization'),
});

const match = fields({
  path: supported(
    fields({
      type: supported(
        word('Exact', 'PathPrefix', 'RegularExpression'),
        'PathPrefix unless given: whole elements of the path; RegularExpression must match the whole path',
      ),
      value: supported(text, '/ unless given'),
    }),
  ),
  headers: supported(listOf(fields(valueMatch)), 'of two with the same name the first counts'),
  queryParams: supported(listOf(fields(valueMatch)), 'of two with the same name the first counts'),
  method: supported(word('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH')),
});

const rule = fields({
  name: supported(text, 'a part of the name of the route'),
  matches: supported(listOf(match), 'every path unless given'),
  filters: supported(listOf(filter)),
  backendRefs: supported(
    backendRefsOf(filter, '500'),
    '`primary`; one that is not there is reported, and its share is answered 500, as Gateway API requires',
  ),
  timeouts: supported(
    fields({
      request: supported(duration, '`timeouts.request` with `until: end`; 0s is none'),
      backendRequest: supported(duration, '`retries.perTryTimeout`, or `timeouts.request` without retries'),
    }),
  ),
  retry: supported(
    fields({
      codes: supported(listOf(integer(400, 599)), '`retries.on`'),
      attempts: supported(integer(0, 1000)),
      backoff: ignored('umbra waits up to 25 ms before the first retry, and up to 250 ms before later ones'),
    }),
    '`retries`',
  ),
  sessionPersistence: refused('umbra does not bind clients to endpoints'),
});

export const httpRoute: Shape = routeOf(rule);
