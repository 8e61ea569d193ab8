/**
 * Fields of Istio's ServiceEntry and WorkloadEntry: the endpoints of a host on machines outside of
 * Kubernetes.
 */
import { ignored, refused, required, supported } from '../fate.js';
import { count, fields, listOf, mapOf, port, type Shape, text, word, wordInAnyCase } from '../shape.js';

const workload = {
  address: required(text, 'an address, a name that is resolved, or `unix:///path`'),
  ports: supported(mapOf(port), "by the name of the service's port"),
  labels: supported(mapOf(text), 'what a subset chooses by'),
  network: ignored('umbra knows one network'),
  locality: ignored('umbra has no localities'),
  weight: supported(count, '`weight` of the endpoint; 1 unless given, and 0 is none'),
  serviceAccount: ignored('umbra has no identity in a mesh'),
};

export const workloadEntry: Shape = fields(workload);

export const serviceEntry: Shape = fields({
  hosts: required(listOf(text), 'names that destinations can have'),
  addresses: ignored('umbra routes by host, not by virtual address'),
  ports: required(
    listOf(
      fields({
        number: required(port),
        name: required(text),
        protocol: supported(
          wordInAnyCase(
            'HTTP',
            'HTTPS',
            'HTTP2',
            'GRPC',
            'GRPC-WEB',
            'TLS',
            'TCP',
            'UDP',
            'MONGO',
            'MYSQL',
            'REDIS',
          ),
          'in any case: HTTP, HTTPS for `https://`, HTTP2, GRPC and GRPC-Web for `protocol: http2`; others are reported',
        ),
        targetPort: supported(port, 'the port of endpoints that name none'),
      }),
    ),
    'without a port a destination means the first one for HTTP',
  ),
  location: ignored('umbra knows no mesh to be inside or outside of'),
  resolution: supported(
    word('NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'),
    'with DNS and without endpoints the host itself is resolved; NONE and DYNAMIC_DNS are reported then',
  ),
  endpoints: supported(listOf(fields(workload))),
  workloadSelector: supported(
    fields({ labels: required(mapOf(text)) }),
    'chooses WorkloadEntry documents of its namespace',
  ),
  exportTo: ignored('umbra does not restrict namespaces'),
  subjectAltNames: refused('umbra checks the name of the endpoint, or `sni` of the DestinationRule'),
});
