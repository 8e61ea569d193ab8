// Runs over one engine: asks for the node engine, which alone has HTTP/2.
/** A verdict of two versions of a gRPC service: of a second one that is worse, and of an equal one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scalar } from '../../core/protobuf/field-type.js';
import { descriptorSet, message, messageType, service } from '../core/protobuf/types.js';
import { callGrpc, type GrpcHandler, GrpcOrigin } from '../support/grpc-origin.js';
import { runHere } from '../support/here.js';
import { http2Session } from '../support/http2-client.js';
import { lawHolds } from '../support/law.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

// A busy machine takes seconds to start each umbra.
t.setTimeout(120_000);

/** A part of the traffic, after which the verdict is asked for. */
const calls = 1200;
/** The most parts. What differs comes in bursts on a busy machine, so that one part may say too little. */
const partsMax = 8;
/**
 * Client, versions and umbra share the machine. With many calls at once copies wait for a processor, and what
 * that may show by itself is more than what v2 takes longer.
 */
const atOnce = 2;
const get = '/shop.Shop/Get';
const failsStatus = /FAIL +status/;

const set = descriptorSet({
  pkg: 'shop',
  syntax: 'proto3',
  messages: [
    messageType('Item', [
      { name: 'id', number: 1, type: Scalar.INT32 },
      { name: 'unit_price', number: 2, type: Scalar.INT32 },
    ]),
  ],
  more: [service('Shop', '.shop.Item', ['Get', 'Find'])],
});

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const equal: GrpcHandler = async ({ messages }) => {
  await after(3);
  return { messages: [Buffer.concat([messages[0]!, message([2, 100])])] };
};

/** One method changed: a field, the status of one call in a hundred, and 10 ms. */
function worse(): GrpcHandler {
  let count = 0;
  return async (called) => {
    if (called.path !== get) return equal(called);
    await after(13);
    if (++count % 100 === 0) return { status: 5, trailersOnly: true };
    return { messages: [Buffer.concat([called.messages[0]!, message([2, 101])])] };
  };
}

/** The verdict after as many parts as `isEnough` asks for. */
async function judged(
  t: Test,
  second: GrpcHandler,
  words: readonly string[],
  isEnough: (out: string) => boolean,
) {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-grpc-'));
  writeFileSync(join(directory, 'shop.binpb'), set);
  const [v1, v2] = [await GrpcOrigin.listen(equal), await GrpcOrigin.listen(second)];
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror: {
        inFlight: 4096,
        compare: { sample: '100%', protobuf: { descriptors: join(directory, 'shop.binpb') } },
      },
      v1: { protocol: 'http2' },
      v2: { protocol: 'http2' },
      umbra: {
        threads: { proxy: 1, shadow: 1 },
        listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2' }],
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
  const work = async (first: number): Promise<void> => {
    for (let n = first; n < calls; n += atOnce)
      await callGrpc(session, n % 4 === 0 ? '/shop.Shop/Find' : get, message([1, n]));
  };
  for (let part = 1; ; part++) {
    await Promise.all(Array.from({ length: atOnce }, (_, n) => work(n)));
    await lawHolds(t, umbra);
    await until(async () => {
      const { mirrors } = (await umbra.admin('GET', '/api/endpoints')).json as {
        mirrors: { endpoints: { pairs: number }[] }[];
      };
      return mirrors[0]!.endpoints.reduce((sum, { pairs }) => sum + pairs, 0) === part * calls;
    }, 'every pair is counted by its method');
    const verdict = await runHere('verdict', '--admin', umbra.adminUrl, ...words);
    if (part === partsMax || isEnough(verdict.out)) return verdict;
  }
}

t.test('a version with a changed field, status and latency fails, and each is named', async (t) => {
  const isStatusJudged = (out: string) => failsStatus.test(out);
  const { code, out } = await judged(t, worse(), ['--min-samples', '200'], isStatusJudged);
  t.equal(code, 1, out);
  t.match(out, /FAIL +latency +v2 took [\d.]+ % longer/);
  t.match(out, /latency: GRPC \/shop\.Shop\/Get: [\d.]+ % longer/);
  t.match(out, failsStatus);
  t.match(out, /FAIL +differences/);
  t.match(out, /GRPC \/shop\.Shop\/Get/);
  t.match(out, /unit_price/);
  t.match(out, /OK NOT_FOUND|NOT_FOUND/);
  t.notMatch(out, /GRPC \/shop\.Shop\/Find/, 'the method that did not change is not named');
});

t.test('an equal version passes', async (t) => {
  const bounds = [
    '--max-error-delta',
    '1%',
    '--max-diff',
    '1%',
    '--max-shift',
    'off',
    '--max-p99-delta',
    'off',
  ];
  const { code, out } = await judged(
    t,
    equal,
    ['--min-samples', '200', ...bounds],
    (out) => !/UNDECIDED/.test(out),
  );
  t.equal(code, 0, out);
});
