/** Converts a VirtualService to drafts of routes: one for each of its HTTP rules, in their order. */
import type { Mark } from '../problem.js';
import { MapNode, type TreeNode } from '../tree.js';
import { corsOfPolicy } from './cors.js';
import { type Document, errorOf, warnOf } from './document.js';
import { type Draft, type Mapping, type MatchGrowth, routeNameOf } from './draft.js';
import { type Binding, everything, type Wanted } from './gateways.js';
import { type Growth, grow, placed } from './grow.js';
import { wholeHost } from './host-name.js';
import { at, booleanAt, entriesAt, itemsAt, keyMark, numberAt, textAt } from './look.js';
import {
  boundDrafts,
  type Chosen,
  destinationAt,
  headersOf,
  shareNode,
  splitOf,
  timeoutOf,
  withKeys,
} from './parts.js';
import { retryConditions, retryOnByDefault } from './retry-words.js';
import { fits, fitsEmpty, stringMatch } from './string-match.js';
import { durationNode } from './traffic-policy.js';

export function draftVirtualService(document: Document, mapping: Mapping): Draft[] {
  const { spec, namespace } = document;
  const hosts = itemsAt(spec, 'hosts').map((host) => wholeHost(textAt(host) ?? '', namespace));
  if (itemsAt(spec, 'http').length === 0)
    mapping.problems.push(errorOf(document, keyMark(spec, 'http'), 'spec.http: expected at least one rule'));
  // Other documents delegate to this one and use its rules.
  if (hosts.length === 0) return [];
  const drafts = mapping.delegates
    .rulesOf(document)
    .flatMap((owned, index) => new RuleDraft(owned.document, mapping, owned.rule).drafts(hosts, index))
    .map((draft) => ({ ...draft, document }));
  return boundDrafts(drafts, bindingsOf(document, mapping));
}

/**
 * `bindingsOf` returns every host and port without `gateways` and for the mesh, and otherwise those of the
 * Gateways.
 */
function bindingsOf(document: Document, { gateways, problems }: Mapping): Binding[] {
  const named = itemsAt(document.spec, 'gateways');
  if (named.length === 0) return [everything];
  return named.flatMap((node) => {
    const text = textAt(node) ?? '';
    if (text === 'mesh') return [everything];
    const [name, namespace = document.namespace] = text.split('/').reverse();
    const bindings = gateways.bindings('IstioGateway', namespace, name, anyListener);
    if (bindings !== null) return bindings;
    const message = `gateway \`${text}\` is not among the documents: its rules take requests of every host and port`;
    problems.push(warnOf(document, node.mark, message));
    return [everything];
  });
}

const anyListener: Wanted = { sectionName: undefined, port: undefined };

/** RFC 9110, section 9.3, and RFC 5789. */
const standardMethods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

class RuleDraft {
  constructor(
    private readonly document: Document,
    private readonly mapping: Mapping,
    private readonly rule: TreeNode,
  ) {}

  drafts(hosts: readonly string[], index: number): Draft[] {
    const { document, mapping, rule } = this;
    const name = (part?: number) =>
      routeNameOf(document, mapping.namespace, index, textAt(rule, 'name'), part);
    const body = this.body();
    const given = itemsAt(rule, 'match');
    const matches = given.map((match) => this.match(match));
    const uri = at(rule, 'rewrite', 'uri') ?? at(rule, 'redirect', 'prefixRewrite');
    const common = { document, mark: rule.mark, hosts, rank: [] };
    if (uri === undefined || given.length === 0) {
      const path = uri === undefined ? undefined : pathRewrite(uri, undefined);
      return [
        {
          ...common,
          name: name(),
          matches: given.length === 0 ? [{}] : matches,
          body: this.rewritten(body, path),
        },
      ];
    }
    // The replacement depends on the match, so there is one route for each way to replace.
    const ways = new Map<string, { path: Growth; matches: MatchGrowth[] }>();
    given.forEach((match, position) => {
      const path = pathRewrite(uri, at(match, 'uri'));
      const key = JSON.stringify([textAt(match, 'uri', 'prefix'), at(match, 'uri') === undefined]);
      const way = ways.get(key) ?? { path, matches: [] };
      way.matches.push(matches[position]);
      ways.set(key, way);
    });
    return [...ways.values()].map((way, part) => ({
      ...common,
      name: name(part + 1),
      matches: way.matches,
      body: this.rewritten(body, way.path),
    }));
  }

  private rewritten(body: Draft['body'], uriRewrite: Growth | undefined): Draft['body'] {
    const regex = at(this.rule, 'rewrite', 'uriRegexRewrite');
    const path = regex === undefined ? uriRewrite : regexRewrite(regex);
    const host = at(this.rule, 'rewrite', 'authority');
    if (path !== undefined && body.redirect !== undefined)
      return { ...body, redirect: withKeys(body.redirect as TreeNode, { path }) };
    if (path === undefined && host === undefined) return body;
    return { ...body, rewrite: grow(at(this.rule, 'rewrite')!.mark, { path, host }) };
  }

  /** `body` returns everything except `name`, `match` and `rewrite`. */
  private body(): Draft['body'] {
    const { rule } = this;
    const redirect = at(rule, 'redirect');
    const respond = at(rule, 'directResponse');
    const route = at(rule, 'route');
    const ends = { route, redirect, directResponse: respond };
    const given = Object.entries(ends).filter(([, node]) => node !== undefined);
    if (given.length !== 1) {
      const mark = given.length === 0 ? rule.mark : keyMark(rule, given[1][0]);
      this.error(mark, 'a rule needs exactly one of `route`, `redirect` and `directResponse`');
      return {};
    }
    const fault = this.fault();
    const answered = redirect !== undefined || respond !== undefined;
    if (answered && at(rule, 'rewrite') !== undefined)
      this.error(keyMark(rule, 'rewrite'), '`rewrite` needs `route`: nothing is forwarded here');
    const needRoute = answered ? ['timeout', 'retries', 'mirror', 'mirrors', 'mirrorPercentage'] : [];
    for (const key of needRoute) {
      if (at(rule, key) !== undefined)
        this.warn(keyMark(rule, key), `\`${key}\` is ignored: the rule answers by itself`);
    }
    const headersAsked = at(rule, 'headers', 'request');
    if (answered && headersAsked !== undefined)
      this.warn(headersAsked.mark, '`headers.request` is ignored: nothing is forwarded here');
    if (!answered && at(rule, 'mirror') === undefined && at(rule, 'mirrorPercentage') !== undefined)
      this.warn(keyMark(rule, 'mirrorPercentage'), '`mirrorPercentage` is ignored: the rule has no `mirror`');
    if (answered) {
      const responseHeaders = at(rule, 'headers', 'response');
      return {
        redirect: redirect === undefined ? undefined : this.redirect(redirect),
        respond: respond === undefined ? undefined : this.respond(respond),
        headers: responseHeaders === undefined ? undefined : headersOf(at(rule, 'headers')!),
        cors: this.cors(),
        fault,
      };
    }
    const timeout = at(rule, 'timeout');
    const headers = at(rule, 'headers');
    const isTimed = timeout !== undefined && fault === undefined && textAt(timeout) !== '0s';
    return {
      ...this.split(route!),
      ...timeoutOf(isTimed ? durationNode(timeout) : undefined),
      retries: fault === undefined ? this.retries() : undefined,
      fault,
      headers: headers === undefined ? undefined : headersOf(headers),
      cors: this.cors(),
      mirrors: this.mirrors(),
    };
  }

  private cors(): Growth | undefined {
    const policy = at(this.rule, 'corsPolicy');
    return policy === undefined ? undefined : corsOfPolicy(policy);
  }

  private split(route: TreeNode): Draft['body'] {
    const items = itemsAt(route);
    const chosen: Chosen[] = items.flatMap((item) => {
      const version = this.version(at(item, 'destination'));
      if (version === null) return [];
      // A single destination receives everything, whatever its weight.
      const weight = items.length === 1 ? 1 : (numberAt(item, 'weight') ?? 0);
      const headers = at(item, 'headers');
      return [
        { version, weight, mark: item.mark, headers: headers === undefined ? undefined : headersOf(headers) },
      ];
    });
    if (items.length === 0) this.error(route.mark, 'route: expected at least one destination');
    if (chosen.length !== items.length) return {};
    const split = splitOf(chosen);
    if (typeof split === 'string') {
      this.error(route.mark, `route: ${split}`);
      return {};
    }
    return split;
  }

  private mirrors(): Growth | undefined {
    const { rule } = this;
    const single = at(rule, 'mirror');
    const share = (node: TreeNode | undefined): Growth | undefined =>
      node === undefined ? undefined : shareNode(node, numberAt(node, 'value') ?? 0);
    const whole = at(rule, 'mirrorPercent') ?? at(rule, 'mirror_percent');
    const mirrors: (Growth | null)[] = [];
    if (single !== undefined)
      mirrors.push(this.mirror(single, share(at(rule, 'mirrorPercentage')) ?? whole ?? 100, single.mark));
    for (const item of itemsAt(rule, 'mirrors'))
      mirrors.push(this.mirror(at(item, 'destination'), share(at(item, 'percentage')) ?? 100, item.mark));
    const known = mirrors.filter((mirror) => mirror !== null);
    return known.length === 0 ? undefined : known;
  }

  private mirror(destination: TreeNode | undefined, percent: Growth, mark: Mark): Growth | null {
    const version = this.version(destination);
    if (version === null) return null;
    const { mirrorHost } = this.mapping;
    const host = mirrorHost === 'shadow' ? undefined : mirrorHost;
    return grow(mark, { to: version, percent, of: 'forwarded', host });
  }

  private version(node: TreeNode | undefined): string | null {
    if (!(node instanceof MapNode)) return null;
    return this.mapping.destinations.version(this.document, destinationAt(node, this.document.namespace));
  }

  private match(match: TreeNode): MatchGrowth {
    const uri = at(match, 'uri');
    const ignoreCase = booleanAt(match, 'ignoreUriCase') === true;
    const kind = uri === undefined ? undefined : stringMatch(uri);
    const isRegex = textAt(uri, 'regex') !== undefined;
    if (kind === 'any') this.error(uri!.mark, 'match.uri: expected one of exact, prefix and regex');
    const authority = at(match, 'authority');
    const header = this.fields(at(match, 'headers'), true);
    if (authority !== undefined) header.host = this.field(authority, true);
    const without = this.fields(at(match, 'withoutHeaders'), true);
    // Envoy treats an absent field as empty here, so a field that an empty text matches must be present to
    // differ.
    for (const [name, entry] of entriesAt(match, 'withoutHeaders'))
      if (fitsEmpty(entry.node) && !Object.hasOwn(header, name))
        header[name] = placed(entry.node, { present: true });
    const query = this.fields(at(match, 'queryParams'), true);
    return {
      port: at(match, 'port'),
      scheme: this.scheme(at(match, 'scheme')),
      path:
        uri === undefined || kind === 'any'
          ? undefined
          : grow(uri.mark, { ...kind, ignoreCase: ignoreCase && !isRegex ? true : undefined }),
      method: this.methods(at(match, 'method')),
      header: unlessEmpty(header),
      query: unlessEmpty(query),
      without: Object.keys(without).length === 0 ? undefined : { header: without },
    };
  }

  private fields(node: TreeNode | undefined, present: boolean): Record<string, Growth> {
    const fields: Record<string, Growth> = {};
    for (const [name, entry] of entriesAt(node)) fields[name] = this.field(entry.node, present);
    return fields;
  }

  private field(node: TreeNode, present: boolean): Growth {
    const kind = stringMatch(node);
    return placed(node, kind === 'any' ? { present } : kind);
  }

  private scheme(scheme: TreeNode | undefined): Growth | undefined {
    if (scheme === undefined) return undefined;
    const fitting = ['http', 'https'].filter((text) => fits(scheme, text));
    if (fitting.length === 0) this.error(scheme.mark, 'match.scheme: neither http nor https fits');
    return fitting.length === 1 ? placed(scheme, fitting[0]) : undefined;
  }

  private methods(method: TreeNode | undefined): Growth | undefined {
    if (method === undefined) return undefined;
    const exact = at(method, 'exact');
    if (exact !== undefined) return placed(exact, [exact]);
    const regex = at(method, 'regex');
    const names = textAt(regex)
      ?.replace(/^\^?\(?|\)?\$?$/g, '')
      .split('|');
    if (names?.every((name) => /^[A-Z]+$/.test(name))) return placed(regex!, names);
    const fitting = standardMethods.filter((name) => fits(method, name));
    if (fitting.length === 0) this.error(method.mark, 'match.method: no method of HTTP fits');
    this.warn(method.mark, `match.method is tried on the methods of HTTP alone: ${fitting.join(', ')}`);
    if (fitting.length > 0) return placed(method, fitting);
    return undefined;
  }

  private redirect(redirect: TreeNode): Growth {
    const authority = /^(.*?)(?::(\d+))?$/.exec(textAt(redirect, 'authority') ?? '')!;
    const scheme = textAt(redirect, 'scheme');
    const derive = textAt(redirect, 'derivePort');
    const ofProtocol = scheme === undefined ? undefined : scheme === 'https' ? 443 : 80;
    const derived =
      derive === 'FROM_REQUEST_PORT' ? 'listener' : derive === undefined ? undefined : ofProtocol;
    return placed(redirect, {
      status: at(redirect, 'redirectCode') ?? 301,
      scheme: at(redirect, 'scheme'),
      host: authority[1] === '' ? undefined : placed(at(redirect, 'authority')!, authority[1]),
      port: at(redirect, 'port') ?? (authority[2] !== undefined ? Number(authority[2]) : derived),
      path: at(redirect, 'uri'),
    });
  }

  private respond(respond: TreeNode): Growth {
    const bytes = at(respond, 'body', 'bytes');
    const text = bytes === undefined ? undefined : textOfBase64(textAt(bytes) ?? '');
    if (text === null) this.error(bytes!.mark, 'directResponse.body.bytes: expected base64 of UTF-8 text');
    return placed(respond, {
      status: at(respond, 'status'),
      body: bytes === undefined ? at(respond, 'body', 'string') : placed(bytes, text ?? ''),
    });
  }

  private retries(): Growth | undefined {
    const retries = at(this.rule, 'retries');
    if (retries === undefined || numberAt(retries, 'attempts') === 0) return undefined;
    const perTry = at(retries, 'perTryTimeout');
    const retryOn = at(retries, 'retryOn');
    const { on, unknown } = retryConditions(textAt(retryOn) ?? '');
    for (const word of unknown)
      this.mapping.problems.push(
        warnOf(
          this.document,
          retryOn!.mark,
          `retries.retryOn: \`${word}\` is ignored: umbra has no equivalent condition`,
        ),
      );
    if (retryOn !== undefined && on.length === 0) return undefined;
    return grow(retries.mark, {
      attempts: at(retries, 'attempts') ?? 1,
      perTryTimeout: perTry === undefined ? undefined : durationNode(perTry),
      on: retryOn === undefined ? retryOnByDefault : placed(retryOn, on),
    });
  }

  private fault(): Growth | undefined {
    const fault = at(this.rule, 'fault');
    if (fault === undefined) return undefined;
    const share = (part: TreeNode): Growth => {
      const percentage = at(part, 'percentage');
      const percent = at(part, 'percent');
      return percentage === undefined
        ? (percent ?? 100)
        : shareNode(percentage, numberAt(percentage, 'value') ?? 0);
    };
    const delay = at(fault, 'delay');
    const abort = at(fault, 'abort');
    const fixed = at(delay, 'fixedDelay');
    const status = at(abort, 'httpStatus');
    const grpcStatus = at(abort, 'grpcStatus');
    if (delay === undefined && abort === undefined)
      this.error(fault.mark, 'fault: expected `delay`, `abort` or both');
    if (delay !== undefined && fixed === undefined)
      this.error(delay.mark, 'fault.delay: `fixedDelay` is missing');
    if (abort !== undefined && status === undefined && grpcStatus === undefined)
      this.error(abort.mark, 'fault.abort: expected `httpStatus` or `grpcStatus`');
    return grow(fault.mark, {
      delay:
        fixed === undefined ? undefined : placed(fixed, { percent: share(delay!), for: durationNode(fixed) }),
      abort: abort === undefined ? undefined : placed(abort, { percent: share(abort), status, grpcStatus }),
    });
  }

  private warn(mark: Mark, message: string): void {
    this.mapping.problems.push(warnOf(this.document, mark, message));
  }

  private error(mark: Mark, message: string): void {
    this.mapping.problems.push(errorOf(this.document, mark, message));
  }
}

/**
 * `pathRewrite` replaces as Envoy does: a matched prefix; without a condition on the path the prefix `/`;
 * otherwise the whole path.
 */
function pathRewrite(to: TreeNode, matched: TreeNode | undefined): Growth {
  if (matched === undefined) return placed(to, { prefix: '/', to });
  const prefix = at(matched, 'prefix');
  return placed(to, prefix === undefined ? { set: to } : { prefix, to });
}

function regexRewrite(node: TreeNode): Growth {
  return placed(node, { regex: at(node, 'match'), to: at(node, 'rewrite') });
}

function unlessEmpty(fields: Record<string, Growth>): Growth | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

function textOfBase64(base64: string): string | null {
  const bytes = Buffer.from(base64, 'base64');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}
