/**
 * Converts an HTTPRoute to drafts of routes: one for each match of each rule, because the most specific match
 * comes first. The file is long because it follows the resource field by field.
 */
import { withoutTrailing } from '../../core/trim.js';
import type { Mark } from '../problem.js';
import type { TreeNode } from '../tree.js';
import { corsOfFilter } from './cors.js';
import { type Document, errorOf, warnOf } from './document.js';
import { type Draft, type Mapping, type MatchGrowth, routeNameOf } from './draft.js';
import { type Binding, everything } from './gateways.js';
import { type Growth, grow, placed } from './grow.js';
import { modifications } from './header-modifiers.js';
import { wholeHost } from './host-name.js';
import { pathOf, specificity, valuesOf } from './http-route-match.js';
import { at, itemsAt, keyMark, numberAt, textAt } from './look.js';
import { boundDrafts, type Chosen, shareNode, splitOf, timeoutOf, withKeys } from './parts.js';
import { durationNode } from './traffic-policy.js';

/**
 * `draftHttpRoute` converts one document. `age` counts documents from the oldest: of two equally specific
 * matches, that of the older document comes first.
 */
export function draftHttpRoute(document: Document, mapping: Mapping, age: number): Draft[] {
  const given = itemsAt(document.spec, 'hostnames').map((host) => (textAt(host) ?? '').toLowerCase());
  const hosts = given.length === 0 ? hostsOfParents(document) : given;
  const bindings = bindingsOf(document, mapping);
  const rules = itemsAt(document.spec, 'rules');
  if (rules.length === 0)
    mapping.problems.push(
      errorOf(document, keyMark(document.spec, 'rules'), 'spec.rules: expected at least one rule'),
    );
  const drafts = rules.flatMap((rule, index) =>
    new RuleDraft(document, mapping, rule).drafts(hosts, age, index),
  );
  const bound = boundDrafts(drafts, bindings);
  if (bound.length === 0 && drafts.length > 0) {
    const message = 'no listener of its Gateways takes its hostnames: it has no effect';
    mapping.problems.push(warnOf(document, document.mark, message));
  }
  return bound;
}

/**
 * `bindingsOf` returns the hosts and ports of the listeners of its Gateways. Without such a Gateway among the
 * documents it returns all.
 */
function bindingsOf(document: Document, { gateways, problems }: Mapping): Binding[] {
  const parents = itemsAt(document.spec, 'parentRefs');
  const bindings = parents.flatMap((parent): Binding[] => {
    const kind = textAt(parent, 'kind') ?? 'Gateway';
    const name = textAt(parent, 'name') ?? '';
    const namespace = textAt(parent, 'namespace') ?? document.namespace;
    const wanted = { sectionName: textAt(parent, 'sectionName'), port: numberAt(parent, 'port') };
    const found = kind === 'Gateway' ? gateways.bindings('Gateway', namespace, name, wanted) : null;
    const warn = (message: string) => problems.push(warnOf(document, parent.mark, message));
    if (found === null) {
      if (wanted.sectionName !== undefined)
        warn(`sectionName is ignored: ${kind} ${namespace}/${name} is not among the documents`);
      const port = gateways.matched(wanted.port);
      if (port === null && wanted.port !== undefined)
        warn(`port ${wanted.port} is ignored: \`listen\` of umbra.yaml has no such port`);
      return [{ ...everything, port }];
    }
    if (found.length === 0) warn(`Gateway ${namespace}/${name} has no listener that fits this parent`);
    return found;
  });
  return parents.length === 0 ? [everything] : bindings;
}

/**
 * `hostsOfParents` returns the hosts of parent Services (GEP-1294). With any other parent it returns every
 * host.
 */
function hostsOfParents({ spec, namespace }: Document): string[] {
  const parents = itemsAt(spec, 'parentRefs');
  const services = parents.filter((parent) => textAt(parent, 'kind') === 'Service');
  if (services.length === 0 || services.length < parents.length) return ['*'];
  const hosts = services.map((parent) =>
    wholeHost(textAt(parent, 'name') ?? '', textAt(parent, 'namespace') ?? namespace),
  );
  return [...new Set(hosts)];
}

/** A match, and how the rule replaces its prefix. */
interface PathWay {
  readonly path: Growth | undefined;
  /** Returns the replacement of the matched prefix; null when nothing is replaced. */
  readonly replace: ((to: TreeNode) => Growth) | null;
}

const onceInRule = [
  'requestRedirect',
  'urlRewrite',
  'requestHeaderModifier',
  'responseHeaderModifier',
  'cors',
];

class RuleDraft {
  constructor(
    private readonly document: Document,
    private readonly mapping: Mapping,
    private readonly rule: TreeNode,
  ) {}

  drafts(hosts: readonly string[], age: number, index: number): Draft[] {
    const { document, mapping, rule } = this;
    const given = itemsAt(rule, 'matches');
    const matches: readonly (TreeNode | undefined)[] = given.length === 0 ? [undefined] : given;
    const body = this.body();
    const replacement = this.prefixReplacement();
    let part = 0;
    return matches.flatMap((match, position) => {
      const others = this.conditions(match);
      const ways = replacement === undefined ? [this.plainWay(match)] : this.replacedWays(match, replacement);
      const byWay = ways.map((way) => ({ way, matches: this.matchesOf(way, others) }));
      return byWay.map(({ way, matches }): Draft => {
        part++;
        return {
          document,
          name: routeNameOf(document, mapping.namespace, index, textAt(rule, 'name'), part),
          mark: (match ?? rule).mark,
          hosts,
          matches,
          body:
            replacement === undefined || way.replace === null
              ? body
              : replaced(body, replacement, way.replace),
          rank: [...specificity(match), age, index, position],
        };
      });
    });
  }

  private matchesOf(way: PathWay, others: MatchGrowth): MatchGrowth[] {
    const paths = Array.isArray(way.path) ? (way.path as readonly Growth[]) : [way.path];
    return paths.map((path) => ({ path, ...others }));
  }

  /** `plainWay` matches whole elements: for the prefix `/abc`, that path and everything below `/abc/`. */
  private plainWay(match: TreeNode | undefined): PathWay {
    const { type, value, node } = pathOf(match);
    if (type === 'Exact') return { path: placed(node!, { exact: value }), replace: null };
    if (type === 'RegularExpression') return { path: placed(node!, { regex: value }), replace: null };
    const bare = withoutTrailing(value, '/');
    if (bare === '') return { path: undefined, replace: null };
    return { path: [placed(node!, { exact: bare }), placed(node!, { prefix: `${bare}/` })], replace: null };
  }

  private replacedWays(match: TreeNode | undefined, replacement: TreeNode): PathWay[] {
    const { type, value, node } = pathOf(match);
    if (type !== 'PathPrefix') {
      this.error(replacement.mark, 'replacePrefixMatch needs a PathPrefix in every match of the rule');
      return [];
    }
    const bare = withoutTrailing(value, '/');
    const below = (to: TreeNode) => `${withoutTrailing(textAt(to) ?? '', '/')}/`;
    if (bare === '')
      return [{ path: undefined, replace: (to) => placed(to, { prefix: '/', to: below(to) }) }];
    return [
      {
        path: placed(node!, { exact: bare }),
        replace: (to) => placed(to, { set: withoutTrailing(textAt(to) ?? '', '/') || '/' }),
      },
      {
        path: placed(node!, { prefix: `${bare}/` }),
        replace: (to) => placed(to, { prefix: `${bare}/`, to: below(to) }),
      },
    ];
  }

  private prefixReplacement(): TreeNode | undefined {
    for (const filter of this.filters()) {
      const found =
        at(filter, 'urlRewrite', 'path', 'replacePrefixMatch') ??
        at(filter, 'requestRedirect', 'path', 'replacePrefixMatch');
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private conditions(match: TreeNode | undefined): MatchGrowth {
    const method = at(match, 'method');
    return {
      method: method === undefined ? undefined : placed(method, [method]),
      header: valuesOf(at(match, 'headers'), true),
      query: valuesOf(at(match, 'queryParams'), false),
    };
  }

  private body(): Draft['body'] {
    const { rule } = this;
    const filters = this.filters();
    for (const filter of filters) this.checkFilter(filter);
    const of = (key: string) => filters.flatMap((filter) => at(filter, key) ?? []);
    for (const key of onceInRule) {
      const [, second] = of(key);
      if (second !== undefined) this.error(second.mark, `only one \`${key}\` is possible in a rule`);
    }
    const [redirect] = of('requestRedirect');
    const [rewrite] = of('urlRewrite');
    const [filter] = of('cors');
    const cors = filter === undefined ? undefined : corsOfFilter(filter);
    const [request] = of('requestHeaderModifier');
    const [response] = of('responseHeaderModifier');
    const answered = (answer: Draft['body']): Draft['body'] => {
      if (request !== undefined)
        this.warn(request.mark, '`requestHeaderModifier` is ignored: nothing is forwarded here');
      return { ...answer, headers: modifications(undefined, response, rule.mark), cors };
    };
    if (redirect !== undefined) {
      if (rewrite !== undefined) this.error(rewrite.mark, "a rule that redirects can't rewrite");
      if (itemsAt(rule, 'backendRefs').length > 0 && this.filtersOfBackend().length === 0)
        this.error(keyMark(rule, 'backendRefs'), "a rule that redirects can't forward");
      return answered({ redirect: redirectOf(redirect) });
    }
    const split = this.split();
    if (split === null) return answered({ respond: grow(rule.mark, { status: 500 }) });
    return {
      ...split,
      ...this.times(),
      headers: modifications(request, response, rule.mark),
      cors,
      rewrite: rewrite === undefined ? undefined : rewriteOf(rewrite),
      mirrors: this.mirrors(of('requestMirror')),
    };
  }

  private filters(): readonly TreeNode[] {
    return [...itemsAt(this.rule, 'filters'), ...this.filtersOfBackend()];
  }

  /**
   * `filtersOfBackend` returns the filters of a backend that are not header modifiers. With one backend they
   * apply to the rule.
   */
  private filtersOfBackend(): readonly TreeNode[] {
    const refs = itemsAt(this.rule, 'backendRefs');
    const others = refs.flatMap((ref) =>
      itemsAt(ref, 'filters').filter((filter) => !isHeaderModifier(filter)),
    );
    if (refs.length === 1 || others.length === 0) return others;
    this.error(others[0].mark, 'filters: besides header modifiers only where the rule has one backend');
    return [];
  }

  /** `checkFilter` requires the key that belongs to the filter's type. */
  private checkFilter(filter: TreeNode): void {
    const type = textAt(filter, 'type') ?? '';
    const key = type === 'CORS' ? 'cors' : type.startsWith('URL') ? `url${type.slice(3)}` : lowerFirst(type);
    if (type !== '' && at(filter, key) === undefined)
      this.error(filter.mark, `a filter of type ${type} needs \`${key}\``);
  }

  /**
   * `split` returns null when there is nothing to forward to. The share of missing backends is answered 500.
   */
  private split(): Draft['body'] | null {
    const refs = itemsAt(this.rule, 'backendRefs');
    let missing = 0;
    const chosen: Chosen[] = refs.flatMap((ref) => {
      const weight = numberAt(ref, 'weight') ?? 1;
      const version = this.version(ref);
      if (version === null) missing += weight;
      if (version === null) return [];
      const filters = itemsAt(ref, 'filters').filter(isHeaderModifier);
      for (const filter of filters) this.checkFilter(filter);
      const part = (key: string) =>
        filters.map((filter) => at(filter, key)).find((node) => node !== undefined);
      const headers = modifications(part('requestHeaderModifier'), part('responseHeaderModifier'), ref.mark);
      return [{ version, weight, mark: ref.mark, headers }];
    });
    const present = chosen.reduce((sum, { weight }) => sum + weight, 0);
    if (present === 0) return null;
    const split = splitOf(chosen);
    if (typeof split === 'string') {
      this.error(keyMark(this.rule, 'backendRefs'), `backendRefs: ${split}`);
      return {};
    }
    if (missing === 0) return split;
    const percent = shareNode(this.rule, (missing / (missing + present)) * 100);
    return { ...split, fault: grow(this.rule.mark, { abort: { percent, status: 500 } }) };
  }

  /** `version` returns null for a missing backend, which it reports. */
  private version(ref: TreeNode): string | null {
    const { document, mapping } = this;
    const namespace = textAt(ref, 'namespace') ?? document.namespace;
    const node = at(ref, 'name');
    const name = textAt(node) ?? '';
    if ((textAt(ref, 'group') ?? '') !== '' || (textAt(ref, 'kind') ?? 'Service') !== 'Service') {
      this.warn(ref.mark, `the backend \`${name}\` is not a Service: its share is answered 500`);
      return null;
    }
    if (!mapping.grants.permit(document.namespace, namespace, name)) {
      this.warn(
        ref.mark,
        `the backend \`${namespace}/${name}\` needs a ReferenceGrant: its share is answered 500`,
      );
      return null;
    }
    return mapping.destinations.version(document, {
      host: wholeHost(name, namespace),
      subset: undefined,
      port: numberAt(ref, 'port'),
      mark: (node ?? ref).mark,
      isLenient: true,
    });
  }

  private times(): Draft['body'] {
    const { rule } = this;
    const set = (node: TreeNode | undefined) =>
      node !== undefined && !/^0(\.0+)?(h|m|s|ms)$/.test(textAt(node) ?? '') ? durationNode(node) : undefined;
    const request = set(at(rule, 'timeouts', 'request'));
    const backend = set(at(rule, 'timeouts', 'backendRequest'));
    const retry = at(rule, 'retry');
    if (retry === undefined) return timeoutOf(backend ?? request);
    const codes = itemsAt(retry, 'codes');
    return {
      ...timeoutOf(request),
      retries: grow(retry.mark, {
        attempts: at(retry, 'attempts') ?? 1,
        perTryTimeout: backend,
        on: ['connect', 'reset', ...codes],
      }),
    };
  }

  private mirrors(filters: readonly TreeNode[]): Growth | undefined {
    const mirrors = filters.flatMap((filter): Growth[] => {
      const ref = at(filter, 'backendRef');
      const version = ref === undefined ? null : this.version(ref);
      if (version === null) return [];
      const { mirrorHost } = this.mapping;
      const host = mirrorHost === 'shadow' ? undefined : mirrorHost;
      return [grow(filter.mark, { to: version, percent: this.share(filter), of: 'forwarded', host })];
    });
    return mirrors.length === 0 ? undefined : mirrors;
  }

  private share(filter: TreeNode): Growth {
    const percent = at(filter, 'percent');
    if (percent !== undefined) return percent;
    const fraction = at(filter, 'fraction');
    if (fraction === undefined) return 100;
    const numerator = numberAt(fraction, 'numerator') ?? 0;
    const denominator = numberAt(fraction, 'denominator') ?? 100;
    if (denominator === 0 || numerator > denominator) {
      this.error(fraction.mark, 'fraction: expected at most 1');
      return 100;
    }
    return shareNode(fraction, (numerator / denominator) * 100);
  }

  private warn(mark: Mark, message: string): void {
    this.mapping.problems.push(warnOf(this.document, mark, message));
  }

  private error(mark: Mark, message: string): void {
    this.mapping.problems.push(errorOf(this.document, mark, message));
  }
}

function rewriteOf(rewrite: TreeNode): Growth {
  const full = at(rewrite, 'path', 'replaceFullPath');
  return placed(rewrite, {
    host: at(rewrite, 'hostname'),
    path: full === undefined ? undefined : placed(full, { set: full }),
  });
}

/** `redirectOf` uses the port of the scheme, or of the listener, when the filter has no port. */
function redirectOf(redirect: TreeNode): Growth {
  const scheme = textAt(redirect, 'scheme');
  const port = scheme === undefined ? 'listener' : scheme === 'https' ? 443 : 80;
  return placed(redirect, {
    status: at(redirect, 'statusCode') ?? 302,
    scheme: at(redirect, 'scheme'),
    host: at(redirect, 'hostname'),
    port: at(redirect, 'port') ?? port,
    path: at(redirect, 'path', 'replaceFullPath'),
  });
}

/** `replaced` changes the prefix of the rule's rewrite or redirect according to its match. */
function replaced(body: Draft['body'], to: TreeNode, replace: (to: TreeNode) => Growth): Draft['body'] {
  const growth = replace(to);
  if (body.redirect !== undefined) {
    return { ...body, redirect: withKeys(body.redirect as TreeNode, { path: growth }) };
  }
  if (body.rewrite !== undefined)
    return { ...body, rewrite: withKeys(body.rewrite as TreeNode, { path: growth }) };
  return body;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function isHeaderModifier(filter: TreeNode): boolean {
  return ['RequestHeaderModifier', 'ResponseHeaderModifier'].includes(textAt(filter, 'type') ?? '');
}
