import { GrpcStatus } from '../../../core/grpc/grpc-status.js';
import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import type { RecordedExchange } from '../../../core/recording/recorded.js';
import { SecondRecording } from '../../../core/replay/second-recording.js';
import t from '../../support/tap.js';

function exchange(target: string, body: string, answer: Buffer | null): RecordedExchange {
  const request = { method: 'POST', target, host: 'h', fields: '', framing: Framing.LENGTH, trailers: '' };
  const content = answer === null ? null : { head: '200 OK\r\n', body: answer, truncated: false };
  return {
    timeUs: 0,
    route: '',
    order: '',
    request: { ...request, lengthZero: false, body: Buffer.from(body), grpc: false, messageTimes: '' },
    response: {
      status: 200,
      grpcStatus: GrpcStatus.NONE,
      bytes: 2,
      digest: 1,
      truncated: false,
      latencyUs: 1,
      content,
    },
    primaryFailure: -1,
  };
}

t.test('a request finds the responses to the same request, one after the other', async (t) => {
  const second = new SecondRecording();
  const shared = Buffer.from('one');
  second.add(exchange('/a', 'x', shared));
  // What was added is a view that the next record overwrites.
  shared.write('two');
  second.add(exchange('/a', 'x', shared));
  second.add(exchange('/a', 'y', Buffer.from('other')));
  second.add(exchange('/b', 'x', null));
  const take = (target: string, body: string): string | undefined =>
    second.take(exchange(target, body, null).request)?.content?.body.toString();
  t.strictSame([take('/a', 'x'), take('/a', 'x'), take('/a', 'x')], ['one', 'two', undefined]);
  t.strictSame([take('/a', 'y'), take('/b', 'x'), take('/none', '')], ['other', undefined, undefined]);
});

t.test('its memory is bounded', async (t) => {
  const second = new SecondRecording();
  // The bound looks at the length alone.
  const large = Object.defineProperty(Buffer.from('x'), 'byteLength', {
    value: limits.replayLearnedBytes / 2,
  });
  t.equal(second.add(exchange('/a', '', large as Buffer)), true);
  t.equal(second.add(exchange('/b', '', large as Buffer)), false);
  t.equal(second.take(exchange('/b', '', null).request), null);
});
