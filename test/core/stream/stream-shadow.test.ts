/** How much of a stream a shadow elsewhere takes at once. */
import t from 'tap';
import { nowUs } from '../../../core/clock.js';
import { limits } from '../../../core/limits.js';
import { pairsAlone } from '../../../core/plan.js';
import { MirrorField } from '../../../core/record/mirror-counters.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import { ReplayCounters } from '../../../core/replay/replay-counters.js';
import { encodeMessage } from '../../../core/stream/message.js';
import { type Delivery, StreamShadow } from '../../../core/stream/stream-shadow.js';
import { copyOf } from '../../support/copies.js';
import { RawServer } from '../../support/raw-server.js';
import { TestPool } from '../upstream/exchange.js';

const MiB = 1024 * 1024;
const inFlightMax = 1000;

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
  const pool = new TestPool([server.port], { connectionsMax: inFlightMax });
  const counters = new ReplayCounters();
  const shadow = new StreamShadow({
    servers: {
      shadow: { pool, counters: counters.played, host: null, tokens: null },
      primary: null,
      baseline: null,
    },
    compare: pairsAlone,
    pairs: null,
    counters,
    clock: nowUs,
    timeoutMs: 60_000,
    inFlightMax,
    deliveriesMax: 5,
    onRejected: (_, why) => t.fail(why),
  });
  const { about, payload } = encodeMessage(copyOf(), new Redactor(redactNothingMore), 1);
  let done = 0;
  // The bound looks at the bytes of the message: a large one is made without the bytes.
  const deliver = (bytes: number): void => {
    const large = Object.defineProperty(Buffer.from(payload), 'byteLength', { value: bytes }) as Buffer;
    const delivery: Delivery = {
      about,
      payload: large,
      sequence: 1,
      count: 1,
      pending: 0,
      done: () => done++,
      again: () => t.fail('it was sent'),
      reject: () => t.fail('it can be read'),
    };
    shadow.take(delivery);
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
  t.equal(done, 2);
  t.equal(shadow.roomFor(MiB), limits.streamTakenBytes / MiB);
  t.equal(counters.mirror.get(MirrorField.heldBytes), 0);
});
