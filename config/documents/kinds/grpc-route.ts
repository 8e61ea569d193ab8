/** Fields of Gateway API's GRPCRoute (gateway.networking.k8s.io/v1). */
import { refused, required, supported } from '../fate.js';
import { fields, listOf, type Shape, text, word } from '../shape.js';
import { backendRefsOf, commonFilters, routeOf, valueMatch } from './route-parts.js';

const filter = fields({
  type: required(
    word('RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror'),
    'ExtensionRef and others are refused',
  ),
  ...commonFilters('UNAVAILABLE'),
  extensionRef: refused('umbra has no extensions'),
});

const match = fields({
  method: supported(
    fields({
      type: supported(
        word('Exact', 'RegularExpression'),
        'Exact unless given; RegularExpression is RE2 and must match the whole service and method',
      ),
      service: supported(text, '`package.Service`; every service unless given'),
      method: supported(text, 'every method unless given'),
    }),
    '`match.path`: `/service/method`',
  ),
  headers: supported(listOf(fields(valueMatch)), 'of two with the same name the first counts'),
});

const rule = fields({
  name: supported(text, 'a part of the name of the route'),
  matches: supported(listOf(match), 'every gRPC call unless given'),
  filters: supported(listOf(filter)),
  backendRefs: supported(
    backendRefsOf(filter, 'UNAVAILABLE'),
    '`primary`; one that is not there is reported, and its share is answered UNAVAILABLE, as Gateway API requires',
  ),
  sessionPersistence: refused('umbra does not bind clients to endpoints'),
});

export const grpcRoute: Shape = routeOf(rule);
