/**
 * Kinds that umbra does not support: those that are skipped, and those that would change the meaning of
 * others.
 */

/** Why a file with the kind is refused. */
const refused: Readonly<Record<string, string>> = {
  AuthorizationPolicy: 'it rejects requests that umbra would accept',
  RequestAuthentication: 'it rejects requests that umbra would accept',
  EnvoyFilter: 'it changes how Envoy applies other documents',
  BackendTLSPolicy: 'it configures connections to versions: use `tls` of a DestinationRule or of umbra.yaml',
};

/** Why the kind has no effect, if that is not obvious. */
const reasons: Readonly<Record<string, string>> = {
  TCPRoute: 'umbra routes only HTTP',
  UDPRoute: 'umbra routes only HTTP',
  TLSRoute: 'umbra routes only HTTP',
  GatewayClass: 'umbra is the gateway of every class',
  Service: 'it has no addresses here: EndpointSlice, Endpoints or ExternalName gives them',
  Kustomization: 'apply its directory',
};

/** Groups in which an unknown kind is more likely a typing error. */
const ownGroups = ['networking.istio.io', 'gateway.networking.k8s.io'];
const otherKindsOfOwnGroups = [
  'Sidecar',
  'EnvoyFilter',
  'WorkloadGroup',
  'ProxyConfig',
  'GatewayClass',
  'TCPRoute',
  'UDPRoute',
  'TLSRoute',
  'BackendTLSPolicy',
  'ListenerSet',
];

export type Verdict =
  | { readonly is: 'passed over'; readonly why: string }
  | { readonly is: 'refused'; readonly why: string };

/** `verdictOn` returns null for an unknown kind in a group whose kinds umbra knows. */
export function verdictOn(apiVersion: string, kind: string): Verdict | null {
  if (Object.hasOwn(refused, kind)) return { is: 'refused', why: refused[kind] };
  const group = apiVersion.split('/')[0];
  if (ownGroups.includes(group) && !otherKindsOfOwnGroups.includes(kind)) return null;
  const why = Object.hasOwn(reasons, kind) ? reasons[kind] : 'umbra does not carry it out';
  return { is: 'passed over', why };
}
