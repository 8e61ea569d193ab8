/** What a shadow elsewhere takes of a stream, and what it says of each message. */

import { nowUs } from '../../../core/clock.js';
import { limits } from '../../../core/limits.js';
import { pairsAlone } from '../../../core/plan.js';
import { MirrorField } from '../../../core/record/mirror-counters.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import { ReplayCounters } from '../../../core/replay/replay-counters.js';
import { encodeMessage } from '../../../core/stream/message.js';
import { StreamShadow } from '../../../core/stream/stream-shadow.js';
import { copyOf } from '../../support/copies.js';
import { RawServer, refusedPort } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { TestPool } from '../upstream/exchange.js';

const MiB = 1024 * 1024;
const inFlightMax = 1000;

/** A shadow of a port, and deliveries that keep what is said of them. */
function shadowOf(t: Test, port: number) {
  const pool = new TestPool([port], { connectionsMax: inFlightMax });
  t.teardown(() => pool.close());
  const counters = new ReplayCounters();
  const said: string[] = [];
  const shadow = new StreamShadow({
    servers: {
      shadow: { pool, grpcPool: pool, counters: counters.played, host: null, tokens: null },
      primary: null,
      baseline: null,
    },
    compare: pairsAlone,
    pairs: null,
    counters,
    clock: nowUs,
    messagePace: { speed: 1, longStreams: 'hurry' },
    timeoutMs: 60_000,
    inFlightMax,
    deliveriesMax: 3,
    onRejected: (sequence, why) => said.push(`${sequence} is given up: ${why}`),
  });
  t.teardown(() => shadow.stop());
  const message = encodeMessage(copyOf(), new Redactor(redactNothingMore), 1);
  const deliver = (count: number, { about, payload } = message): void =>
    shadow.take({
      about,
      payload,
      sequence: 7,
      count,
      pending: 0,
      done: () => void said.push('done'),
      again: (afterMs) => void said.push(`again after ${afterMs}`),
      reject: () => void said.push('reject'),
    });
  const counts = (): number[] => {
    const { mirror } = counters;
    const [sent, completed] = [mirror.get(MirrorField.sent), mirror.get(MirrorField.completed)];
    return [sent, completed, mirror.totalOf(MirrorField.failed), mirror.totalOf(MirrorField.dropped)];
  };
  return { shadow, counters, said, message, deliver, counts };
}

t.test('a shadow takes no more messages than fit into its bytes, and always one', async (t) => {
  const answers: (() => void)[] = [];
  const server = await RawServer.listen(async (peer) => {
    for (;;) {
      await peer.head();
      await new Promise<void>((resolve) => answers.push(resolve));
      peer.send('HTTP/1.1 204 No Content\r\n\r\n');
    }
  });
  t.teardown(() => server.close());
  const { shadow, counters, said, message, deliver: deliverMessage } = shadowOf(t, server.port);
  // The bound looks at the bytes of the message: a large one is made without the bytes.
  const deliver = (value: number): void => {
    const payload = Object.defineProperty(Buffer.from(message.payload), 'byteLength', { value });
    deliverMessage(1, { ...message, payload: payload as Buffer });
  };

  t.equal(shadow.roomFor(1), inFlightMax, 'small ones are bounded by their number');
  t.equal(shadow.roomFor(MiB), limits.streamTakenBytes / MiB);
  t.equal(shadow.roomFor(limits.streamTakenBytes + 1), 1, 'however large it is');
  deliver(limits.streamTakenBytes - MiB);
  t.equal(shadow.roomFor(MiB), 1);
  t.equal(shadow.roomFor(MiB + 1), 0);
  deliver(MiB);
  t.equal(shadow.roomFor(1), 0);
  t.equal(counters.mirror.get(MirrorField.heldBytes), limits.streamTakenBytes);
  const room = shadow.whenRoomFor(MiB);
  while (answers.length < 2) await new Promise(setImmediate);
  for (const answer of answers) answer();
  await room;
  await shadow.whenIdle();
  t.strictSame(said, ['done', 'done']);
  t.equal(shadow.roomFor(MiB), limits.streamTakenBytes / MiB);
  t.equal(counters.mirror.get(MirrorField.heldBytes), 0);
});

t.test('what can not be sent goes back, later each time, until it has failed', async (t) => {
  const { shadow, said, deliver, counts } = shadowOf(t, await refusedPort());
  for (const count of [1, 2, 3]) {
    deliver(count);
    await shadow.whenIdle();
  }
  t.strictSame(said, ['again after 500', 'again after 1000', 'done']);
  t.strictSame(counts(), [1, 0, 1, 2], 'sent, completed, failed, dropped');
  t.equal(shadow.roomFor(1), 0, 'it has a rest');
});

t.test('a failure after something was sent is an outcome', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.reset();
  });
  t.teardown(() => server.close());
  const { shadow, said, deliver, counts } = shadowOf(t, server.port);
  deliver(1);
  await shadow.whenIdle();
  t.strictSame([said, counts()], [['done'], [1, 0, 1, 0]]);
});

t.test('what is no request, or came too often, is given up and counted', async (t) => {
  const { said, deliver, counts } = shadowOf(t, await refusedPort());
  deliver(1, { about: '', payload: Buffer.from('hello') });
  deliver(1, { about: '2; at-us=1', payload: Buffer.from('') });
  deliver(4);
  t.equal(said.filter((one) => one === 'reject').length, 3);
  t.match(said[1], /^7 is given up: not a request that can be sent/);
  t.match(said[3], /format 2/);
  t.match(said[5], /delivered 4 times/);
  t.strictSame(counts(), [0, 0, 0, 3]);
});
