import fc from 'fast-check';
import { none } from '../../../core/errors.js';
import { GrpcStatus } from '../../../core/grpc/grpc-status.js';
import { Framing } from '../../../core/http/message.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import { decodeMessage, encodeMessage } from '../../../core/stream/message.js';
import { copyOf } from '../../support/copies.js';
import t from '../../support/tap.js';

const nothing = { ...redactNothingMore, defaults: false };

t.test(
  "a message carries the key of its mirror's order, and none where the request is in no order",
  async (t) => {
    for (const [orderKey, order] of [
      [0xfeed, 'feed'],
      [0, ''],
    ] as const) {
      const { about, payload } = encodeMessage(copyOf({ orderKey }), new Redactor(redactNothingMore), 1);
      const exchange = decodeMessage(about, payload);
      if (typeof exchange === 'string') throw new Error(exchange);
      t.equal(exchange.order, order);
      t.equal(exchange.timeUs, 1);
    }
  },
);

const response = {
  status: 200,
  head: '200 OK\r\ncontent-type: text/plain\r\n',
  latencyUs: 5,
  truncated: false,
  trailers: '',
  messageTimes: '',
};
const primary = {
  status: 200,
  grpcStatus: GrpcStatus.NONE,
  failure: none,
  latencyUs: 5,
  responseBytes: 2,
  bodyDigest: 7,
} as const;

t.test('what is decoded is what was encoded, whatever the bodies hold', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  const copies = fc.record({
    body: bytes,
    answer: fc.option(bytes),
    chunked: fc.boolean(),
    target: fc.stringMatching(/^\/[a-z0-9/?=&%]{0,20}$/),
    order: fc.integer({ min: 0, max: 0xffffffff }),
    atUs: fc.integer({ min: 0, max: 2 ** 51 }),
  });
  await fc.assert(
    fc.asyncProperty(copies, async ({ body, answer, chunked, target, order, atUs }) => {
      const copy = copyOf({
        method: 'POST',
        target,
        orderKey: order,
        framing: chunked ? Framing.CHUNKED : Framing.LENGTH,
        lengthZero: !chunked && body.byteLength === 0,
        body: body.byteLength === 0 ? [] : [body.subarray(0, 3), body.subarray(3)],
        bodyBytes: body.byteLength,
        primary: answer === null ? null : { ...primary, responseBytes: answer.byteLength },
        response: answer === null ? null : { ...response, body: [answer], bodyBytes: answer.byteLength },
      });
      const { about, payload } = encodeMessage(copy, new Redactor(nothing), atUs);
      const back = decodeMessage(about, payload);
      if (typeof back === 'string') throw new Error(back);
      t.ok(back.request.body.equals(body));
      t.strictSame([back.request.target, back.timeUs, back.request.fields], [target, atUs, copy.fields]);
      t.equal(back.order, order === 0 ? '' : order.toString(16));
      t.strictSame(back.response?.content?.body ?? null, answer === null ? null : Buffer.from(answer));
    }),
  );
});

t.test('a body that redaction had to leave out is not sent as an empty one', async (t) => {
  let redacted = 0;
  const secret = { fields: 'content-type: application/json\r\ncontent-encoding: br\r\nx-token: a\r\n' };
  const damaged = Buffer.from('this is not brotli');
  const { about, payload } = encodeMessage(
    copyOf({
      ...secret,
      method: 'POST',
      framing: Framing.LENGTH,
      body: [damaged],
      bodyBytes: damaged.byteLength,
      redacted: () => void redacted++,
    }),
    new Redactor(redactNothingMore),
    1,
  );
  t.equal(decodeMessage(about, payload), 'its body was not recorded');
  t.equal(redacted, 1);
});

t.test("a response's body that redaction had to leave out is not whole", async (t) => {
  const head = '200 OK\r\ncontent-type: application/json\r\ncontent-encoding: br\r\nset-cookie: sid=1\r\n';
  const body = [Buffer.from('this is not brotli')];
  const copy = copyOf({ primary, response: { ...response, head, body, bodyBytes: 18 } });
  const { about, payload } = encodeMessage(copy, new Redactor(redactNothingMore), 1);
  const exchange = decodeMessage(about, payload);
  if (typeof exchange === 'string') throw new Error(exchange);
  t.match(exchange.response, { truncated: true, content: { truncated: true } });
  t.notMatch(payload.toString(), /brotli|sid=1/);
});

t.test('a call of gRPC carries its status, and its trailers behind its messages', async (t) => {
  const body = [Buffer.from([0, 0, 0, 0, 1, 7])];
  const head = '200 OK\r\ncontent-type: application/grpc\r\n';
  const trailers = 'grpc-status: 5\r\nx-token: a secret\r\n';
  const copy = copyOf({
    method: 'POST',
    fields: 'content-type: application/grpc\r\n',
    primary: { ...primary, status: 404, grpcStatus: GrpcStatus.NOT_FOUND, responseBytes: 6 },
    messageTimes: '12 2000000',
    response: { ...response, head, body, bodyBytes: 6, trailers, messageTimes: '90 1' },
  });
  const { about, payload } = encodeMessage(copy, new Redactor(redactNothingMore), 1);
  t.match(about, /; status=404; grpc-status=5; /);
  const exchange = decodeMessage(about, payload);
  if (typeof exchange === 'string') throw new Error(exchange);
  t.equal(exchange.request.grpc, true);
  t.equal(exchange.request.messageTimes, '12 2000000');
  t.match(about, /; response-message-us=90 1(;|$)/);
  const damaged = decodeMessage(about.replace('12 2000000', '12 -1'), payload);
  t.match(damaged, { request: { messageTimes: '' } });
  const answer = exchange.response!;
  t.strictSame([answer.status, answer.grpcStatus, answer.bytes], [404, GrpcStatus.NOT_FOUND, 6]);
  t.equal(answer.content!.head, `${head}grpc-status: 5\r\nx-token: [redacted]\r\n`);
  t.ok(answer.content!.body.equals(body[0]!));
});
