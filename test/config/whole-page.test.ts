import t from '../support/tap.js';
import { told } from './told.js';

/** Every key that umbra has, as its documentation shows them. */
const page = `listen:
  - address: 127.0.0.1:8080
    engine: auto
    tls: { cert: server.pem, key: server.key }
admin: { address: 127.0.0.1:9901 }
threads: { proxy: auto, shadow: auto }
drain: 30s
sampling: { salt: umbra }
versions:
  v1: { endpoints: [ "http://127.0.0.1:9080" ] }
  v2:
    endpoints: [ "http://127.0.0.1:9081", "https://10.0.0.7:8443" ]
    connections: { max: 256, idle: 60s, connectTimeout: 1s }
    tls: { ca: ca.pem, serverName: reviews.internal }
    health: { path: /healthz, interval: 5s }
routes:
  - name: reviews
    match: { host: reviews.example.com, path: { prefix: /reviews }, method: [GET], header: { x-canary: { exact: "1" } } }
    primary: v1
    timeout: 15s
    mirrors:
      - to: v2
        percent: 100
        sample: random
        methods: all
        host: shadow
        headers: { set: { x-umbra-mirror: "1" }, remove: [ authorization ] }
        body: { max: 1MiB }
        rate: 5000/s
        inFlight: 256
        timeout: 5s
        breaker: { failures: 50%, window: 10s, cooldown: 5s }
        compare: { sample: 1%, ignore: [ "header:date", "$.requestId" ], baseline: v1 }
accessLog: { path: "-", format: envoy, sample: 100% }
histograms: { directory: ./hlog, interval: 10s }
log: { level: info, format: auto }
tracing: { otlp: "http://127.0.0.1:4318", sample: 1% }
redact: { headers: [ authorization, cookie, set-cookie ], json: [ "$..password" ] }
`;

t.test('a page with every key is good', async (t) => {
  t.same(told(page), []);
});
