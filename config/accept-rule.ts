/**
 * `acceptInConfig` adds a rule to `compare.rules` of a mirror in the text of a configuration. It keeps
 * comments and everything else.
 */
import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';

export interface AcceptedGroup {
  readonly route: string;
  readonly version: string;
  /** Empty for all endpoints. */
  readonly endpoint: string;
  readonly kind: string;
  readonly path: string;
  readonly change: string;
}

/** `ruleOf` returns the rule that accepts one group and nothing else. */
export function ruleOf({ endpoint, kind, path, change }: AcceptedGroup): object {
  return {
    path: kind === 'json' ? path : `${kind}:${path}`,
    ...(endpoint === '' ? {} : { endpoint }),
    ignore: change,
  };
}

/** Why the rule can't be added to a configuration, as the end of a message. */
export class AcceptRefusal {
  constructor(readonly reason: string) {}
}

/** `acceptInConfig` returns the text with the rule of `group`. */
export function acceptInConfig(text: string, group: AcceptedGroup): string | AcceptRefusal {
  const document = parseDocument(text);
  if (document.errors.length > 0) return new AcceptRefusal('is not YAML');
  const route = itemOf(document.get('routes'), 'name', group.route);
  if (route === null) return new AcceptRefusal(`has no route \`${group.route}\``);
  const mirror = itemOf(route.get('mirrors'), 'to', group.version);
  if (mirror === null)
    return new AcceptRefusal(`has no mirror of \`${group.route}\` to \`${group.version}\``);
  const compare = mirror.get('compare');
  if (!isMap(compare)) return new AcceptRefusal('has no `compare` at this mirror, or takes it from an alias');
  const rules = compare.get('rules');
  if (rules !== undefined && !isSeq(rules))
    return new AcceptRefusal('has `compare.rules` that are not a list');
  const rule = document.createNode(ruleOf(group), { flow: true });
  if (isSeq(rules)) rules.add(rule);
  else compare.set('rules', document.createNode([rule]));
  return document.toString({ lineWidth: 0 });
}

function itemOf(list: unknown, key: string, value: string): YAMLMap | null {
  if (!isSeq(list)) return null;
  return list.items.find((item): item is YAMLMap => isMap(item) && item.get(key) === value) ?? null;
}
