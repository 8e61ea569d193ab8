/**
 * Converts a GRPCRoute to drafts of routes: one for each match of each rule, because the most specific match
 * comes first. Only gRPC calls match them.
 */
import type { TreeNode } from '../tree.js';
import type { Document } from './document.js';
import { type Draft, type Mapping, type MatchGrowth, routeNameOf } from './draft.js';
import { draftsOfRoute } from './gateway-route.js';
import { GatewayRule, type MissingBackend } from './gateway-rule.js';
import { type Growth, grow, placed } from './grow.js';
import { modifications } from './header-modifiers.js';
import { valuesOf } from './http-route-match.js';
import { at, itemsAt, textAt } from './look.js';
import { timeoutOf } from './parts.js';

/** gRPC over HTTP/2, "Requests"; gRPC-Web is another protocol, as in core/grpc/grpc-method. */
const grpcContent = { 'content-type': { regex: '(?i)application/grpc([+; ].*)?' } };
/** A method, or one part of the name of a service (Gateway API, `GRPCMethodMatch`). */
const namePart = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** gRPC clients read 503 as UNAVAILABLE, which Gateway API asks for. */
const unavailable: MissingBackend = { respond: 503, called: 'UNAVAILABLE' };

/** `draftGrpcRoute` converts one document; `age` is as in `draftHttpRoute`. */
export function draftGrpcRoute(document: Document, mapping: Mapping, age: number): Draft[] {
  return draftsOfRoute(document, mapping, (rule, hosts, index) =>
    new RuleDraft(document, mapping, rule).drafts(hosts, age, index),
  );
}

class RuleDraft extends GatewayRule {
  protected override readonly missing = unavailable;

  drafts(hosts: readonly string[], age: number, index: number): Draft[] {
    const { document, mapping, rule } = this;
    const given = itemsAt(rule, 'matches');
    const matches: readonly (TreeNode | undefined)[] = given.length === 0 ? [undefined] : given;
    const body = this.body();
    return matches.map((match, position) => ({
      document,
      name: routeNameOf(document, mapping.namespace, index, textAt(rule, 'name'), position + 1),
      mark: (match ?? rule).mark,
      hosts,
      matches: [this.conditions(match)],
      body,
      rank: [...specificity(match), age, index, position],
    }));
  }

  private conditions(match: TreeNode | undefined): MatchGrowth {
    const headers = valuesOf(at(match, 'headers'), true) as Record<string, Growth> | undefined;
    return { path: this.path(at(match, 'method')), header: { ...grpcContent, ...headers } };
  }

  private path(method: TreeNode | undefined): Growth | undefined {
    if (method === undefined) return undefined;
    const { service, name, isRegex } = namesOf(method);
    if (service === '' && name === '') {
      this.error(method.mark, 'method: expected `service`, `method` or both');
      return undefined;
    }
    if (isRegex) return placed(method, { regex: `/(?:${service || anyName})/(?:${name || anyName})` });
    if (service !== '' && !isServiceName(service))
      this.error(at(method, 'service')!.mark, `method.service: \`${service}\` is not the name of a service`);
    if (name !== '' && !namePart.test(name))
      this.error(at(method, 'method')!.mark, `method.method: \`${name}\` is not the name of a method`);
    if (service === '') return placed(method, { regex: `/${anyName}/${name}` });
    return placed(method, name === '' ? { prefix: `/${service}/` } : { exact: `/${service}/${name}` });
  }

  private body(): Draft['body'] {
    const { rule } = this;
    const filters = this.filters();
    this.checkFilters(filters, ['requestHeaderModifier', 'responseHeaderModifier']);
    const [request] = this.filtersOf(filters, 'requestHeaderModifier');
    const [response] = this.filtersOf(filters, 'responseHeaderModifier');
    const split = this.split();
    if (split === null) {
      const headers = modifications(undefined, response, rule.mark);
      return { respond: grow(rule.mark, { status: unavailable.respond }), headers };
    }
    return {
      ...split,
      ...timeoutOf(undefined),
      headers: modifications(request, response, rule.mark),
      mirrors: this.mirrors(this.filtersOf(filters, 'requestMirror')),
    };
  }
}

const anyName = '[^/]+';

/** `a.B`, and `.a.B` as in descriptors. */
function isServiceName(service: string): boolean {
  const parts = (service.startsWith('.') ? service.slice(1) : service).split('.');
  return parts.every((part) => namePart.test(part));
}

function namesOf(method: TreeNode | undefined): { service: string; name: string; isRegex: boolean } {
  return {
    service: textAt(method, 'service') ?? '',
    name: textAt(method, 'method') ?? '',
    isRegex: textAt(method, 'type') === 'RegularExpression',
  };
}

/**
 * `specificity` returns the rank of a match in Gateway API, the most important number first: the longer
 * service, the longer method, more headers. Regular expressions, whose rank is not specified, come after
 * names. The zeros stand where HTTPRoutes have more.
 */
function specificity(match: TreeNode | undefined): number[] {
  const method = at(match, 'method');
  const { service, name, isRegex } = namesOf(method);
  const kind = method === undefined ? 2 : isRegex ? 1 : 0;
  return [kind, -service.length, -name.length, -itemsAt(match, 'headers').length, 0];
}
