/** Fields that HTTPRoute and GRPCRoute share (gateway.networking.k8s.io/v1). */
import { ignored, required, supported } from '../fate.js';
import {
  count,
  type Fields,
  fields,
  integer,
  listOf,
  percent,
  port,
  type Shape,
  text,
  word,
} from '../shape.js';

/** `backendOf` returns the fields of a backend. A missing one is answered `status`. */
function backendOf(status: string): Fields {
  return {
    group: supported(text, `of another group than the core one: reported, and answered ${status}`),
    kind: supported(text, `Service unless given; others are reported, and answered ${status}`),
    name: required(text),
    namespace: supported(text, 'that of the document unless given; another one needs a ReferenceGrant'),
    port: supported(port, 'chooses among the ports of a ServiceEntry; endpoints of `subsets` have their own'),
  };
}

/** `backendRefsOf` returns the list of backends with `filter`. A missing one is answered `status`. */
export function backendRefsOf(filter: Shape, status: string): Shape {
  return listOf(
    fields({
      ...backendOf(status),
      weight: supported(integer(0, 1_000_000), '1 unless given; 0 gets nothing'),
      filters: supported(
        listOf(filter),
        'header modifiers are `versionHeaders`; others count as those of the rule, where it has one backend',
      ),
    }),
  );
}

const header = fields({ name: required(text), value: required(text) });
const headerFilter = fields({
  set: supported(listOf(header)),
  add: supported(listOf(header)),
  remove: supported(listOf(text)),
});

/** `commonFilters` returns the filters that both kinds have. */
export function commonFilters(status: string): Fields {
  const requestMirror = fields(
    {
      backendRef: required(fields(backendOf(status))),
      percent: supported(percent, '100 unless given'),
      fraction: supported(
        fields({ numerator: required(count), denominator: supported(count, '100 unless given') }),
      ),
    },
    ['percent', 'fraction'],
  );
  return {
    requestHeaderModifier: supported(headerFilter, 'for the primary, and with it for the copies'),
    responseHeaderModifier: supported(headerFilter),
    requestMirror: supported(requestMirror, 'a mirror; several are possible'),
  };
}

export const valueMatch: Fields = {
  type: supported(word('Exact', 'RegularExpression'), 'Exact unless given'),
  name: required(text),
  value: required(text),
};

const parentRefs = listOf(
  fields({
    group: supported(text, 'with `kind`'),
    kind: supported(text, 'Gateway or Service; others are reported'),
    namespace: supported(text, 'that of the document unless given'),
    name: required(text),
    sectionName: supported(text, 'chooses among the listeners of a Gateway that umbra has read'),
    port: supported(port, '`match.port`: the port of the listener'),
  }),
);

const parentsNote =
  'of kind Service: without `hostnames` its names are the hosts; a Gateway that umbra has read: hosts and ports of its listeners';

/** `routeOf` returns the fields of a route with rules of the shape `rule`. */
export function routeOf(rule: Shape): Shape {
  return fields({
    parentRefs: supported(parentRefs, parentsNote),
    hostnames: supported(listOf(text), '`match.host`; every host unless given'),
    rules: supported(listOf(rule), 'the most specific match wins'),
    useDefaultGateways: ignored('umbra is the gateway'),
  });
}
