/**
 * Addresses in a bundle of a cluster: a Service with its EndpointSlices or Endpoints, or with an external
 * name, becomes the equivalent ServiceEntry.
 */
import type { TreeNode } from '../tree.js';
import { type Growth, grow, placed } from './grow.js';
import { at, booleanAt, itemsAt, numberAt, textAt } from './look.js';

const serviceName = 'kubernetes.io/service-name';

interface Address {
  readonly node: TreeNode;
  /** Ports of the address, by the name of the Service's port. */
  readonly ports: ReadonlyMap<string, number>;
}

/**
 * `withAddresses` returns `roots` with each Service that has addresses replaced by a ServiceEntry. The
 * documents that provided the addresses are removed, and all others stay.
 */
export function withAddresses(roots: readonly TreeNode[], namespaceByDefault: string): TreeNode[] {
  if (!roots.some((root) => isCore(root, 'Service'))) return [...roots];
  const keyOf = (root: TreeNode, name: string | undefined) =>
    `${textAt(root, 'metadata', 'namespace') ?? namespaceByDefault}/${name ?? ''}`;
  const addresses = new Map<string, Address[]>();
  const ofEndpoints = new Map<string, Address[]>();
  const givers = new Map<TreeNode, string>();
  for (const root of roots) {
    const isSlice = isOf(root, 'discovery.k8s.io', 'EndpointSlice');
    if (!isSlice && !isCore(root, 'Endpoints')) continue;
    const name = isSlice ? textAt(root, 'metadata', 'labels', serviceName) : textAt(root, 'metadata', 'name');
    const key = keyOf(root, name);
    givers.set(root, key);
    const found = isSlice ? addressesOfSlice(root) : itemsAt(root, 'subsets').flatMap(addressesOfSubset);
    const of = isSlice ? addresses : ofEndpoints;
    of.set(key, [...(of.get(key) ?? []), ...found]);
  }
  const taken = new Set<string>();
  const entries = roots.map((root) => {
    if (!isCore(root, 'Service')) return root;
    const key = keyOf(root, textAt(root, 'metadata', 'name'));
    // A cluster exports both, with the same content.
    const entry = serviceEntryOf(root, addresses.get(key) ?? ofEndpoints.get(key) ?? []);
    if (entry !== null) taken.add(key);
    return entry ?? root;
  });
  return entries.filter((root) => !taken.has(givers.get(root) ?? ''));
}

function isOf(root: TreeNode, group: string, kind: string): boolean {
  return textAt(root, 'kind') === kind && (textAt(root, 'apiVersion') ?? '').split('/')[0] === group;
}

function isCore(root: TreeNode, kind: string): boolean {
  return isOf(root, 'v1', kind);
}

/** `serviceEntryOf` returns null when the Service has no address. */
function serviceEntryOf(service: TreeNode, addresses: readonly Address[]): TreeNode | null {
  const ports = itemsAt(service, 'spec', 'ports');
  const external = at(service, 'spec', 'externalName');
  if (external === undefined && addresses.length === 0) return null;
  const metadata = at(service, 'metadata');
  return grow(service.mark, {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: {
      name: `${textAt(metadata, 'name') ?? ''}.service`,
      namespace: at(metadata, 'namespace'),
    },
    spec: {
      hosts: [at(metadata, 'name') ?? ''],
      ports: ports.length === 0 ? [{ number: 80, name: 'http', protocol: 'HTTP' }] : ports.map(portOf),
      resolution: external === undefined ? 'STATIC' : 'DNS',
      endpoints: external === undefined ? addresses.map(endpointOf) : [{ address: external }],
    },
  });
}

function portOf(node: TreeNode, index: number): Growth {
  const number = numberAt(node, 'port') ?? 0;
  return placed(node, {
    number,
    name: nameOf(node, index),
    protocol: protocolOf(node, number),
    targetPort: numberAt(node, 'targetPort'),
  });
}

/** `nameOf` returns a default for a Service with one port, which may omit its name. */
function nameOf(node: TreeNode, index: number): string {
  return textAt(node, 'name') ?? (index === 0 ? 'http' : `port-${index}`);
}

/** Names that Kubernetes gives to protocols (Service, `appProtocol`). */
const kubernetesProtocols: Readonly<Record<string, string>> = {
  'kubernetes.io/h2c': 'HTTP2',
  'kubernetes.io/ws': 'HTTP',
  'kubernetes.io/wss': 'HTTPS',
};
const namedProtocols = ['HTTP', 'HTTPS', 'HTTP2', 'GRPC', 'TLS', 'TCP', 'MONGO', 'MYSQL', 'REDIS'];

/**
 * `protocolOf` follows Istio (pkg/config/kube: `ConvertProtocol`): `appProtocol`, else the first part of the
 * name, else HTTP, which Istio detects.
 */
function protocolOf(node: TreeNode, number: number): string {
  if (textAt(node, 'protocol') === 'UDP') return 'UDP';
  const said = textAt(node, 'appProtocol');
  if (said !== undefined && Object.hasOwn(kubernetesProtocols, said)) return kubernetesProtocols[said];
  const name = (said ?? textAt(node, 'name') ?? '').toUpperCase();
  if (name.startsWith('GRPC-WEB')) return 'GRPC-WEB';
  const [protocol] = name.split('-');
  if (namedProtocols.includes(protocol)) return protocol;
  return number === 443 ? 'HTTPS' : 'HTTP';
}

function addressesOfSlice(slice: TreeNode): Address[] {
  const ports = portsOf(slice);
  return itemsAt(slice, 'endpoints').flatMap((endpoint) => {
    // An absent condition means ready.
    if (booleanAt(endpoint, 'conditions', 'ready') === false) return [];
    return itemsAt(endpoint, 'addresses').flatMap((node) => addressOf(node, ports));
  });
}

function addressesOfSubset(subset: TreeNode): Address[] {
  const ports = portsOf(subset);
  return itemsAt(subset, 'addresses').flatMap((address) => addressOf(at(address, 'ip'), ports));
}

function addressOf(node: TreeNode | undefined, ports: ReadonlyMap<string, number>): Address[] {
  return node === undefined ? [] : [{ node, ports }];
}

function portsOf(node: TreeNode): ReadonlyMap<string, number> {
  return new Map(
    itemsAt(node, 'ports').flatMap((port, index) => {
      const number = numberAt(port, 'port');
      const name = textAt(port, 'name') || undefined;
      return number === undefined
        ? []
        : [[name ?? (index === 0 ? 'http' : `port-${index}`), number] as const];
    }),
  );
}

function endpointOf({ node, ports }: Address): Growth {
  return placed(node, { address: node, ports: Object.fromEntries(ports) });
}
