import fc from 'fast-check';
import type { GrpcStatus } from '../../../core/grpc/grpc-status.js';
import { Framing } from '../../../core/http/message.js';
import type { RecordedExchange } from '../../../core/recording/recorded.js';
import { RequestPacker, RequestUnpacker } from '../../../core/replay/packed.js';
import t from '../../support/tap.js';

const text = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const response = fc.record({
  status: fc.integer({ min: 100, max: 599 }),
  grpcStatus: fc.integer({ min: -1, max: 16 }).map((status) => status as GrpcStatus),
  bytes: fc.nat(),
  digest: fc.oneof(fc.constant(null), fc.nat(2 ** 32 - 1)),
  truncated: fc.boolean(),
  latencyUs: fc.integer({ min: -1, max: 1e9 }),
  content: fc.option(fc.record({ head: text, body: bytes, truncated: fc.boolean() }), { nil: null }),
});
const exchange: fc.Arbitrary<RecordedExchange> = fc.record({
  timeUs: fc.constant(0),
  route: fc.constant(''),
  order: fc.constant(''),
  request: fc.record({
    method: text,
    target: text,
    host: text,
    fields: text,
    framing: fc.constantFrom(...Object.values(Framing)),
    lengthZero: fc.boolean(),
    body: bytes,
    trailers: text,
    grpc: fc.boolean(),
    messageTimes: text,
  }),
  response: fc.option(response),
  primaryFailure: fc.constant(-1 as const),
});
const packed = fc.record({ exchange, afterUs: fc.double({ min: -1, max: 1e12 }), key: fc.option(text) });

t.test('requests come out of a block as they went in, byte by byte', async (t) => {
  fc.assert(
    fc.property(fc.array(packed, { minLength: 1, maxLength: 8 }), (requests) => {
      const packer = new RequestPacker();
      for (const request of requests) packer.add(request, request.key);
      const { count } = packer;
      const unpacker = new RequestUnpacker(packer.take(), count);
      const out = Array.from({ length: count }, () => unpacker.next());
      t.same(out, requests);
      t.equal(unpacker.left, 0);
      t.strictSame([packer.count, packer.bytes], [0, 0], 'the next block begins empty');
    }),
  );
});

t.test('a block grows with what is put into it', async (t) => {
  const packer = new RequestPacker();
  const [one] = fc.sample(packed, { numRuns: 1, seed: 1 });
  const body = Buffer.alloc(3_000_000, 'x');
  const large = { ...one, exchange: { ...one.exchange, request: { ...one.exchange.request, body } } };
  packer.add(one, null);
  packer.add(large, 'k');
  const unpacker = new RequestUnpacker(packer.take(), 2);
  t.same(unpacker.next().exchange, one.exchange);
  t.ok(unpacker.next().exchange.request.body.equals(body));
});
