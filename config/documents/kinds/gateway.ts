/**
 * Fields of Gateway API's Gateway and of Istio's. umbra opens no listener for them: their listeners are
 * compared with `listen` of umbra.yaml, and routes of a Gateway get the hosts and ports of its listeners.
 */
import { ignored, refused, required, supported } from '../fate.js';
import { fields, listOf, port, type Shape, text, word, wordInAnyCase } from '../shape.js';

const noCluster = 'certificates are files of the machine: `listen[].tls` of umbra.yaml';
const comparedPort = 'compared with `listen`; routes of the Gateway have it as `match.port`';

const listener = fields({
  name: required(text, '`sectionName` of a route names it'),
  hostname: supported(text, 'the hosts of its routes, where both agree'),
  port: required(port, comparedPort),
  protocol: required(text, 'HTTP and HTTPS are compared with `listen`; others are reported'),
  tls: supported(
    fields({
      mode: supported(word('Terminate', 'Passthrough'), 'Passthrough is refused: umbra routes only HTTP'),
      certificateRefs: ignored(noCluster),
      options: ignored(noCluster),
    }),
  ),
  allowedRoutes: ignored('umbra accepts every route of its documents'),
});

export const gateway: Shape = fields({
  gatewayClassName: supported(text, 'umbra is the gateway of every class'),
  listeners: supported(listOf(listener)),
  addresses: ignored('umbra listens on the addresses in `listen` of umbra.yaml'),
  infrastructure: ignored('umbra starts no infrastructure'),
  allowedListeners: ignored('umbra does not support ListenerSet'),
  tls: refused('client certificates of versions are `tls` of a DestinationRule or of umbra.yaml'),
  defaultScope: ignored('a route names its Gateways'),
});

const serverTls = fields({
  httpsRedirect: refused('write a rule with `redirect: { scheme: https }`'),
  mode: supported(
    word('PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'),
    'SIMPLE is compared with `listen[].tls`; the others are refused',
  ),
  serverCertificate: supported(text, 'compared with `listen[].tls.cert`'),
  privateKey: supported(text, 'compared with `listen[].tls.key`'),
  caCertificates: refused('umbra does not request client certificates'),
  caCrl: refused('umbra does not request client certificates'),
  tlsCertificates: ignored(noCluster),
  credentialName: ignored(noCluster),
  credentialNames: ignored(noCluster),
  caCertCredentialName: refused('umbra does not request client certificates'),
  subjectAltNames: refused('umbra does not request client certificates'),
  verifyCertificateSpki: refused('umbra does not request client certificates'),
  verifyCertificateHash: refused('umbra does not request client certificates'),
  insecureSkipVerify: refused('umbra does not request client certificates'),
  ecdhCurves: ignored('umbra uses the defaults of its TLS library'),
  minProtocolVersion: ignored('umbra uses the defaults of its TLS library'),
  maxProtocolVersion: ignored('umbra uses the defaults of its TLS library'),
  cipherSuites: ignored('umbra uses the defaults of its TLS library'),
});

const server = fields({
  port: required(
    fields({
      number: required(port, comparedPort),
      protocol: supported(
        wordInAnyCase('HTTP', 'HTTPS', 'GRPC', 'GRPC-WEB', 'HTTP2', 'MONGO', 'TCP', 'TLS'),
        'HTTP and HTTPS are compared with `listen`; others are reported',
      ),
      name: supported(text, 'named in reports'),
      targetPort: ignored('Istio removed it'),
    }),
  ),
  hosts: required(
    listOf(text),
    'the hosts of its VirtualServices, where both agree; `NAMESPACE/` is left out',
  ),
  bind: ignored('umbra listens on the addresses in `listen` of umbra.yaml'),
  tls: supported(serverTls),
  defaultEndpoint: ignored('Istio does not carry it out either'),
  name: supported(text, 'named in reports'),
});

export const istioGateway: Shape = fields({
  servers: supported(listOf(server)),
  selector: ignored('umbra is the one gateway, whatever its labels'),
});
