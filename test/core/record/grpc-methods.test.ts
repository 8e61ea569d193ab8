/** gRPC calls by method: which methods have a row, and what is counted in it. */
import fc from 'fast-check';
import { GrpcCall } from '../../../core/grpc/grpc-call.js';
import { GrpcStatus, grpcStatusNames } from '../../../core/grpc/grpc-status.js';
import { framedMessage } from '../../../core/grpc/message-counter.js';
import { limits } from '../../../core/limits.js';
import { bucketQuantileUs, type GrpcMethodCounts, grpcCalls } from '../../../core/record/grpc-methods.js';
import { addVersions, readVersion, subtractVersion } from '../../../core/record/snapshot.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import t from '../../support/tap.js';

const fresh = () => new VersionCounters(VersionCounters.create());
const methodsOf = (...counters: VersionCounters[]) => readVersion(counters).grpcMethods;
const of = (methods: readonly GrpcMethodCounts[], name: string) =>
  methods.find(({ method }) => method === name);

function call(trailers: string, sent = 1, received = 1): GrpcCall {
  const grpc = new GrpcCall();
  grpc.begin();
  for (let i = 0; i < sent; i++) grpc.sent.take(framedMessage(Buffer.alloc(3)));
  for (let i = 0; i < received; i++) grpc.received.take(framedMessage(Buffer.alloc(3)));
  grpc.onTrailers(trailers);
  grpc.onEnd(200);
  return grpc;
}

function answer(counters: VersionCounters, target: string, status: GrpcStatus, tookUs = 1000): void {
  const grpc = call(`grpc-status: ${status}\r\n`);
  counters.grpcMethods.answered(target, grpc, grpc.hasMethod, tookUs);
}

t.test('a method has its statuses, messages and latencies, summed over threads', async (t) => {
  const [one, two] = [fresh(), fresh()];
  answer(one, '/reviews.Reviews/Get', GrpcStatus.OK, 700);
  answer(two, '/reviews.Reviews/Get', GrpcStatus.NOT_FOUND, 3000);
  answer(two, '/reviews.Reviews/Get', GrpcStatus.UNAVAILABLE, 200_000_000);
  two.grpcMethods.failed('/reviews.Reviews/Get');
  const stream = call('grpc-status: 0\r\n', 3, 20);
  two.grpcMethods.answered('/reviews.Reviews/Watch', stream, stream.hasMethod, 1000);
  const methods = methodsOf(one, two);
  t.strictSame(
    methods.map(({ method }) => method),
    ['reviews.Reviews/Get', 'reviews.Reviews/Watch'],
    'there is no row `other` without a call',
  );
  const get = of(methods, 'reviews.Reviews/Get')!;
  t.equal(grpcCalls(get), 4);
  t.equal(get.statuses[GrpcStatus.OK], 1);
  t.equal(get.statuses[GrpcStatus.NOT_FOUND], 1);
  t.equal(get.statuses[GrpcStatus.UNAVAILABLE], 1);
  t.equal(get.failed, 1);
  t.equal(get.sumUs, 200_003_700);
  t.equal(get.buckets.at(-1), 1, 'the slowest call is above all bounds');
  t.match(of(methods, 'reviews.Reviews/Watch'), { messagesSent: 3, messagesReceived: 20 });
  t.ok(bucketQuantileUs(get, 0.3) > 500 && bucketQuantileUs(get, 0.3) <= 1000);
  t.equal(bucketQuantileUs({ buckets: [] }, 0.5), 0);
});

t.test('only an answer of a server that has the method gives it a row', async (t) => {
  const without = [
    'CANCELLED',
    'DEADLINE_EXCEEDED',
    'PERMISSION_DENIED',
    'RESOURCE_EXHAUSTED',
    'UNIMPLEMENTED',
    'UNAVAILABLE',
    'UNAUTHENTICATED',
  ];
  for (const name of grpcStatusNames) {
    const counters = fresh();
    answer(counters, '/a.B/C', GrpcStatus[name]);
    const methods = methodsOf(counters);
    t.strictSame(
      methods.map(({ method }) => method),
      [without.includes(name) ? 'other' : 'a.B/C'],
      name,
    );
    t.equal(methods[0].statuses[GrpcStatus[name]], 1);
  }
  const counters = fresh();
  const web = call('');
  t.equal(web.status, GrpcStatus.UNKNOWN, 'a page of a web server is UNKNOWN');
  counters.grpcMethods.answered('/index', web, web.hasMethod, 1);
  counters.grpcMethods.failed('/a.B/C');
  t.strictSame(
    methodsOf(counters).map(({ method }) => method),
    ['other'],
  );
});

t.test('a client that invents paths takes no row, and what finds none counts as `other`', async (t) => {
  const counters = fresh();
  for (let i = 0; i < 10_000; i++) answer(counters, `/attack.S${i}/M`, GrpcStatus.UNIMPLEMENTED);
  for (let i = 0; i < limits.grpcMethods; i++) answer(counters, `/real.S/M${i}`, GrpcStatus.OK);
  answer(counters, '/real.S/OneMore', GrpcStatus.OK);
  const long = `/real.S/${'m'.repeat(limits.grpcMethodBytes)}`;
  const methods = methodsOf(counters);
  t.equal(methods.length, limits.grpcMethods + 1);
  t.equal(of(methods, `real.S/M${limits.grpcMethods - 1}`)?.statuses[0], 1);
  t.equal(grpcCalls(methods.at(-1)!), 10_001);
  const few = fresh();
  for (const target of [long, '/real.S/M?x=1', '/real.S/\xffM', '/real.S/M y', '*', '/M', '/S/']) {
    answer(few, target, GrpcStatus.OK);
  }
  t.strictSame(
    methodsOf(few).map((one) => [one.method, grpcCalls(one)]),
    [['other', 7]],
  );
});

t.test('a thread that was replaced continues in the rows of the one before', async (t) => {
  const shared = VersionCounters.create();
  answer(new VersionCounters(shared), '/a.B/C', GrpcStatus.OK);
  answer(new VersionCounters(shared), '/a.B/C', GrpcStatus.UNIMPLEMENTED);
  answer(new VersionCounters(shared), '/a.B/D', GrpcStatus.OK);
  t.strictSame(
    methodsOf(new VersionCounters(shared)).map((one) => [one.method, grpcCalls(one)]),
    [
      ['a.B/C', 2],
      ['a.B/D', 1],
    ],
  );
});

t.test('sums and differences of snapshots are those of the calls', async (t) => {
  const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 16 })), {
    maxLength: 200,
  });
  const totals = (methods: readonly GrpcMethodCounts[]) =>
    methods.reduce((sum, one) => sum + grpcCalls(one), 0);
  fc.assert(
    fc.property(calls, calls, (first, then) => {
      const [one, two] = [fresh(), fresh()];
      const run = (counters: VersionCounters, list: typeof first) => {
        for (const [method, status] of list) answer(counters, `/s.S/M${method}`, status as GrpcStatus);
      };
      run(one, first);
      const before = readVersion([one]);
      run(one, then);
      run(two, first);
      const after = readVersion([one]);
      t.equal(totals(subtractVersion(after, before).grpcMethods), then.length);
      const both = addVersions(after, readVersion([two])).grpcMethods;
      t.equal(totals(both), 2 * first.length + then.length);
      t.strictSame(
        [...both].sort((a, b) => a.method.localeCompare(b.method)),
        [...methodsOf(one, two)].sort((a, b) => a.method.localeCompare(b.method)),
      );
      t.equal(new Set(both.map(({ method }) => method)).size, both.length);
    }),
    { numRuns: 50 },
  );
});

t.test('counting a call allocates nothing', async (t) => {
  const counters = fresh();
  const grpc = call('grpc-status: 0\r\n');
  const missing = call('grpc-status: 12\r\n');
  const count = (times: number) => {
    for (let i = 0; i < times; i++) {
      counters.grpcMethods.answered('/reviews.Reviews/Get', grpc, grpc.hasMethod, i);
      counters.grpcMethods.answered('/reviews.Reviews/None', missing, missing.hasMethod, i);
      counters.grpcMethods.failed('/reviews.Reviews/Get');
    }
  };
  count(50_000);
  const before = process.memoryUsage().heapUsed;
  count(100_000);
  const grown = process.memoryUsage().heapUsed - before;
  t.ok(grown < 800_000, `300,000 calls grew the heap by ${grown} bytes`);
});
