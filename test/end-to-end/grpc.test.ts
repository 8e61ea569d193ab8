// Runs over one engine: asks for the node engine, which alone has HTTP/2.
/** gRPC through a whole umbra: what clients get, what is counted, and what answers are judged by. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Diffs } from '../../core/compare/diff-book.js';
import { Scalar } from '../../core/protobuf/field-type.js';
import { readFields } from '../../core/protobuf/wire-format.js';
import { descriptorSet, message, messageType, service } from '../core/protobuf/types.js';
import { callGrpc, type GrpcHandler, GrpcOrigin } from '../support/grpc-origin.js';
import { http2Session } from '../support/http2-client.js';
import { lawHolds, mirrorTo, pairsTo } from '../support/law.js';
import { ReflectingOrigin } from '../support/reflecting-origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

// A busy machine takes seconds to start each umbra.
t.setTimeout(120_000);

/** Versions over HTTP/1.1 have their trailers in chunks. */
const protocols = ['http2', 'http1'] as const;
type Protocol = (typeof protocols)[number];

const set = descriptorSet({
  pkg: 'reviews',
  syntax: 'proto3',
  messages: [
    messageType('Review', [
      { name: 'id', number: 1, type: Scalar.INT32 },
      { name: 'stars', number: 2, type: Scalar.INT32 },
    ]),
  ],
  more: [service('Reviews', '.reviews.Review', ['Get'])],
});

interface Served {
  readonly umbra: UmbraProcess;
  readonly v1: GrpcOrigin;
  readonly v2: GrpcOrigin;
  readonly session: ClientHttp2Session;
  readonly accessLog: string;
}

async function serve(
  t: Test,
  protocol: Protocol,
  [first, second]: readonly [GrpcHandler, GrpcHandler],
  {
    compare = {},
    route = {},
    v1: changes = () => ({}),
  }: { compare?: object; route?: object; v1?: (port: number) => object } = {},
): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-grpc-'));
  writeFileSync(join(directory, 'reviews.binpb'), set);
  const accessLog = join(directory, 'access.log');
  const v1 = await GrpcOrigin.listen(first, protocol);
  const v2 = await GrpcOrigin.listen(second, protocol);
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror: {
        inFlight: 4096,
        compare: {
          sample: '100%',
          protobuf: { descriptors: join(directory, 'reviews.binpb') },
          ...compare,
        },
      },
      route,
      v1: { protocol, ...changes(v1.port) },
      v2: { protocol },
      umbra: {
        threads: { proxy: 1, shadow: 1 },
        listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2' }],
        accessLog: { path: accessLog, format: 'json' },
      },
    }),
  );
  const session = http2Session(umbra.url);
  t.teardown(async () => {
    session.destroy();
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
    rmSync(directory, { recursive: true, force: true });
  });
  return { umbra, v1, v2, session, accessLog };
}

const review = (id: number, stars: number) => message([1, id], [2, stars]);
const idOf = (bytes: Buffer | undefined): number => bytes?.[1] ?? 0;
const get = '/reviews.Reviews/Get';

t.test('descriptors come from the primary by reflection, and fields get their names', async (t) => {
  const files = readFields(set, { value: () => {} }, 0);
  const reflected = {
    files: new Map([['reviews.proto', files[0]!.bytes]]),
    services: new Map([['reviews.Reviews', 'reviews.proto']]),
    version: 'v1' as const,
  };
  const [v1, v2] = [
    await ReflectingOrigin.listen(reflected, review(1, 4)),
    await ReflectingOrigin.listen({ ...reflected, version: null }, review(1, 5)),
  ];
  t.teardown(() => Promise.all([v1.close(), v2.close()]));
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      v1: { protocol: 'http2' },
      v2: { protocol: 'http2' },
      mirror: { compare: { sample: '100%', protobuf: { descriptors: 'reflection' } } },
      umbra: { listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2' }] },
    }),
  );
  t.teardown(() => umbra.stop());
  await umbra.logged(/descriptors of v1 were read by reflection: 1 methods/);
  const session = http2Session(umbra.url);
  t.teardown(() => session.destroy());
  t.equal((await callGrpc(session, get, review(1, 1))).status, 0);
  const groups = await until(async () => {
    const diffs = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
    return diffs.groups.length > 0 && diffs.groups;
  }, 'the pair is compared');
  t.match(groups, [{ kind: 'json', path: '$[*].stars' }]);
});

t.test('calls are counted by method, and paths that a client invents take no place', async (t) => {
  const has =
    (...methods: string[]): GrpcHandler =>
    ({ path, messages }) =>
      methods.includes(path) ? { messages } : { status: 12, trailersOnly: true };
  const list = '/reviews.Reviews/List';
  const { umbra, session } = await serve(t, 'http2', [has(get, list), has(get)]);
  for (let i = 0; i < 3; i++) await callGrpc(session, get, review(i, 4));
  await callGrpc(session, list, review(1, 4));
  const invented = 80;
  for (let i = 0; i < invented; i++) await callGrpc(session, `/attack.S${i}/M`, review(1, 4));
  await lawHolds(t, umbra);
  const metrics = await umbra.metrics();
  const name = 'umbra_grpc_method_requests_total';
  const lines = metrics.split('\n').filter((line) => line.startsWith(name));
  const of = (version: string, role: string, method: string, status: string, count: number) =>
    `${name}{version="${version}",role="${role}",method="${method}",grpc_status="${status}"} ${count}`;
  t.strictSame(
    lines.sort(),
    [
      of('v1', 'primary', 'reviews.Reviews/Get', 'OK', 3),
      of('v1', 'primary', 'reviews.Reviews/List', 'OK', 1),
      of('v1', 'primary', 'other', 'UNIMPLEMENTED', invented),
      of('v2', 'shadow', 'reviews.Reviews/Get', 'OK', 3),
      of('v2', 'shadow', 'reviews.Reviews/List', 'UNIMPLEMENTED', 1),
      of('v2', 'shadow', 'other', 'UNIMPLEMENTED', invented),
    ].sort(),
    'a method that the shadow lacks has its name',
  );
  const labels = 'version="v1",role="primary",method="reviews.Reviews/Get"';
  t.match(metrics, `umbra_grpc_method_messages_sent_total{${labels}} 3`);
  t.match(metrics, `umbra_grpc_method_messages_received_total{${labels}} 3`);
  t.match(metrics, `umbra_grpc_method_duration_seconds_count{${labels}} 3`);
  const { json } = await umbra.admin('GET', '/api/endpoints');
  t.match(json, {
    grpc: [
      {
        version: 'v1',
        role: 'primary',
        methods: [{ method: 'other' }, { statuses: { OK: 3 } }, { calls: 1 }],
      },
      { version: 'v2', role: 'shadow', methods: [{}, {}, { method: 'reviews.Reviews/List', errors: 1 }] },
    ],
  });
});

for (const protocol of protocols) {
  t.test(`the status of a call is its outcome, wherever it stands (${protocol})`, async (t) => {
    const large = Array.from({ length: 500 }, (_, id) => review(id % 100, 4));
    const handler: GrpcHandler = ({ messages }) => {
      const id = idOf(messages[0]);
      if (id === 3) return { messages: large };
      if (id === 1) return { status: 5, text: 'no such review', trailersOnly: true };
      if (id === 2) return { messages: [review(2, 1)], status: 13 };
      return { messages: [review(id, 4)] };
    };
    const { umbra, session, accessLog, v2 } = await serve(t, protocol, [handler, handler], {
      compare: { body: { max: '1KiB' } },
    });
    for (const [id, status] of [
      [0, 0],
      [1, 5],
      [2, 13],
      [3, 0],
    ] as const) {
      const answered = await callGrpc(session, get, message([1, id]), { 'x-request-id': `call-${id}` });
      t.equal(answered.status, status);
      t.equal(answered.messages.length, [1, 0, 1, large.length][id]);
      if (id === 1) t.equal(answered.text, 'no such review');
    }
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, 4);
    t.equal((await pairsTo(umbra, 'v2', 4)).equal, 4);
    t.equal(v2.called.length, 4);
    t.ok(v2.called.every(({ path }) => path === get));
    for (const version of ['primary', 'shadow'] as const) {
      const counts = version === 'primary' ? stats.versions.v1!.primary! : stats.versions.v2!.shadow!;
      t.match(counts.responses, { '2xx': 2, '4xx': 1, '5xx': 1 }, version);
    }
    const metrics = await umbra.metrics();
    for (const [name, role] of [
      ['v1', 'primary'],
      ['v2', 'shadow'],
    ] as const) {
      const labels = `version="${name}",role="${role}"`;
      for (const [status, count] of [
        ['OK', 2],
        ['NOT_FOUND', 1],
        ['INTERNAL', 1],
      ] as const) {
        t.ok(
          metrics.includes(`umbra_grpc_responses_total{${labels},grpc_status="${status}"} ${count}`),
          status,
        );
      }
      t.ok(metrics.includes(`umbra_grpc_messages_sent_total{${labels}} 4`));
      t.ok(metrics.includes(`umbra_grpc_messages_received_total{${labels}} 502`));
    }
    const groups = await until(async () => {
      const diffs = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
      return diffs.mirrors[0]?.compared === 3 && diffs.mirrors[0].errors === 1 && diffs.groups;
    }, 'all pairs are compared');
    t.match(groups, [{ kind: 'not-comparable', path: 'too-large', count: 1 }]);
    t.equal(groups.length, 1, 'no status differs, however long its response is');
    const lines = await until(() => {
      const all = readFileSync(accessLog, 'utf8').trim().split('\n');
      return all.length === 8 && all.map((line) => JSON.parse(line));
    }, 'the access log has all lines');
    for (const role of ['primary', 'shadow']) {
      const own = lines.filter((line) => line.role === role);
      t.strictSame(
        own.map(({ grpcStatus }) => grpcStatus).sort(),
        ['INTERNAL', 'NOT_FOUND', 'OK', 'OK'],
        role,
      );
      t.ok(
        own.every(({ status }) => status === 200),
        'with the status that was on the wire',
      );
    }
  });

  t.test(`differences name the method, the field and the statuses (${protocol})`, async (t) => {
    const first: GrpcHandler = ({ messages }) => ({ messages: [review(idOf(messages[0]), 4)] });
    const second: GrpcHandler = ({ messages }) =>
      idOf(messages[0]) === 1
        ? { status: 5, trailersOnly: true }
        : { messages: [review(idOf(messages[0]), 5)] };
    const { umbra, session } = await serve(t, protocol, [first, second]);
    for (const id of [1, 2, 3]) await callGrpc(session, get, message([1, id]));
    await lawHolds(t, umbra);
    t.match(await pairsTo(umbra, 'v2', 3), { different: 3, statusDifferent: 1 });
    const groups = await until(async () => {
      const { mirrors, groups } = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
      return mirrors[0]?.compared === 3 && groups;
    }, 'all pairs are compared');
    t.equal(groups.length, 2);
    const found = groups.map(({ endpoint, kind, path, change, count }) => ({
      endpoint,
      kind,
      path,
      change,
      count,
    }));
    t.strictSame(
      found.sort((a, b) => (a.kind < b.kind ? -1 : 1)),
      [
        { endpoint: `GRPC ${get}`, kind: 'json', path: '$[*].stars', change: 'value', count: 2 },
        { endpoint: `GRPC ${get}`, kind: 'status', path: 'OK NOT_FOUND', change: 'value', count: 1 },
      ],
    );
    const { endpoints } = await until(async () => {
      const { mirrors } = (await umbra.admin('GET', '/api/endpoints')).json as {
        mirrors: { endpoints: object[] }[];
      };
      return mirrors[0]!.endpoints.length > 0 && mirrors[0]!;
    }, 'the method is an endpoint');
    t.match(endpoints, [{ endpoint: `GRPC ${get}` }]);
  });

  t.test(
    `a deadline of the client shortens the time of its route and goes with the call (${protocol})`,
    async (t) => {
      // Both versions leave the call with the short deadline without an answer.
      const handler: GrpcHandler = ({ messages }) => (idOf(messages[0]) === 1 ? null : {});
      const { umbra, session, v1 } = await serve(t, protocol, [handler, handler], {
        route: { timeouts: { total: '10s' } },
      });
      const call = (id: number, timeout: string) =>
        callGrpc(session, get, message([1, id]), { 'grpc-timeout': timeout });
      t.equal((await call(1, '500m')).status, 4, 'DEADLINE_EXCEEDED');
      t.equal((await call(2, '1H')).status, 0);
      t.strictSame(
        v1.called.map(({ fields }) => fields['grpc-timeout']),
        ['500m', '10000000u'],
      );
      const stats = await lawHolds(t, umbra);
      t.match(stats.versions.v1!.primary!.failures, { timeout: 1 });
      t.match(mirrorTo(stats, 'v2').failed, { timeout: 1 });
    },
  );

  t.test(`a retry follows a status of gRPC that the route lists (${protocol})`, async (t) => {
    let calls = 0;
    const flaky: GrpcHandler = () =>
      ++calls % 2 === 1 ? { status: 14, trailersOnly: true } : { messages: [review(1, 4)] };
    const { session, umbra } = await serve(t, protocol, [flaky, () => ({ messages: [review(1, 4)] })], {
      route: { retries: { attempts: 1, on: ['unavailable'] } },
    });
    t.equal((await callGrpc(session, get, message([1, 1]))).status, 0);
    t.equal(calls, 2);
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').sent, 1, 'and is no second copy');
  });

  t.test(`an endpoint that answers UNAVAILABLE time and again is ejected (${protocol})`, async (t) => {
    const down = await GrpcOrigin.listen(() => ({ status: 14, trailersOnly: true }), protocol);
    t.teardown(() => down.close());
    const up: GrpcHandler = () => ({ messages: [review(1, 4)] });
    const { umbra, session, v1 } = await serve(t, protocol, [up, up], {
      v1: (port) => ({
        endpoints: [`http://127.0.0.1:${port}`, `http://127.0.0.1:${down.port}`],
        ejection: { failures: 3, baseTime: '30s' },
      }),
    });
    for (let n = 0; n < 40; n++) await callGrpc(session, get, message([1, 1]));
    t.equal(down.called.length, 3);
    t.equal(v1.called.length, 37);
    const stats = await lawHolds(t, umbra);
    t.match(stats.versions.v1!.primary, { ejection: { ejections: 1 } });
  });
}
