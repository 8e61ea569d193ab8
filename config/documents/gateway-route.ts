/** What HTTPRoute and GRPCRoute have in common: their Gateways, hosts and rules. */
import type { TreeNode } from '../tree.js';
import { type Document, errorOf, warnOf } from './document.js';
import type { Draft, Mapping } from './draft.js';
import { type Binding, everything } from './gateways.js';
import { wholeHost } from './host-name.js';
import { itemsAt, keyMark, numberAt, textAt } from './look.js';
import { boundDrafts } from './parts.js';

/** `draftsOfRoute` converts one document, of which `drafts` converts a rule with its index. */
export function draftsOfRoute(
  document: Document,
  mapping: Mapping,
  drafts: (rule: TreeNode, hosts: readonly string[], index: number) => Draft[],
): Draft[] {
  const given = itemsAt(document.spec, 'hostnames').map((host) => (textAt(host) ?? '').toLowerCase());
  const hosts = given.length === 0 ? hostsOfParents(document) : given;
  const bindings = bindingsOf(document, mapping);
  const rules = itemsAt(document.spec, 'rules');
  if (rules.length === 0)
    mapping.problems.push(
      errorOf(document, keyMark(document.spec, 'rules'), 'spec.rules: expected at least one rule'),
    );
  const drafted = rules.flatMap((rule, index) => drafts(rule, hosts, index));
  const bound = boundDrafts(drafted, bindings);
  if (bound.length === 0 && drafted.length > 0) {
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
