/**
 * Converts an HTTPRoute to drafts of routes: one for each match of each rule, because the most specific match
 * comes first. The file is long because it follows the resource field by field.
 */
import { withoutTrailing } from '../../core/trim.js';
import type { TreeNode } from '../tree.js';
import { corsOfFilter } from './cors.js';
import type { Document } from './document.js';
import { type Draft, type Mapping, type MatchGrowth, routeNameOf } from './draft.js';
import { draftsOfRoute } from './gateway-route.js';
import { GatewayRule, type MissingBackend } from './gateway-rule.js';
import { type Growth, grow, placed } from './grow.js';
import { modifications } from './header-modifiers.js';
import { pathOf, specificity, valuesOf } from './http-route-match.js';
import { at, itemsAt, keyMark, textAt } from './look.js';
import { timeoutOf, withKeys } from './parts.js';
import { durationNode } from './traffic-policy.js';

/**
 * `draftHttpRoute` converts one document. `age` counts documents from the oldest: of two equally specific
 * matches, that of the older document comes first.
 */
export function draftHttpRoute(document: Document, mapping: Mapping, age: number): Draft[] {
  return draftsOfRoute(document, mapping, (rule, hosts, index) =>
    new RuleDraft(document, mapping, rule).drafts(hosts, age, index),
  );
}

const missingBackend: MissingBackend = { respond: 500, called: '500' };

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

class RuleDraft extends GatewayRule {
  protected override readonly missing = missingBackend;

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
    const of = (key: string) => this.filtersOf(filters, key);
    this.checkFilters(filters, onceInRule);
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
    if (split === null) return answered({ respond: grow(rule.mark, { status: missingBackend.respond }) });
    return {
      ...split,
      ...this.times(),
      headers: modifications(request, response, rule.mark),
      cors,
      rewrite: rewrite === undefined ? undefined : rewriteOf(rewrite),
      mirrors: this.mirrors(of('requestMirror')),
    };
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
