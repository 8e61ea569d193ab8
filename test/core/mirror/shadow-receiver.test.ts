import fc from 'fast-check';
import { digestBody, digestFields } from '../../../core/compare/digest.js';
import { Drop, Failure } from '../../../core/errors.js';
import { Framing } from '../../../core/http/message.js';
import { ResponseHead } from '../../../core/http/response-head.js';
import { limits } from '../../../core/limits.js';
import { Outcome, Seen } from '../../../core/mirror/codec.js';
import { nothingCompared, pairsAlone } from '../../../core/plan.js';
import { VersionField } from '../../../core/record/version-counters.js';
import { answerOk, Origin } from '../../support/origin.js';
import { RawServer, refusedPort } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { mirrorPlan } from '../route/support.js';
import { MirrorRig } from './rig.js';

const piece = Buffer.from('0123456789');
const nothing = Buffer.alloc(0);
const noGap = [0, 0] as const;
const byUser = { by: 'header', name: 'x-user', target: 1 } as const;

t.test(
  'a copy is sent with its own host, completed, and paired with the outcome of the primary',
  async (t) => {
    const shadow = await Origin.listen();
    const rig = new MirrorRig(shadow.port);
    rig.offer({ target: '/reviews/1', fields: 'x-a: 1\r\n' });
    rig.tell(rig.copies[0], { responseBytes: 3 });
    const counts = await rig.rest();
    t.match(counts, { eligible: 1, sent: 1, completed: 1, inFlight: 0, paired: 1, equal: 1 });
    t.equal(shadow.received[0].target, '/reviews/1');
    t.strictSame(shadow.received[0].fields.slice(0, 2), [
      ['host', 'reviews-shadow'],
      ['x-a', '1'],
    ]);
    t.equal(counts.deltaSlower.count + counts.deltaFaster.count, 1);
    t.equal(rig.bounds.inFlight, 0);
    rig.pool.close();
    await shadow.close();
  },
);

t.test(
  'a pair differs in size, in the checksum of its body, and in the fields that are compared',
  async (t) => {
    const shadow = await Origin.listen();
    const compare = { ...pairsAlone, digest: true, headers: ['content-type'] };
    const rig = new MirrorRig(shadow.port, { compare });
    const { BODY_DIGEST, FIELDS_DIGEST } = Seen;
    const told = (bodyDigest: number, fieldsDigest: number, seen: number, responseBytes = 3) => {
      rig.offer();
      const outcome = Object.assign(new Outcome(), {
        status: 200,
        bodyDigest,
        fieldsDigest,
        seen,
        responseBytes,
      });
      rig.port.outcome(rig.copies[0].exchangeId, outcome);
      return rig.rest();
    };
    const ok = digestBody(Buffer.from('ok\n'), 0);
    const noType = digestFields(new ResponseHead(), ['content-type']);
    t.match(await told(ok, noType, BODY_DIGEST | FIELDS_DIGEST), { paired: 1, equal: 1 });
    t.match(await told(1, noType, BODY_DIGEST | FIELDS_DIGEST), { different: 1, bodyDifferent: 1 });
    t.match(await told(ok, 1, BODY_DIGEST | FIELDS_DIGEST), { different: 2, headerDifferent: 1 });
    t.match(
      await told(1, 1, 0),
      { different: 2, equal: 2 },
      'what the primary side did not look at is not compared',
    );
    t.match(await told(1, noType, BODY_DIGEST, 4), { different: 3, bodyDifferent: 2, sizeDifferent: 1 });
    rig.pool.close();
    await shadow.close();
  },
);

t.test(
  'a mirror that compares nothing ends with its request, also when the shadow failed before',
  async (t) => {
    const rig = new MirrorRig(await refusedPort(), { compare: nothingCompared });
    const copy = rig.offerUpload(20);
    copy.body(piece, false);
    await rig.rest();
    t.match(rig.counts(), { eligible: 1, inFlight: 0, sent: 1 });
    copy.body(piece, true);
    rig.tell(copy);
    await rig.rest();
    t.match(rig.counts(), { paired: 0, notComparable: 0 });
    t.strictSame(rig.gap(), noGap);
    rig.pool.close();
  },
);

t.test('pairing needs two whole exchanges, and counts a status that alone differs', async (t) => {
  const shadow = await Origin.listen();
  const rig = new MirrorRig(shadow.port);
  rig.offer();
  rig.fail(rig.copies[0], Failure.TIMEOUT);
  await rig.rest();
  t.match(rig.counts(), { completed: 1, paired: 0 });
  rig.offer();
  rig.turn();
  // The outcome may also come long after the shadow's answer.
  const { completed } = await rig.rest();
  t.equal(completed, 2);
  rig.tell(rig.copies[0], { status: 404 });
  rig.turn();
  t.match(rig.counts(), { paired: 1, equal: 0, different: 1, statusDifferent: 1 });
  rig.pool.close();
  await shadow.close();
});

t.test('a body arrives in its pieces, and the copy is complete with the last one', async (t) => {
  const shadow = await Origin.listen();
  const rig = new MirrorRig(shadow.port);
  const copy = rig.offerUpload(30);
  rig.turn();
  for (const last of [false, false, true]) {
    copy.body(piece, last);
    rig.turn();
  }
  rig.tell(copy);
  t.match(await rig.rest(), { completed: 1, paired: 1 });
  t.equal(shadow.received[0].bodyBytes, 30);
  rig.offer({ method: 'POST', framing: Framing.CHUNKED });
  rig.copies[0].body(piece, false);
  rig.copies[0].body(nothing, true);
  rig.tell(rig.copies[0]);
  t.match(await rig.rest(), { completed: 2, paired: 2 });
  t.strictSame([shadow.received[1].bodyBytes, shadow.received[1].framing], [10, 'chunked']);
  rig.pool.close();
  await shadow.close();
});

t.test('a copy that is given up before it was sent is dropped, and after that it has failed', async (t) => {
  const shadow = await RawServer.listen(() => {});
  const rig = new MirrorRig(shadow.port);
  const before = rig.offerUpload(30);
  before.abort(Failure.BODY_TOO_LARGE);
  rig.turn();
  t.match(rig.counts(), { sent: 0, inFlight: 0 });
  t.equal(rig.counts().dropped[Drop.BODY_TOO_LARGE], 1);
  rig.fail(before, Failure.ABORTED);
  const after = rig.offerUpload(30);
  after.body(piece, false);
  rig.turn();
  while (rig.counts().sent === 0) await new Promise(setImmediate);
  after.abort(Failure.ABORTED);
  rig.tell(after);
  rig.turn();
  t.match(rig.counts(), { sent: 1, completed: 0, inFlight: 0 });
  t.equal(rig.counts().failed[Failure.ABORTED], 1);
  t.strictSame(rig.gap(), noGap);
  t.equal(rig.bounds.inFlight, 0);
  rig.pool.close();
  await shadow.close();
});

t.test('an abort means nothing to a copy whose request is complete', async (t) => {
  const shadow = await Origin.listen();
  const rig = new MirrorRig(shadow.port);
  const copy = rig.offerUpload(10);
  copy.body(piece, true);
  copy.abort(Failure.ABORTED);
  rig.fail(copy, Failure.ABORTED);
  t.match(await rig.rest(), { completed: 1, paired: 0 });
  rig.pool.close();
  await shadow.close();
});

t.test('a shadow that can not be reached counts as sent and failed', async (t) => {
  const rig = new MirrorRig(await refusedPort());
  rig.offer();
  const counts = await rig.rest();
  t.match(counts, { sent: 1, completed: 0 });
  t.equal(counts.failed[Failure.CONNECT], 1);
  t.equal(rig.version.get(VersionField.requests), rig.version.finished);
});

t.test('what is over the bounds of the mirror is dropped when its head arrives', async (t) => {
  const shadow = await RawServer.listen(() => {});
  const rig = new MirrorRig(shadow.port, { inFlightMax: 2, ratePerSecond: 3 });
  for (let i = 0; i < 4; i++) rig.offer();
  rig.turn();
  t.equal(rig.counts().dropped[Drop.IN_FLIGHT], 2);
  rig.receiver.abortAll(Failure.DRAINING);
  for (let i = 0; i < 2; i++) rig.offer();
  rig.turn();
  t.equal(rig.counts().dropped[Drop.RATE], 1, 'a drop for another reason takes nothing from the rate');
  rig.receiver.refuseNew();
  rig.offer();
  rig.turn();
  rig.receiver.abortAll(Failure.DRAINING);
  const { dropped } = rig.counts();
  t.equal(dropped[Drop.DRAINING] + rig.counts().failed[Failure.DRAINING], 4);
  t.strictSame(rig.gap(), noGap);
  t.equal(rig.bounds.inFlight, 0);
  rig.pool.close();
  await shadow.close();
});

t.test('the successor of a proxy thread ends what its predecessor left open, and nothing else', async (t) => {
  const shadow = await Origin.listen();
  const rig = new MirrorRig(shadow.port);
  const unfinished = rig.offerUpload(30);
  unfinished.body(piece, false);
  rig.offer();
  rig.turn();
  rig.replaceProxy();
  const counts = await rig.rest();
  t.equal(counts.completed, 1, 'the request that was whole is completed');
  t.equal(counts.dropped[Drop.THREAD_ENDED] + counts.failed[Failure.THREAD_ENDED], 1);
  rig.offer();
  rig.tell(rig.copies[0]);
  t.match(await rig.rest(), { completed: 2, paired: 1 }, 'an id that was used before is a new exchange');
  t.strictSame(rig.gap(), noGap);
  rig.pool.close();
  await shadow.close();
});

t.test(
  'frames of an older plan are served by the nearest that is known, and a mirror that is gone is counted',
  async (t) => {
    const shadow = await Origin.listen();
    const rig = new MirrorRig(shadow.port);
    rig.offer();
    rig.port.flush();
    rig.use(2, mirrorPlan({ host: { kind: 'preserve' } }));
    t.equal((await rig.rest()).completed, 1);
    t.strictSame(
      shadow.received[0].fields[0],
      ['host', 'reviews-shadow'],
      'by the plan that it was offered under',
    );
    rig.receiver.retire(2);
    rig.turn();
    rig.offer();
    t.equal((await rig.rest()).completed, 2);
    t.strictSame(shadow.received[1].fields[0], ['host', 'reviews'], 'by the oldest that is left');
    rig.use(3, null);
    rig.receiver.retire(3);
    rig.turn();
    rig.offer();
    t.equal((await rig.rest()).dropped[Drop.DRAINING], 1);
    t.strictSame(rig.gap(), noGap);
    rig.pool.close();
    await shadow.close();
  },
);

t.test('whatever happens to copies in whatever order, the law holds', async (t) => {
  const shadow = await RawServer.listen(async (peer, index) => {
    try {
      for (let count = 0; ; count++) {
        await peer.head();
        if ((index + count) % 4 === 3) peer.reset();
        else peer.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      }
    } catch {
      // The connection ended.
    }
  });
  const event = fc.record({
    what: fc.constantFrom(
      'offer',
      'upload',
      'piece',
      'last',
      'abort',
      'outcome',
      'turn',
      'pause',
      'replace',
      'abortAll',
    ),
    which: fc.nat(9),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(1, 4),
      fc.boolean(),
      async (events, inFlightMax, pipelining, inOrder) => {
        const changes = { inFlightMax, pipelining, bodyBytesMax: 25, order: inOrder ? byUser : null };
        const rig = new MirrorRig(shadow.port, changes, 8 * 1024);
        // The exchange keeps its copies; here each offer has its own.
        const open: { copy: MirrorRig['copies'][number] }[] = [];
        for (const { what, which } of events) {
          const chosen = open[which % Math.max(1, open.length)];
          if (what === 'offer' || what === 'upload') {
            rig.copies.length = 0;
            const took = rig.offer({
              fields: `x-user: ${which % 3}\r\n`,
              ...(what === 'offer' ? {} : { method: 'POST', framing: Framing.CHUNKED }),
            });
            if (took > 0) open.push({ copy: rig.copies[0] });
          } else if (what === 'turn') rig.turn();
          else if (what === 'pause') await new Promise(setImmediate);
          else if (what === 'replace') {
            // A thread that died had published what counts as offered.
            rig.port.flush();
            open.length = 0;
            rig.replaceProxy();
          } else if (what === 'abortAll') rig.receiver.abortAll(Failure.DRAINING);
          else if (chosen === undefined) continue;
          else if (what === 'piece') chosen.copy.body(piece, false);
          else if (what === 'last') chosen.copy.body(piece, true);
          else if (what === 'abort') chosen.copy.abort(Failure.ABORTED);
          else {
            chosen.copy.abort(Failure.ABORTED);
            rig.tell(chosen.copy);
            open.splice(open.indexOf(chosen), 1);
          }
        }
        for (const { copy } of open) {
          copy.abort(Failure.ABORTED);
          rig.tell(copy);
        }
        for (let i = 0; i < 3; i++) rig.turn();
        await rig.rest();
        rig.pool.close();
        const [unsent, unfinished] = rig.gap();
        return (
          unsent === 0 &&
          unfinished === 0 &&
          rig.bounds.inFlight === 0 &&
          rig.bounds.heldBytes === 0 &&
          rig.version.get(VersionField.requests) === rig.version.finished
        );
      },
    ),
    { numRuns: 150 },
  );
  t.ok(shadow.connections > 0, 'copies came through in between');
  await shadow.close();
});

t.test(
  'a copy in order waits with its body for the answer to the one before, and then goes out whole',
  async (t) => {
    const answers: (() => void)[] = [];
    const shadow = await Origin.listen((_received, response) => {
      answers.push(() => response.end('ok'));
    });
    const rig = new MirrorRig(shadow.port, { order: byUser });
    const fields = 'x-user: ada\r\n';
    const upload = { method: 'POST', framing: Framing.CHUNKED, fields } as const;
    rig.offer({ target: '/first', fields });
    rig.offer({ target: '/second', ...upload });
    const [second] = rig.copies.splice(0);
    rig.offer({ target: '/other', fields: 'x-user: bob\r\n' });
    rig.turn();
    second.body(piece, false);
    second.trailers('x-sum: 1\r\n');
    rig.turn();
    second.body(nothing, true);
    rig.turn();
    await shadow.untilReceived(2);
    t.strictSame(shadow.received.map(({ target }) => target).sort(), ['/first', '/other']);
    t.ok(rig.bounds.heldBytes > piece.byteLength);
    t.equal(rig.bounds.inFlight, 2, 'a copy that waits is not in flight');
    shadow.answer = answerOk;
    for (const answer of answers) answer();
    await shadow.untilReceived(3);
    t.match(shadow.received[2], { target: '/second', framing: 'chunked', bodyBytes: piece.byteLength });
    for (const answer of answers) answer();
    t.match(await rig.rest(), { completed: 3 });
    t.strictSame(rig.gap(), noGap);
    rig.pool.close();
    await shadow.close();
  },
);

t.test('a copy in order that is aborted while it waits is dropped, and the next one follows', async (t) => {
  const shadow = await Origin.listen();
  const rig = new MirrorRig(shadow.port, { order: byUser });
  const fields = 'x-user: ada\r\n';
  rig.offer({ method: 'POST', framing: Framing.CHUNKED, fields });
  const [first] = rig.copies;
  rig.copies.length = 0;
  rig.offer({ method: 'POST', framing: Framing.CHUNKED, fields });
  const [second] = rig.copies;
  rig.copies.length = 0;
  rig.offer({ target: '/third', fields });
  rig.turn();
  second.abort(Failure.ABORTED);
  rig.turn();
  t.equal(rig.counts().dropped[Drop.ABORTED], 1);
  first.body(piece, true);
  t.match(await rig.rest(), { completed: 2, sent: 2 });
  t.equal(shadow.received[1].target, '/third');
  t.strictSame(rig.gap(), noGap);
  rig.pool.close();
  await shadow.close();
});

t.test('what waits for one key is bounded, and a copy beyond it is dropped as order-full', async (t) => {
  const shadow = await Origin.listen(() => {});
  const rig = new MirrorRig(shadow.port, { order: byUser }, 1024 * 1024);
  const more = 3;
  for (let i = 0; i < limits.orderedPerKey + more; i++) rig.offer({ fields: 'x-user: ada\r\n' });
  rig.offer({ fields: 'x-user: bob\r\n' });
  rig.turn();
  t.equal(rig.counts().dropped[Drop.ORDER_FULL], more);
  await shadow.untilReceived(2);
  rig.receiver.abortAll(Failure.DRAINING);
  t.match(await rig.rest(), { sent: 2, inFlight: 0 });
  t.strictSame(rig.gap(), noGap);
  rig.pool.close();
  await shadow.close();
});

t.test('a copy in order is not sent when its turn comes while its shadow is out of service', async (t) => {
  const rig = new MirrorRig(await refusedPort(), { order: byUser });
  const offers = 3;
  for (let i = 0; i < offers; i++) rig.offer({ fields: 'x-user: ada\r\n' });
  rig.turn();
  t.equal(rig.receiver.inFlight, offers);
  const { sent, dropped } = await rig.rest();
  t.equal(sent, 1);
  t.equal(dropped[Drop.NO_ENDPOINT], offers - 1);
  t.strictSame(rig.gap(), noGap);
  rig.pool.close();
});
