/** The documents that umbra supports, by apiVersion and kind. */
import { didYouMean } from '../suggest.js';
import { destinationRule } from './kinds/destination-rule.js';
import { gateway, istioGateway } from './kinds/gateway.js';
import { grpcRoute } from './kinds/grpc-route.js';
import { httpRoute } from './kinds/http-route.js';
import { documentShape } from './kinds/metadata.js';
import { referenceGrant } from './kinds/reference-grant.js';
import { serviceEntry, workloadEntry } from './kinds/service-entry.js';
import { virtualService } from './kinds/virtual-service.js';
import type { Shape } from './shape.js';

export type KindName =
  | 'VirtualService'
  | 'DestinationRule'
  | 'ServiceEntry'
  | 'WorkloadEntry'
  | 'HTTPRoute'
  | 'GRPCRoute'
  | 'Gateway'
  | 'IstioGateway'
  | 'ReferenceGrant';

export interface Kind {
  readonly name: KindName;
  /** `kind` of the document; two kinds are called Gateway. */
  readonly kind: string;
  readonly group: string;
  readonly versions: readonly string[];
  readonly spec: Shape;
  readonly document: Shape;
}

const istio = { group: 'networking.istio.io', versions: ['v1', 'v1beta1', 'v1alpha3'] };
const gatewayApi = { group: 'gateway.networking.k8s.io', versions: ['v1', 'v1beta1'] };

export const kinds: readonly Kind[] = [
  kind('VirtualService', istio, virtualService),
  kind('DestinationRule', istio, destinationRule),
  kind('ServiceEntry', istio, serviceEntry),
  kind('WorkloadEntry', istio, workloadEntry),
  kind('HTTPRoute', gatewayApi, httpRoute),
  kind('GRPCRoute', { ...gatewayApi, versions: ['v1', 'v1alpha2'] }, grpcRoute),
  kind('Gateway', gatewayApi, gateway),
  kind('IstioGateway', istio, istioGateway, 'Gateway'),
  kind('ReferenceGrant', { ...gatewayApi, versions: ['v1', 'v1beta1', 'v1alpha2'] }, referenceGrant),
];

/** `isGatewayRoute` is true for the routes of Gateway API. */
export function isGatewayRoute(kind: KindName): boolean {
  return kind === 'HTTPRoute' || kind === 'GRPCRoute';
}

/**
 * `findKind` returns the kind, a text that describes why the version is unknown, or null for a kind that
 * umbra does not have.
 */
export function findKind(apiVersion: string, name: string): Kind | string | null {
  const called = kinds.filter((kind) => kind.kind === name);
  const found = called.find(({ group }) => group === apiVersion.split('/')[0]) ?? called[0];
  if (found === undefined) return null;
  const versions = found.versions.map((version) => `${found.group}/${version}`);
  if (versions.includes(apiVersion)) return found;
  return `${name} of \`${apiVersion}\` is unknown${didYouMean(apiVersion, versions)}: umbra takes ${versions.join(', ')}`;
}

/** `unknownKind` returns a message that lists the kinds of umbra. */
export function unknownKind(name: string): string {
  const known = kinds.map((kind) => kind.kind);
  return `unknown kind \`${name}\`${didYouMean(name, known)}: umbra takes ${[...new Set(known)].join(', ')}`;
}

/** `kindByWord` finds a kind by its name in any case, as in commands: `virtualservice`. */
export function kindByWord(word: string): Kind | null {
  return kinds.find((kind) => kind.name.toLowerCase() === word.toLowerCase()) ?? null;
}

function kind(
  name: KindName,
  { group, versions }: Pick<Kind, 'group' | 'versions'>,
  spec: Shape,
  called: string = name,
): Kind {
  return { name, kind: called, group, versions, spec, document: documentShape(spec) };
}
