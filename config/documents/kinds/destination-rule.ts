/** Fields of Istio's DestinationRule. */
import { differs, ignored, refused, required, supported } from '../fate.js';
import {
  boolean,
  count,
  duration,
  fields,
  integer,
  listOf,
  mapOf,
  type Shape,
  text,
  word,
} from '../shape.js';

const connectionPool = fields({
  tcp: supported(
    fields({
      maxConnections: differs(
        integer(1, 65_535),
        '`connections.max`, per thread and endpoint; in Envoy per proxy',
      ),
      connectTimeout: supported(duration, '`connections.connectTimeout`; 10 s unless given'),
      idleTimeout: supported(duration, '`connections.idle`, if `http.idleTimeout` is absent'),
      tcpKeepalive: ignored('idle connections are closed, not probed'),
      maxConnectionDuration: ignored('connections live until they are idle'),
    }),
  ),
  http: supported(
    fields({
      http1MaxPendingRequests: supported(integer(0, 65_535), '`connections.queue.max`'),
      idleTimeout: supported(duration, '`connections.idle`'),
      http2MaxRequests: differs(
        count,
        'requests at once per thread and endpoint, in Envoy per proxy: as many connections (HTTP/2: times streams) as hold them; 0 is none',
      ),
      maxConcurrentStreams: supported(count, '`streams.max`'),
      http2KeepAlive: ignored('a connection on which nothing comes is probed with PING'),
      h2UpgradePolicy: supported(
        word('DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'),
        '`protocol: http2` with UPGRADE; a port for HTTP/2 has it in any case',
      ),
      useClientProtocol: ignored('umbra speaks one protocol to a version'),
      maxRequestsPerConnection: ignored('connections live until they are idle'),
      maxRetries: ignored('retries are bounded for each request'),
    }),
  ),
});

const outlierDetection = fields({
  consecutive5xxErrors: supported(
    integer(0, 1000),
    '`ejection.errors`, which counts statuses from 500 on and broken exchanges; 5 unless given, 0 turns it off',
  ),
  consecutiveGatewayErrors: supported(
    integer(0, 1000),
    '`ejection.failures`, which counts 502, 503, 504 and broken exchanges; 0 unless given, which is off',
  ),
  baseEjectionTime: supported(duration, '`ejection.baseTime`; 30 s unless given'),
  maxEjectionPercent: supported(integer(0, 100), '`ejection.maxPercent`; 10 unless given'),
  outlierDetectionHttpErrorCodes: ignored('umbra counts 502, 503 and 504, or every status from 500 on'),
  interval: ignored('umbra ejects at the failure that reaches the limit, not at intervals'),
  consecutiveErrors: ignored('Istio removed it; use `consecutive5xxErrors`'),
  consecutiveLocalOriginFailures: ignored('failed connections count like failed responses'),
  splitExternalLocalOriginErrors: ignored('failed connections count like failed responses'),
  minHealthPercent: ignored('when nothing is usable, everything is tried'),
});

const loadBalancer = fields({
  simple: supported(
    word('LEAST_REQUEST', 'LEAST_CONN', 'ROUND_ROBIN', 'RANDOM', 'UNSPECIFIED', 'PASSTHROUGH'),
    'umbra takes the endpoint with the fewest requests; ROUND_ROBIN and RANDOM are reported, PASSTHROUGH is refused',
  ),
  consistentHash: refused('umbra does not bind clients to endpoints'),
  localityLbSetting: ignored('umbra has no localities'),
  zoneAwareLbSetting: ignored('umbra has no zones'),
  backendUtilization: ignored('umbra does not read load reports of endpoints'),
  warmupDurationSecs: supported(duration, '`slowStart`'),
  warmup: supported(
    fields({
      duration: required(duration, '`slowStart`'),
      minimumPercent: ignored('the share grows from nothing'),
      aggression: ignored('the share grows evenly'),
    }),
  ),
});

const tls = fields({
  mode: required(
    word('DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'),
    'SIMPLE and MUTUAL: `https://`; ISTIO_MUTUAL is refused: umbra has no identity in a mesh',
  ),
  clientCertificate: supported(text, '`tls.cert`, a file of the machine'),
  privateKey: supported(text, '`tls.key`'),
  caCertificates: supported(text, "`tls.ca`; the system's unless given"),
  sni: supported(text, '`tls.serverName`, which is also the name that is checked'),
  insecureSkipVerify: supported(boolean, '`tls.verify`'),
  credentialName: refused('it names a Kubernetes secret; use files'),
  subjectAltNames: refused('umbra checks the one name in `sni`'),
  caCrl: refused('umbra does not check revocation lists'),
});

const trafficPolicy = fields({
  connectionPool: supported(connectionPool),
  outlierDetection: supported(outlierDetection, '`ejection`'),
  loadBalancer: supported(loadBalancer),
  tls: supported(tls),
  portLevelSettings: refused('write a DestinationRule without ports'),
  tunnel: refused('umbra does not tunnel through proxies'),
  proxyProtocol: refused('umbra does not speak the PROXY protocol'),
  retryBudget: ignored('retries are bounded for each request'),
});

export const destinationRule: Shape = fields({
  host: required(text, 'a short name belongs to the namespace of the document'),
  trafficPolicy: supported(trafficPolicy, 'for every version of the host; a subset replaces it part by part'),
  subsets: supported(
    listOf(
      fields({
        name: required(text),
        labels: supported(mapOf(text), 'choose among the endpoints of ServiceEntry and WorkloadEntry'),
        trafficPolicy: supported(trafficPolicy),
      }),
    ),
    'of two subsets with the same name for one host, in any documents, the older one counts',
  ),
  exportTo: ignored('umbra does not restrict namespaces'),
  workloadSelector: ignored('umbra is the one workload'),
});
