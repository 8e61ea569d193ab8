import fc from 'fast-check';
import { grpcAnswerLines } from '../../../core/grpc/grpc-answer.js';
import { grpcMethodOf, isGrpcType } from '../../../core/grpc/grpc-method.js';
import {
  GrpcStatus,
  grpcOutcome,
  grpcStatusName,
  grpcStatusNames,
  grpcStatusOfHead,
  grpcStatusOfHttp,
  grpcStatusOfTrailers,
  httpStatusOfGrpc,
  parseGrpcStatus,
} from '../../../core/grpc/grpc-status.js';
import {
  grpcTimeoutOf,
  grpcTimeoutText,
  parseGrpcTimeout,
  withGrpcTimeout,
} from '../../../core/grpc/grpc-timeout.js';
import { framedMessage, grpcMessages, MessageCounter } from '../../../core/grpc/message-counter.js';
import { encodeGrpcMessage } from '../../../core/grpc/status-text.js';
import { FieldKind, ResponseHead } from '../../../core/http/response-head.js';
import t from '../../support/tap.js';

t.test('every status has a name, a number and an HTTP status', async (t) => {
  t.equal(grpcStatusNames.length, 17);
  for (const [number, name] of grpcStatusNames.entries()) {
    t.equal(GrpcStatus[name], number);
    t.equal(parseGrpcStatus(String(number)), number);
    t.equal(grpcStatusName(number as GrpcStatus), name);
  }
  t.equal(grpcStatusName(GrpcStatus.NONE), '');
  // OpenTelemetry counts these statuses of a server as errors.
  const errors = grpcStatusNames.filter((name) => httpStatusOfGrpc(GrpcStatus[name]) >= 500);
  t.strictSame(errors, [
    'UNKNOWN',
    'DEADLINE_EXCEEDED',
    'UNIMPLEMENTED',
    'INTERNAL',
    'UNAVAILABLE',
    'DATA_LOSS',
  ]);
});

t.test('a value that is not a status is UNKNOWN', async (t) => {
  for (const value of ['', '17', '99', '-1', '1.0', 'OK', '000', ' 1']) {
    t.equal(parseGrpcStatus(value), GrpcStatus.UNKNOWN, value);
  }
  t.equal(parseGrpcStatus('00'), GrpcStatus.OK);
});

t.test('the status is found in trailers and in heads, whatever stands beside it', async (t) => {
  t.equal(grpcStatusOfTrailers('grpc-status: 5\r\n'), GrpcStatus.NOT_FOUND);
  t.equal(grpcStatusOfTrailers('x: grpc-status: 3\r\ngrpc-status-x: 4\r\nGrpc-Status:13\r\n'), 13);
  t.equal(grpcStatusOfTrailers('x-grpc-status: 3\r\n'), GrpcStatus.NONE);
  t.equal(grpcStatusOfTrailers(''), GrpcStatus.NONE);
  const head = new ResponseHead();
  t.equal(grpcStatusOfHead(head), GrpcStatus.NONE);
  head.begin(Buffer.from('grpc-status: 14\r\n'), 0);
  head.addField(0, 11, 13, 15, FieldKind.FORWARD);
  t.equal(grpcStatusOfHead(head), GrpcStatus.UNAVAILABLE);
});

t.test(
  'own answers and answers of others without a status have the status that clients expect',
  async (t) => {
    for (const [http, grpc] of [
      [503, 14],
      [504, 4],
      [413, 8],
      [431, 8],
      [404, 12],
      [502, 14],
      [400, 13],
      [401, 16],
      [403, 7],
      [429, 14],
      [418, 2],
      [200, 2],
    ] as const) {
      t.equal(grpcStatusOfHttp(http), grpc, String(http));
    }
    t.equal(grpcOutcome(GrpcStatus.NONE, 200, true), GrpcStatus.UNKNOWN);
    t.equal(grpcOutcome(GrpcStatus.NONE, 503, false), GrpcStatus.UNAVAILABLE);
    t.equal(grpcOutcome(GrpcStatus.NONE, 504, false), GrpcStatus.UNAVAILABLE);
    t.equal(grpcOutcome(GrpcStatus.NONE, 413, false), GrpcStatus.UNKNOWN);
    t.equal(grpcOutcome(GrpcStatus.NONE, 404, false), GrpcStatus.UNIMPLEMENTED);
    t.equal(grpcOutcome(GrpcStatus.ABORTED, 200, true), GrpcStatus.ABORTED);
    t.equal(
      grpcAnswerLines(503, 'no upstream endpoint is available\n', 'Content-Type: text/plain\r\nx: y\r\n'),
      'content-type: application/grpc\r\ngrpc-status: 14\r\ngrpc-message: no upstream endpoint is available\r\nx: y\r\n',
    );
    t.equal(grpcAnswerLines(404, '', ''), 'content-type: application/grpc\r\ngrpc-status: 12\r\n');
  },
);

t.test('gRPC is known by its content type, and gRPC-Web is not gRPC', async (t) => {
  for (const type of [
    'application/grpc',
    'application/grpc+proto',
    'Application/GRPC; a=b',
    'application/grpc ;a',
  ])
    t.equal(isGrpcType(type), true, type);
  for (const type of [
    'application/grpc-web',
    'application/grpc-web+proto',
    'application/grp',
    '',
    'text/plain',
  ])
    t.equal(isGrpcType(type), false, type);
});

t.test('a target names its service and method', async (t) => {
  t.equal(grpcMethodOf('/a.b.Service/Method'), 'a.b.Service/Method');
  t.equal(grpcMethodOf('/prefix/a.Service/Method?x=/y'), 'prefix/a.Service/Method');
  for (const target of ['/', '/a', '/a/', '//a', '*', '', 'a/b']) t.equal(grpcMethodOf(target), null, target);
});

t.test('texts survive percent-encoding', async (t) => {
  t.equal(encodeGrpcMessage('100% ü\n'), '100%25 %C3%BC%0A');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const encoded = encodeGrpcMessage(text);
      return /^[ -~]*$/.test(encoded) && decodeURIComponent(encoded) === Buffer.from(text).toString();
    }),
  );
});

t.test('timeouts are read in every unit and written without losing a deadline', async (t) => {
  for (const [text, ms] of [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['100m', 100],
    ['1500u', 1.5],
    ['99999999n', 99.999999],
    ['0m', 0],
  ] as const) {
    t.equal(parseGrpcTimeout(text), ms, text);
  }
  for (const text of ['', 'm', '1', '1s', '-1m', '123456789m', '1.5S', '1 S']) {
    t.equal(parseGrpcTimeout(text), null, text);
  }
  t.equal(grpcTimeoutOf('te: trailers\r\ngrpc-timeout: 250m\r\n'), 250);
  t.equal(grpcTimeoutOf('x-grpc-timeout: 1m\r\n'), null);
  t.equal(
    withGrpcTimeout('a: b\r\ngrpc-timeout: 9S\r\nc: d\r\n', 1.5),
    'a: b\r\ngrpc-timeout: 1500000n\r\nc: d\r\n',
  );
  t.equal(withGrpcTimeout('a: b\r\n', 5), 'a: b\r\n');
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (ms) => {
      const text = grpcTimeoutText(ms);
      const read = parseGrpcTimeout(text)!;
      return text.length <= 9 && read >= ms * (1 - 1e-12) && read <= ms * 1.001 + 1e-5;
    }),
  );
});

t.test('messages are counted wherever a body is cut', async (t) => {
  const messages = fc.array(fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), compressed: fc.boolean() }));
  fc.assert(
    fc.property(messages, fc.array(fc.nat({ max: 300 })), (sent, cuts) => {
      const body = Buffer.concat(
        sent.map(({ bytes, compressed }) => {
          const framed = framedMessage(bytes);
          framed[0] = compressed ? 1 : 0;
          return framed;
        }),
      );
      const counter = new MessageCounter();
      counter.begin();
      const places = [...cuts.map((cut) => Math.min(cut, body.length)), body.length].sort((a, b) => a - b);
      let from = 0;
      for (const to of places) {
        counter.take(body.subarray(from, to));
        from = to;
      }
      t.equal(counter.messages, sent.length);
      t.equal(counter.compressed, sent.filter(({ compressed }) => compressed).length);
      t.equal(counter.isBetweenMessages, true);
      const read = grpcMessages(body)!;
      t.strictSame(
        read.map(({ bytes, compressed }) => ({ bytes: Uint8Array.from(bytes), compressed })),
        sent.map(({ bytes, compressed }) => ({ bytes, compressed })),
      );
      if (body.length > 0) t.equal(grpcMessages(body.subarray(0, -1)), null);
    }),
  );
});

t.test('a body that is not gRPC is found out, and the counter serves the next one', async (t) => {
  const counter = new MessageCounter();
  counter.take(Buffer.from('<html>'));
  t.equal(counter.isMalformed, true);
  t.equal(counter.isBetweenMessages, false);
  counter.begin();
  counter.take(Buffer.from([0, 0, 0, 0, 0]));
  t.equal(counter.isMalformed, false);
  t.equal(counter.messages, 1);
  t.equal(counter.isBetweenMessages, true);
});
