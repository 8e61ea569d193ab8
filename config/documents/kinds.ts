/** Which documents umbra takes, by apiVersion and kind. */
import { didYouMean } from '../suggest.js';
import { destinationRule } from './kinds/destination-rule.js';
import { httpRoute } from './kinds/http-route.js';
import { documentShape } from './kinds/metadata.js';
import { serviceEntry, workloadEntry } from './kinds/service-entry.js';
import { virtualService } from './kinds/virtual-service.js';
import type { Shape } from './shape.js';

export type KindName = 'VirtualService' | 'DestinationRule' | 'ServiceEntry' | 'WorkloadEntry' | 'HTTPRoute';

export interface Kind {
  readonly name: KindName;
  readonly group: string;
  readonly versions: readonly string[];
  readonly spec: Shape;
  readonly document: Shape;
}

const istio = { group: 'networking.istio.io', versions: ['v1', 'v1beta1', 'v1alpha3'] };
const gateway = { group: 'gateway.networking.k8s.io', versions: ['v1'] };

export const kinds: readonly Kind[] = [
  kind('VirtualService', istio, virtualService),
  kind('DestinationRule', istio, destinationRule),
  kind('ServiceEntry', istio, serviceEntry),
  kind('WorkloadEntry', istio, workloadEntry),
  kind('HTTPRoute', gateway, httpRoute),
];

/** The kind, or why there is none of this name. */
export function findKind(apiVersion: string, name: string): Kind | string {
  const found = kinds.find((kind) => kind.name === name);
  if (found === undefined) {
    const known = kinds.map((kind) => kind.name);
    return `unknown kind \`${name}\`${didYouMean(name, known)}: umbra takes ${known.join(', ')}`;
  }
  const versions = found.versions.map((version) => `${found.group}/${version}`);
  if (versions.includes(apiVersion)) return found;
  return `${name} of \`${apiVersion}\` is unknown${didYouMean(apiVersion, versions)}: umbra takes ${versions.join(', ')}`;
}

/** `virtualservice`, or null. Commands take a kind's name in any case. */
export function kindByWord(word: string): Kind | null {
  return kinds.find((kind) => kind.name.toLowerCase() === word.toLowerCase()) ?? null;
}

function kind(name: KindName, { group, versions }: Pick<Kind, 'group' | 'versions'>, spec: Shape): Kind {
  return { name, group, versions, spec, document: documentShape(spec) };
}
