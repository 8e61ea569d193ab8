import { nowUs } from '../../../core/clock.js';
import { Failure } from '../../../core/errors.js';
import { Delays } from '../../../core/exchange/delays.js';
import { DiscardedRequest, isAnsweredAtOnce } from '../../../core/exchange/discarded-request.js';
import type { RequestSink } from '../../../core/exchange/downstream.js';
import { Framing, RequestHead } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { RecordingResponder } from './rig.js';

/** Where a request went on to, as words. */
class Gone implements RequestSink {
  readonly told: string[] = [];
  onRequestBody(piece: Uint8Array, last: boolean): void {
    this.told.push(`${Buffer.from(piece)}${last ? '.' : ''}`);
  }
  onRequestTrailers(lines: string): void {
    this.told.push(lines.trim());
  }
  onAborted(): void {
    this.told.push('aborted');
  }
  onWritable(): void {
    this.told.push('writable');
  }
  lastWords(): string {
    return 'last words';
  }
}

const posted = (changes: Partial<RequestHead> = {}) =>
  Object.assign(new RequestHead(), { method: 'POST', framing: Framing.CHUNKED, ...changes });

t.test(
  'a delayed request continues with its own head and all of its body, and then is no longer in the way',
  async (t) => {
    // The timer of deadlines does not keep a process alive.
    const alive = setInterval(() => {}, 1000);
    t.teardown(() => clearInterval(alive));
    const delays = new Delays(nowUs);
    const [told, gone, head] = [
      new RecordingResponder(),
      new Gone(),
      posted({ target: '/own', fields: 'a: b\r\n' }),
    ];
    let own: RequestHead | null = null;
    const sink = delays.hold(1, head, told, (given) => {
      own = given;
      return gone;
    })!;
    // An engine uses the head again.
    head.target = '/another';
    sink.onRequestBody(Buffer.from('one'), false);
    sink.onRequestBody(Buffer.from('two'), false);
    await told.until('resume');
    sink.onRequestTrailers('t: u\r\n');
    sink.onRequestBody(Buffer.from('three'), true);
    sink.onWritable();
    t.match(own, { target: '/own', fields: 'a: b\r\n', method: 'POST' });
    t.strictSame(gone.told, ['onetwo', 't: u', 'three.', 'writable']);
    t.strictSame(told.events, ['pause', 'resume'], 'the client was asked to wait');
  },
);

t.test('so many requests are delayed at once, and no more; each that ends makes room', async (t) => {
  const delays = new Delays(nowUs);
  const hold = () => delays.hold(3_600_000, new RequestHead(), new RecordingResponder(), () => new Gone());
  const held = Array.from({ length: limits.delayedRequests }, hold);
  t.ok(held.every((sink) => sink !== null));
  t.equal(hold(), null);
  t.equal(held[0]!.lastWords(Failure.ABORTED), '', 'no response has begun');
  held[0]!.onAborted(Failure.ABORTED);
  t.not(hold(), null);
  for (const sink of held.slice(1)) sink!.onAborted(Failure.ABORTED);
});

t.test('a body that is too much to hold ends the wait', async (t) => {
  const delays = new Delays(nowUs);
  const gone = new Gone();
  const sink = delays.hold(3_600_000, posted(), new RecordingResponder(), () => gone)!;
  t.ok(delays.take(limits.delayedBytes - 3), 'what others hold');
  sink.onRequestBody(Buffer.from('one'), false);
  t.strictSame(gone.told, []);
  sink.onRequestBody(Buffer.from('two'), true);
  t.strictSame(gone.told, ['one', 'two.']);
});

t.test(
  'an answer of a route waits for a body within bounds, and for none of a client that is gone',
  async (t) => {
    t.ok(isAnsweredAtOnce(new RequestHead()));
    t.ok(isAnsweredAtOnce(posted({ expectsContinue: true })));
    t.ok(isAnsweredAtOnce(posted({ framing: Framing.LENGTH, contentLength: limits.discardedBodyBytes + 1 })));
    t.notOk(isAnsweredAtOnce(posted({ framing: Framing.LENGTH, contentLength: limits.discardedBodyBytes })));
    let answers = 0;
    const discarded = () => new DiscardedRequest(() => answers++);
    const whole = discarded();
    whole.onRequestBody(Buffer.from('a'), false);
    t.equal(answers, 0);
    whole.onRequestBody(Buffer.from('b'), true);
    t.equal(answers, 1);
    const endless = discarded();
    endless.onRequestBody(Buffer.alloc(limits.discardedBodyBytes + 1), false);
    endless.onRequestBody(Buffer.alloc(1), true);
    t.equal(answers, 2, 'once');
    const gone = discarded();
    gone.onAborted();
    gone.onRequestBody(Buffer.alloc(0), true);
    t.equal(answers, 2);
  },
);
