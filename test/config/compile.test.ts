import { readFile } from 'node:fs/promises';
import { compilePlan } from '../../config/compile.js';
import { effectiveConfig } from '../../config/effective.js';
import { MirrorSlots, MirrorSlotsFullError } from '../../config/slots.js';
import { limits } from '../../core/limits.js';
import { hashed } from '../../core/route/hash.js';
import { mirrorPlan } from '../core/route/support.js';
import t from '../support/tap.js';
import { loaded, loadedFrom, minimal, mirrored, withoutText } from './told.js';

const upstreamDefaults = {
  protocol: 'http1',
  streamsMax: limits.upstreamStreams,
  queueMax: limits.upstreamWaiters,
  queueTimeoutMs: 5000,
  dnsRefreshMs: 10_000,
  health: null,
  ejection: { failures: 5, errors: 0, baseTimeMs: 1000, maxTimeMs: 30_000, maxShareMillionths: 500_000 },
  slowStartMs: 10_000,
};

const everything = `
listen:
  - address: 127.0.0.1:8080
    engine: auto
    tls: { cert: server.pem, key: server.key }
  - address: "[::]:8443"
    engine: node
    protocols: h2
    connections: { max: 9, idle: 1s, halfClose: abort }
    head: { max: 64KiB, timeout: 2s }
    body: { max: 1MiB, timeout: 3s }
    response: { timeout: 4s }
    forwarded: { mode: set, as: forwarded }
    via: edge-1
    requestId: new
    trusted: [ 10.0.0.0/8, "fd00::1", unix ]
  - { address: "unix:/run/umbra.sock", mode: "0660" }
admin: { address: 127.0.0.1:9901, token: s3cret }
threads: { proxy: auto, shadow: 3, ring: 1MiB }
drain: 5s
state: ./state
sampling: { salt: pepper }
versions:
  v1: { endpoints: [ "http://127.0.0.1:9080" ] }
  v2:
    endpoints: [ "http://[::1]:9081", "http://Reviews.internal", "unix:/run/v2.sock" ]
    connections: { max: 12, idle: 1m, connectTimeout: 250ms, queue: { max: 7, timeout: 2s } }
    dns: { refresh: 1m }
    health: { path: "/healthz?deep=1", interval: 2s, timeout: 500ms, healthyThreshold: 4, unhealthyThreshold: 1, statuses: [200-299, 304], host: reviews.internal }
    ejection: { failures: 3, baseTime: 2s, maxTime: 1m, maxPercent: 25 }
    slowStart: 0s
    protocol: auto
    streams: { max: 5 }
routes:
  - name: reviews
    match: { host: Reviews.example.com, path: { prefix: /reviews }, method: [GET, get], header: { X-Canary: { exact: "1" }, y: { present: true }, z: { regex: ^a }, gone: { present: false } }, query: { Page: { exact: "2" } }, cookie: { Session: { prefix: ab }, beta: { present: true } } }
    primary: v1
    timeout: 1h
    guard: { p99: 10%, errors: 0.5%, window: 5s, recover: 2m }
    rollout:
      to: v2
      steps: [ 'mirror=20%:1m', '5%:2m-1h', 100% ]
      requests: 7
      onUndecided: go-on
      watch: 0s
      maxShift: off
      maxP99Delta: 20%
      maxErrorDelta: 1%
      maxDiff: 2%
      maxErrors: 30%
      pairs: false
      onStep: { command: [ notify, step ], timeout: 1s }
      onRollback: { url: 'http://127.0.0.1:9/back' }
    firstByteTimeout: 2s
    mirrors:
      - to: v2
        enabled: false
        percent: 0.07
        sample: header:X-User
        methods: safe
        order: header:X-User
        host: { set: next.example.com }
        rewrite: { prefix: /next/ }
        trace: new
        headers: { set: { X-Umbra-Mirror: "1", Authorization: Basic abc }, add: { via: umbra }, remove: [ Cookie ] }
        body: { max: 64KiB }
        memory: 1MiB
        response: { max: 2MiB }
        breaker: { failures: 12.5%, window: 20s, cooldown: 3s }
        rate: 5000/s
        inFlight: 9
        pipelining: 16
        timeout: 500ms
        firstByteTimeout: 100ms
        compare: { headers: [ETag, etag], sample: 0.5%, ignore: ["header:Date", $..id, "$.items[*].ts"], tolerance: 0.1%, arrays: unordered, protobuf: { descriptors: shop.binpb }, body: { digest: false, max: 64KiB }, baseline: v1 }
redact: { defaults: false, headers: [X-Secret], query: [], json: [$..pin] }
accessLog: { path: log/access.log, format: json, sample: 1% }
histograms: { directory: ./hlog, interval: 1m }
log: { level: warn, format: json }
tracing: { otlp: "http://127.0.0.1:4318", sample: 2%, service: edge }
fleet: { nats: "nats://me:hidden@10.0.0.5,[::1]:4223/reviews", name: edge-1, interval: 2s }
`;

const captured = { shareMillionths: 5000, bodyBytesMax: 65_536 };
const compared = {
  pairs: true,
  digest: false,
  headers: ['etag'],
  structure: {
    ignoreHeaders: ['date'],
    ignorePaths: ['$..id', '$.items[*].ts'],
    tolerance: { relative: true, value: '0.1' },
    arrays: 'unordered',
    rules: [],
    meant: [],
    endpoints: [],
    protobuf: null,
    reflection: false,
    baseline: null,
  },
};

const nothing = { headers: [], cookies: [], queries: [] };
/** What a route says that one version answers, and nothing else. */
const plainly = {
  primaries: [{ version: 0, weight: 1, headers: null }],
  split: { by: 'random' },
  answer: null,
  rewrite: null,
  headers: null,
  cors: null,
  retries: null,
  fault: null,
};

const inOrder = { by: 'header', name: 'x-user', target: hashed('v2') };

/** What the primary got, once more; in the bounds of its mirror. */
const baseline = {
  slot: 1,
  to: 0,
  sink: null,
  enabled: false,
  shareMillionths: 1_000_000,
  sample: { by: 'random' },
  methods: ['GET', 'HEAD', 'OPTIONS', 'TRACE'],
  of: 'forwarded',
  order: inOrder,
  host: { kind: 'preserve' },
  headers: { remove: [], set: [], add: [] },
  bodyBytesMax: 65_536,
  ratePerSecond: 5000,
  inFlightMax: 9,
  timeouts: { requestMs: 500, requestUntilEnd: false, firstByteMs: 100, idleMs: 60_000, totalMs: 0 },
  heldBytesMax: 1024 * 1024,
  responseBytesMax: 2 * 1024 * 1024,
  breaker: { failureMillionths: 125_000, windowMs: 20_000, cooldownMs: 3000 },
  rewrite: null,
  trace: 'new',
  pipelining: 16,
  capture: captured,
  compare: compared,
};

const defaultLimits = {
  connectionsMax: 16384,
  idleMs: 60_000,
  abortsHalfClosed: false,
  headBytesMax: 16384,
  headMs: 60_000,
  bodyBytesMax: null,
  bodyMs: 60_000,
  responseMs: 60_000,
};
const defaultEdge = {
  forwarded: { mode: 'append', as: 'x-forwarded' },
  via: null,
  requestId: 'keep',
  trusted: null,
  underscores: 'drop',
  normalizesPath: true,
  mergesSlashes: true,
};

t.test('every key comes into the plan', async (t) => {
  const config = loaded(everything, { directory: '/etc/umbra' });
  t.same(withoutText(compilePlan(config, 7, new MirrorSlots(), 8)), {
    generation: 7,
    listeners: [
      {
        address: { kind: 'tcp', host: '127.0.0.1', port: 8080 },
        engine: 'auto',
        protocols: ['http1', 'h2'],
        socketMode: null,
        tls: {
          cert: { path: '/etc/umbra/server.pem', pem: '' },
          key: { path: '/etc/umbra/server.key', pem: '' },
        },
        limits: defaultLimits,
        edge: defaultEdge,
      },
      {
        address: { kind: 'tcp', host: '::', port: 8443 },
        engine: 'node',
        protocols: ['h2'],
        socketMode: null,
        tls: null,
        limits: {
          connectionsMax: 9,
          idleMs: 1000,
          abortsHalfClosed: true,
          headBytesMax: 65536,
          headMs: 2000,
          bodyBytesMax: 1048576,
          bodyMs: 3000,
          responseMs: 4000,
        },
        edge: {
          forwarded: { mode: 'set', as: 'forwarded' },
          via: 'edge-1',
          requestId: 'new',
          trusted: ['10.0.0.0/8', 'fd00::1', 'unix'],
          underscores: 'drop',
          normalizesPath: true,
          mergesSlashes: true,
        },
      },
      {
        address: { kind: 'unix', path: '/run/umbra.sock' },
        engine: 'auto',
        protocols: ['http1'],
        socketMode: 0o660,
        tls: null,
        limits: defaultLimits,
        edge: defaultEdge,
      },
    ],
    admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 9901 }, token: 's3cret' },
    threads: { proxy: 7, shadow: 3, ringBytes: 1024 * 1024, nice: 0 },
    drainMs: 5000,
    samplingSalt: 'pepper',
    versions: [
      {
        name: 'v1',
        endpoints: [
          {
            address: { kind: 'tcp', host: '127.0.0.1', port: 9080 },
            authority: '127.0.0.1:9080',
            secure: false,
            weight: 1,
          },
        ],
        connectionsMax: 4096,
        idleMs: 60_000,
        connectTimeoutMs: 1000,
        ...upstreamDefaults,
        tls: null,
      },
      {
        name: 'v2',
        endpoints: [
          {
            address: { kind: 'tcp', host: '::1', port: 9081 },
            authority: '[::1]:9081',
            secure: false,
            weight: 1,
          },
          {
            address: { kind: 'tcp', host: 'reviews.internal', port: 80 },
            authority: 'reviews.internal',
            secure: false,
            weight: 1,
          },
          {
            address: { kind: 'unix', path: '/run/v2.sock' },
            authority: 'localhost',
            secure: false,
            weight: 1,
          },
        ],
        protocol: 'auto',
        streamsMax: 5,
        connectionsMax: 12,
        idleMs: 60_000,
        connectTimeoutMs: 250,
        queueMax: 7,
        queueTimeoutMs: 2000,
        dnsRefreshMs: 60_000,
        health: {
          grpc: null,
          path: '/healthz?deep=1',
          host: 'reviews.internal',
          intervalMs: 2000,
          timeoutMs: 500,
          healthyThreshold: 4,
          unhealthyThreshold: 1,
          statuses: [
            [200, 299],
            [304, 304],
          ],
        },
        ejection: {
          failures: 3,
          errors: 0,
          baseTimeMs: 2000,
          maxTimeMs: 60_000,
          maxShareMillionths: 250_000,
        },
        slowStartMs: 0,
        tls: null,
      },
    ],
    routes: [
      {
        name: 'reviews',
        slot: 0,
        matches: [
          {
            host: 'reviews.example.com',
            port: null,
            scheme: null,
            path: { kind: 'prefix', value: '/reviews', ignoreCase: false },
            methods: ['GET'],
            headers: [
              { name: 'x-canary', kind: 'exact', value: '1' },
              { name: 'y', kind: 'present', value: '' },
              { name: 'z', kind: 'regex', value: '^a' },
              { name: 'gone', kind: 'absent', value: '' },
            ],
            cookies: [
              { name: 'Session', kind: 'prefix', value: 'ab' },
              { name: 'beta', kind: 'present', value: '' },
            ],
            queries: [{ name: 'Page', kind: 'exact', value: '2' }],
            without: nothing,
          },
        ],
        ...plainly,
        timeouts: {
          requestMs: 3_600_000,
          requestUntilEnd: false,
          firstByteMs: 2000,
          idleMs: 60_000,
          totalMs: 0,
        },
        guard: { p99Millionths: 100_000, errorMillionths: 5000, windowMs: 5000, recoverMs: 120_000 },
        upgrades: ['websocket'],
        fallback: null,
        rollout: {
          to: 'v2',
          steps: [
            {
              kind: 'mirror',
              shareMillionths: 200_000,
              atLeastMs: 60_000,
              atMostMs: 360_000,
              requestsMin: 7,
            },
            {
              kind: 'release',
              shareMillionths: 50_000,
              atLeastMs: 120_000,
              atMostMs: 3_600_000,
              requestsMin: 7,
            },
            { kind: 'release', shareMillionths: 1_000_000, atLeastMs: 0, atMostMs: 0, requestsMin: 7 },
          ],
          onUndecided: 'go-on',
          watchMs: 0,
          bounds: { shift: null, p99Delta: 0.2, errorDelta: 0.01, diff: 0.02 },
          errorsMax: 0.3,
          pairs: false,
          onStep: { kind: 'command', command: ['notify', 'step'], timeoutMs: 1000 },
          onRollback: { kind: 'http', url: 'http://127.0.0.1:9/back', timeoutMs: 10_000 },
          onDone: null,
        },
        unreachableStatus: 502,
        mirrors: [
          {
            slot: 0,
            to: 1,
            sink: null,
            enabled: false,
            shareMillionths: 700,
            sample: { by: 'header', name: 'x-user' },
            methods: ['GET', 'HEAD', 'OPTIONS', 'TRACE'],
            of: 'original',
            order: inOrder,
            host: { kind: 'set', value: 'next.example.com' },
            rewrite: { kind: 'prefix', prefix: '/reviews', value: '/next/', ignoreCase: false },
            trace: 'new',
            headers: {
              remove: ['cookie'],
              set: [
                ['x-umbra-mirror', '1'],
                ['authorization', 'Basic abc'],
              ],
              add: [['via', 'umbra']],
            },
            bodyBytesMax: 65_536,
            heldBytesMax: 1024 * 1024,
            responseBytesMax: 2 * 1024 * 1024,
            breaker: { failureMillionths: 125_000, windowMs: 20_000, cooldownMs: 3000 },
            ratePerSecond: 5000,
            pipelining: 16,
            inFlightMax: 9,
            timeouts: {
              requestMs: 500,
              requestUntilEnd: false,
              firstByteMs: 100,
              idleMs: 60_000,
              totalMs: 0,
            },
            capture: captured,
            compare: { ...compared, structure: { ...compared.structure, baseline } },
          },
        ],
      },
    ],
    accessLog: { path: '/etc/umbra/log/access.log', format: 'json', shareMillionths: 10_000 },
    histograms: { directory: '/etc/umbra/hlog', intervalMs: 60_000 },
    log: { level: 'warn', format: 'json' },
    tracing: { url: 'http://127.0.0.1:4318/v1/traces', shareMillionths: 20_000, service: 'edge' },
    fleet: {
      nats: { servers: ['10.0.0.5:4222', '[::1]:4223'], secure: false, user: 'me', password: 'hidden' },
      bucket: 'reviews',
      name: 'edge-1',
      intervalMs: 2000,
    },
    redact: { defaults: false, headers: ['x-secret'], query: [], json: ['$..pin'] },
  });
});

t.test('defaults', async (t) => {
  const plan = compilePlan(loaded(mirrored('percent: 100')), 1, new MirrorSlots(), 1);
  t.match(plan, {
    listeners: [
      { address: { host: '127.0.0.1', port: 8080 }, engine: 'auto', protocols: ['http1'], tls: null },
    ],
    admin: { address: { host: '127.0.0.1', port: 9901 }, token: null },
    drainMs: 30_000,
    samplingSalt: 'umbra',
    accessLog: null,
    histograms: null,
    log: { level: 'info', format: 'auto' },
    tracing: null,
    fleet: null,
    threads: { ringBytes: limits.ringBytes },
    versions: [{ connectionsMax: 4096, idleMs: 60_000, connectTimeoutMs: 1000 }, {}],
  });
  t.same(plan.routes[0], {
    name: 'route-1',
    slot: 0,
    matches: [
      {
        host: null,
        port: null,
        scheme: null,
        path: null,
        methods: null,
        headers: [],
        cookies: [],
        queries: [],
        without: nothing,
      },
    ],
    ...plainly,
    timeouts: { requestMs: 15_000, requestUntilEnd: false, firstByteMs: 0, idleMs: 60_000, totalMs: 0 },
    upgrades: ['websocket'],
    fallback: null,
    rollout: null,
    unreachableStatus: 502,
    guard: null,
    mirrors: [
      mirrorPlan({
        to: 1,
        timeouts: { requestMs: 15_000, requestUntilEnd: false, firstByteMs: 0, idleMs: 60_000, totalMs: 0 },
      }),
    ],
  });
});

t.test(
  'auto threads: the cores less one for the proxy, a quarter for the shadows, at least one and at most the limit',
  async (t) => {
    const threads = (cores: number) => {
      const { proxy, shadow } = compilePlan(loaded(minimal()), 1, new MirrorSlots(), cores).threads;
      return [proxy, shadow];
    };
    t.same(threads(1), [1, 1]);
    t.same(threads(2), [1, 1]);
    t.same(threads(8), [7, 2]);
    t.same(threads(1000), [limits.threads, limits.threads]);
  },
);

t.test('a plan crosses threads as it is', async (t) => {
  const plan = compilePlan(loaded(everything), 1, new MirrorSlots(), 2);
  t.same(structuredClone(plan), plan);
});

t.test('the same route and version keep their slot over reloads, and no slot is given twice', async (t) => {
  const slots = new MirrorSlots();
  t.same(
    slots.assign([
      { route: 'a', version: 'v2' },
      { route: 'a', version: 'v3' },
    ]),
    [0, 1],
  );
  t.same(
    slots.assign([
      { route: 'b', version: 'v2' },
      { route: 'a', version: 'v3' },
    ]),
    [2, 1],
  );
  t.same(slots.assign([{ route: 'a', version: 'v2' }]), [0]);
  t.same(slots.all(), [
    { route: 'a', version: 'v2' },
    { route: 'a', version: 'v3' },
    { route: 'b', version: 'v2' },
  ]);
});

t.test('full slots refuse the reload and take none', async (t) => {
  const slots = new MirrorSlots(2);
  slots.assign([{ route: 'a', version: 'v2' }]);
  const tooMany = [
    { route: 'b', version: 'v2' },
    { route: 'a', version: 'v2' },
    { route: 'c', version: 'v2' },
  ];
  t.throws(() => slots.assign(tooMany), MirrorSlotsFullError);
  t.equal(slots.all().length, 1);
  t.same(slots.assign(tooMany.slice(0, 2)), [1, 0]);
});

t.test('the effective configuration compiles to the same plan, and holds no secret', async (t) => {
  const config = loaded(everything.replace('defaults: false, ', ''), { directory: '/etc/umbra' });
  const plan = compilePlan(config, 7, new MirrorSlots(), 8);
  const text = JSON.stringify(effectiveConfig(plan));
  t.notMatch(text, /s3cret|Basic abc/);
  const again = compilePlan(loaded(text), 7, new MirrorSlots(), 1);
  const expected = JSON.parse(JSON.stringify(withoutText(plan)));
  expected.admin.token = '[redacted]';
  expected.fleet.nats.user = '[redacted]';
  expected.fleet.nats.password = null;
  expected.routes[0].mirrors[0].headers.set[1][1] = '[redacted]';
  expected.routes[0].matches[0].cookies[0].value = '[redacted]';
  t.same(withoutText(again), expected);
  const off = effectiveConfig(compilePlan(loaded(minimal('admin: off\n')), 1, new MirrorSlots(), 1));
  t.match(off, { admin: 'off' });
});

t.test('the text of the effective configuration loads to itself', async (t) => {
  const { effective } = loaded(everything, { directory: '/etc/umbra' });
  t.equal(loaded(effective, { directory: '/elsewhere' }).effective, effective);
});

t.test('the example to start from is good', async (t) => {
  const result = await loadedFrom('config/example.yaml');
  t.ok(result.ok, JSON.stringify(result));
  t.match(result, { warnings: [], config: { routes: [{ mirrors: [{ percent: 10_000 }] }, {}] } });
  t.match(
    await readFile('config/example.yaml', 'utf8'),
    /^# yaml-language-server: \$schema=\.\/schema\.json\n/,
  );
});

t.test('a guard for all routes holds for those that have none of their own, and off is one', async (t) => {
  const text = `guard: {}
versions: { v1: "http://a:1", v2: "http://a:2" }
routes:
- { primary: v1, match: { host: a }, guard: { window: 1s } }
- { primary: v1, match: { host: b }, guard: off }
- { primary: v1, match: { host: c }, guard: false }
- { primary: v1 }
`;
  const plan = compilePlan(loaded(text), 1, new MirrorSlots(), 1);
  const all = { p99Millionths: 250_000, errorMillionths: 10_000, windowMs: 10_000, recoverMs: 60_000 };
  t.same(
    plan.routes.map((route) => route.guard),
    [{ ...all, windowMs: 1000 }, null, null, all],
  );
  const again = compilePlan(loaded(JSON.stringify(effectiveConfig(plan))), 1, new MirrorSlots(), 1);
  t.same(again.routes, plan.routes);
});

t.test('a mirror has the times of its route where it sets none, and 0 and off set no bound', async (t) => {
  const timesOf = (route: string, mirror: string) => {
    const text = `
versions: { v1: { endpoints: [http://127.0.0.1:1] }, v2: { endpoints: [http://127.0.0.1:2] } }
routes: [{ primary: v1, ${route} mirrors: [{ to: v2, ${mirror} }] }]
listen: [{ address: "127.0.0.1:0" }]
`;
    const [compiled] = compilePlan(loaded(text), 1, new MirrorSlots(), 1).routes;
    const { requestMs, idleMs, totalMs } = compiled!.mirrors[0]!.timeouts;
    return [requestMs, idleMs, totalMs];
  };
  t.strictSame(timesOf('', ''), [15_000, 60_000, 0]);
  t.strictSame(timesOf('timeout: 2s,', ''), [2000, 60_000, 0]);
  t.strictSame(timesOf('timeout: 2s, timeouts: { request: 3s },', ''), [3000, 60_000, 0]);
  t.strictSame(timesOf('timeouts: { request: off, idle: 0, total: 1m },', ''), [0, 0, 60_000]);
  t.strictSame(
    timesOf('timeouts: { idle: 0s, total: 1m },', 'timeout: 1s, timeouts: { total: off }'),
    [1000, 0, 0],
  );
});
