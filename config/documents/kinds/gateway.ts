/**
 * Fields of Gateway API's Gateway and of Istio's. umbra opens no listener for them: their listeners are
 * compared with `listen` of umbra.yaml, and routes of a Gateway get the hosts and ports of its listeners.
 */
import {
  fields,
  ignored,
  listOf,
  port,
  refused,
  required,
  type Shape,
  supported,
  text,
  word,
  wordInAnyCase,
} from '../shape.js';

const noCluster = 'certificates are files of the machine: `listen[].tls` of umbra.yaml';
const comparedPort = 'compared with `listen`; routes of the Gateway have it as `match.port`';

const listener = fields({
  name: required(text, '`sectionName` of a route names it'),
  hostname: supported(text, 'the hosts of its routes, where both agree'),
  port: required(port, comparedPort),
  protocol: required(text, 'HTTP and HTTPS are compared with `listen`; others are reported'),
  tls: supported(
    fields({
      mode: supported(word('Terminate', 'Passthrough'), 'Passthrough is refused: umbra routes HTTP alone'),
      certificateRefs: ignored(noCluster),
      options: ignored(noCluster),
    }),
  ),
  allowedRoutes: ignored('umbra lets every route of its documents in'),
});

export const gateway: Shape = fields({
  gatewayClassName: supported(text, 'umbra is the gateway of every class'),
  listeners: supported(listOf(listener)),
  addresses: ignored('umbra listens where `listen` of umbra.yaml says'),
  infrastructure: ignored('umbra starts no infrastructure'),
  allowedListeners: ignored('umbra takes no ListenerSet'),
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
  caCertificates: refused('umbra asks clients for no certificate'),
  caCrl: refused('umbra asks clients for no certificate'),
  tlsCertificates: ignored(noCluster),
  credentialName: ignored(noCluster),
  credentialNames: ignored(noCluster),
  caCertCredentialName: refused('umbra asks clients for no certificate'),
  subjectAltNames: refused('umbra asks clients for no certificate'),
  verifyCertificateSpki: refused('umbra asks clients for no certificate'),
  verifyCertificateHash: refused('umbra asks clients for no certificate'),
  insecureSkipVerify: refused('umbra asks clients for no certificate'),
  ecdhCurves: ignored('umbra takes what its TLS library takes'),
  minProtocolVersion: ignored('umbra takes what its TLS library takes'),
  maxProtocolVersion: ignored('umbra takes what its TLS library takes'),
  cipherSuites: ignored('umbra takes what its TLS library takes'),
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
      targetPort: ignored('Istio took it away'),
    }),
  ),
  hosts: required(
    listOf(text),
    'the hosts of its VirtualServices, where both agree; `NAMESPACE/` is left out',
  ),
  bind: ignored('umbra listens where `listen` of umbra.yaml says'),
  tls: supported(serverTls),
  defaultEndpoint: ignored('Istio does not carry it out either'),
  name: supported(text, 'named in reports'),
});

export const istioGateway: Shape = fields({
  servers: supported(listOf(server)),
  selector: ignored('umbra is the one gateway, whatever its labels'),
});
