import type { ServerResponse } from 'node:http';
import { Drop } from '../../../core/errors.js';
import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import { total } from '../../../core/record/snapshot.js';
import { Origin } from '../../support/origin.js';
import { refusedPort } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { MirrorRig } from './rig.js';

const port = await refusedPort();

t.test('a mirror whose sample the request is not in sees nothing of it', async (t) => {
  const rig = new MirrorRig(port, { shareMillionths: 0 });
  t.equal(rig.offer(), 0);
  t.match(rig.counts(), { eligible: 0 });
  t.equal(total(rig.counts().dropped), 0);
});

t.test('a method or a body that the mirror does not want is dropped before the ring', async (t) => {
  const rig = new MirrorRig(port, { methods: ['GET'], bodyBytesMax: 10 });
  t.equal(rig.offer({ method: 'PUT' }), 0);
  t.equal(rig.offer({ framing: Framing.LENGTH, contentLength: 11 }), 0);
  t.equal(rig.offer({ framing: Framing.LENGTH, contentLength: 10 }), 1);
  const { eligible, dropped } = rig.counts();
  t.strictSame([eligible, dropped[Drop.METHOD], dropped[Drop.BODY_TOO_LARGE]], [3, 1, 1]);
});

t.test('a request that is a copy itself is never mirrored, and counted', async (t) => {
  const rig = new MirrorRig(port, {});
  t.equal(rig.offer({ fields: 'accept: */*\r\nX-Umbra-Mirror: 1\r\n' }), 0);
  const { eligible, dropped } = rig.counts();
  t.strictSame([eligible, dropped[Drop.LOOP]], [1, 1]);
});

t.test('an upgrade is never mirrored, and counted', async (t) => {
  const rig = new MirrorRig(port, {});
  t.equal(rig.offer({ upgrade: 'websocket' }), 0);
  const { eligible, dropped } = rig.counts();
  t.strictSame([eligible, dropped[Drop.UPGRADE]], [1, 1]);
});

t.test('a full ring drops at once, and an oversized head for another reason', async (t) => {
  const rig = new MirrorRig(port, { inFlightMax: 4096 }, 4096);
  let taken = 0;
  while (rig.offer() === 1) taken++;
  t.ok(taken > limits.waitingHeads);
  t.equal(rig.counts().dropped[Drop.RING_FULL], 1);
  rig.turn();
  t.equal(rig.offer({ fields: `x: ${'x'.repeat(4096)}\r\n` }), 0);
  t.equal(rig.counts().dropped[Drop.FRAME_TOO_LARGE], 1);
  await rig.rest();
  t.strictSame(rig.gap(), [0, 0]);
});

t.test('a mirror with as many in flight as it may is not offered more until one has ended', async (t) => {
  const held: ServerResponse[] = [];
  const v2 = await Origin.listen((_received, response) => void held.push(response));
  t.teardown(() => v2.close());
  const rig = new MirrorRig(v2.port, { inFlightMax: 2 });
  t.strictSame([rig.offer(), rig.offer(), rig.offer()], [1, 1, 1], 'the other side has not seen them yet');
  rig.turn();
  t.equal(rig.counts().dropped[Drop.IN_FLIGHT], 1, 'one too many came through the ring');
  t.equal(rig.offer(), 0);
  t.equal(rig.port.usedBytes(), 0, 'and the next one not even into it');
  t.equal(rig.counts().dropped[Drop.IN_FLIGHT], 2);
  await v2.untilReceived(2);
  held[0]!.end();
  while (rig.bounds.inFlight > 1) await new Promise(setImmediate);
  t.equal(rig.offer(), 1, 'a place is free again');
  rig.turn();
  t.equal(rig.offer(), 0);
  await v2.untilReceived(3);
  rig.bounds.follow({ ...rig.plan, inFlightMax: 3 }, 1);
  t.equal(rig.offer(), 1, 'a larger bound makes room at once');
  rig.turn();
  await v2.untilReceived(4);
  for (const response of held) response.end();
  await rig.rest();
  t.strictSame(rig.gap(), [0, 0]);
});

t.test('a body that grows over the bound closes the copy, which then takes nothing more', async (t) => {
  const rig = new MirrorRig(port, { bodyBytesMax: 15 });
  rig.offer({ method: 'POST', framing: Framing.CHUNKED });
  const [copy] = rig.copies;
  t.ok(copy.open);
  copy.body(Buffer.alloc(10), false);
  t.ok(copy.open);
  copy.body(Buffer.alloc(10), false);
  t.notOk(copy.open);
  copy.body(Buffer.alloc(10), true);
  rig.tell(copy);
  const { dropped, sent } = await rig.rest();
  t.strictSame([dropped[Drop.BODY_TOO_LARGE], sent], [1, 0]);
});

t.test('what the guard holds back is eligible and dropped as guard', async (t) => {
  const rig = new MirrorRig(port, {});
  rig.heldBack.set(0, 1_000_000);
  t.equal(rig.offer(), 0);
  rig.heldBack.set(0, 500_000);
  t.equal(rig.offer(), 1, 'the chance of the rig is always 0, which is in every share');
  rig.heldBack.set(0, 0);
  t.equal(rig.offer(), 1);
  const { eligible, dropped } = await rig.rest();
  t.strictSame([eligible, dropped[Drop.GUARD]], [3, 1]);
  t.strictSame(rig.gap(), [0, 0]);
});
