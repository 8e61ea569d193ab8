/** Summarizes a document in a few words for the output of `umbra apply`: `mirror v2 100 %`. */
import type { TreeNode } from '../tree.js';
import type { Document } from './document.js';
import { isGatewayRoute } from './kinds.js';
import { at, itemsAt, numberAt, textAt } from './look.js';

/** `factsOf` returns words that can be compared one by one with those of another version of the document. */
function factsOf({ kind, spec }: Document): string[] {
  const facts =
    kind.name === 'VirtualService'
      ? itemsAt(spec, 'http').flatMap(virtualServiceFacts)
      : isGatewayRoute(kind.name)
        ? itemsAt(spec, 'rules').flatMap(gatewayRouteFacts)
        : kind.name === 'DestinationRule'
          ? itemsAt(spec, 'subsets').map((subset) => `subset ${textAt(subset, 'name')}`)
          : kind.name === 'ServiceEntry'
            ? [`${itemsAt(spec, 'endpoints').length} endpoints`]
            : kind.name === 'WorkloadEntry'
              ? [`endpoint ${textAt(spec, 'address')}`]
              : kind.name === 'ReferenceGrant'
                ? itemsAt(spec, 'from').map((one) => `from ${textAt(one, 'namespace')}`)
                : [...itemsAt(spec, 'listeners'), ...itemsAt(spec, 'servers')].map(
                    (one) => `port ${numberAt(one, 'port') ?? numberAt(one, 'port', 'number')}`,
                  );
  return [...new Set(facts)];
}

/** `changeLine` returns the result for a document in kubectl's words, with new and removed facts. */
export function changeLine(label: string, before: Document | null, after: Document | null): string {
  if (after === null) return `${label} deleted`;
  if (before === null) return withFacts(`${label} created`, factsOf(after));
  const old = factsOf(before);
  const now = factsOf(after);
  const come = now.filter((fact) => !old.includes(fact));
  const subjects = new Set(come.map(subjectOf));
  const gone = old.filter((fact) => !now.includes(fact) && !subjects.has(subjectOf(fact)));
  return withFacts(`${label} configured`, [...come, ...gone.map((fact) => `no longer ${fact}`)]);
}

function withFacts(start: string, facts: readonly string[]): string {
  return facts.length === 0 ? start : `${start}: ${facts.join(', ')}`;
}

/**
 * `subjectOf` returns what a fact is about: `mirror v2 5 %` and `mirror v2 10 %` are about the same mirror,
 * and all facts of the destination are about one thing.
 */
function subjectOf(fact: string): string {
  const [first, second] = fact.split(' ');
  return first === 'mirror' ? `${first} ${second}` : first;
}

function virtualServiceFacts(rule: TreeNode): string[] {
  const facts: string[] = [];
  const routes = itemsAt(rule, 'route');
  if (routes.length > 0)
    facts.push(split(routes.map((route) => [called(at(route, 'destination')), numberAt(route, 'weight')])));
  if (at(rule, 'redirect') !== undefined) facts.push('redirect');
  if (at(rule, 'directResponse') !== undefined)
    facts.push(`answer ${numberAt(rule, 'directResponse', 'status')}`);
  if (at(rule, 'delegate') !== undefined) facts.push(`delegate ${textAt(rule, 'delegate', 'name')}`);
  const mirror = at(rule, 'mirror');
  if (mirror !== undefined) {
    const percentage = at(rule, 'mirrorPercentage');
    const whole = numberAt(rule, 'mirrorPercent') ?? numberAt(rule, 'mirror_percent') ?? 100;
    facts.push(mirrorFact(mirror, percentage === undefined ? whole : numberAt(percentage, 'value')));
  }
  for (const item of itemsAt(rule, 'mirrors')) {
    const share = at(item, 'percentage') === undefined ? 100 : numberAt(item, 'percentage', 'value');
    facts.push(mirrorFact(at(item, 'destination'), share));
  }
  if (at(rule, 'fault') !== undefined) facts.push('fault');
  return facts;
}

function gatewayRouteFacts(rule: TreeNode): string[] {
  const refs = itemsAt(rule, 'backendRefs');
  const facts =
    refs.length === 0 ? [] : [split(refs.map((ref) => [textAt(ref, 'name') ?? '', numberAt(ref, 'weight')]))];
  for (const filter of itemsAt(rule, 'filters')) {
    const mirror = at(filter, 'requestMirror');
    if (mirror !== undefined) {
      const fraction = at(mirror, 'fraction');
      const share =
        fraction === undefined
          ? (numberAt(mirror, 'percent') ?? 100)
          : ((numberAt(fraction, 'numerator') ?? 0) / (numberAt(fraction, 'denominator') ?? 100)) * 100;
      facts.push(`mirror ${textAt(mirror, 'backendRef', 'name')} ${share} %`);
    }
    if (at(filter, 'requestRedirect') !== undefined) facts.push('redirect');
  }
  return facts;
}

function split(parts: readonly (readonly [string, number | undefined])[]): string {
  if (parts.length === 1) return `to ${parts[0][0]}`;
  return `to ${parts.map(([name, weight]) => (weight === undefined ? name : `${name} ${weight}`)).join(' and ')}`;
}

function mirrorFact(destination: TreeNode | undefined, share: number | undefined): string {
  return `mirror ${called(destination)} ${share ?? 0} %`;
}

function called(destination: TreeNode | undefined): string {
  return textAt(destination, 'subset') ?? textAt(destination, 'host') ?? '';
}
