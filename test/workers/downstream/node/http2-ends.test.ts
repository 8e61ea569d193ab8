/** How connections and streams of HTTP/2 end on the node engine: times, drains, and clients that leave. */

import { PREFACE } from '../../../../core/http2/frame.js';
import { Setting } from '../../../../core/http2/settings.js';
import { ClientTimeout } from '../../../../workers/downstream/downstream.js';
import { frame, get, post, settingsFrame } from '../../../core/http2/session-side.js';
import { RawHttp2 } from '../../../support/raw-http2.js';
import t from '../../../support/tap.js';
import { answered, data, headOf, leavesNothing, serve, waits } from './http2-rig.js';
import { NodeRig } from './rig.js';

const ping = frame(6, 0, 0, Buffer.alloc(8));

t.test('each wait for a client has its end, and its stream alone', async (t) => {
  const bounds = { bodyMs: 40, responseMs: 40 };
  const rig = await NodeRig.start(
    t,
    ({ responder, method }) => {
      if (method !== 'GET') return;
      responder.sendHead(headOf('200 OK\r\nTransfer-Encoding: chunked'));
      responder.sendBody(Buffer.alloc(10));
    },
    bounds,
  );
  const client = await RawHttp2.connect(rig.acceptor.port, [[Setting.INITIAL_WINDOW_SIZE, 100]]);
  client.send(client.headers(1, post, false), data(1, 'a'));
  await client.until(/^HEADERS 1 :status=408 /);
  await client.until(/^RST_STREAM 1 NO_ERROR$/);
  client.send(frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])), client.headers(3, get));
  await client.until(/^RST_STREAM 3 CANCEL$/);
  t.strictSame(rig.timedOut, [ClientTimeout.BODY, ClientTimeout.RESPONSE]);
  t.strictSame(
    rig.seen.map(({ aborted }) => aborted),
    [1, 1],
  );
  t.equal(rig.downstream.connections(), 1);
  client.socket.destroy();
  await leavesNothing(rig);
});

t.test('a client that never ends a head, never greets or never asks is sent away', async (t) => {
  const rig = await NodeRig.start(t, answered, { headMs: 40, idleMs: 120 });
  const { port } = rig.acceptor;
  const half = await RawHttp2.connect(port);
  half.send(frame(1, 1, 1, half.block(get)));
  await half.until(/^GOAWAY 0 ENHANCE_YOUR_CALM$/);
  await half.ended();
  const silent = await RawHttp2.open(port, true);
  silent.send(PREFACE, settingsFrame());
  await silent.until(/^GOAWAY 0 SETTINGS_TIMEOUT$/);
  await silent.ended();
  t.strictSame(rig.timedOut, [ClientTimeout.HEAD, ClientTimeout.HEAD]);
  const idle = await RawHttp2.connect(port);
  idle.send(idle.headers(1, get));
  await idle.until(/^DATA 1 5 end$/);
  await idle.until(/^GOAWAY 1 NO_ERROR$/);
  await idle.ended();
  t.strictSame(rig.timedOut.slice(2), [ClientTimeout.IDLE]);
  await leavesNothing(rig);
});

t.test('a drain asks twice, serves what was on its way, and then closes', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, get));
  await rig.until(() => rig.seen.length === 1);
  const drained = rig.downstream.drain();
  await client.until(/^GOAWAY 2147483647 NO_ERROR$/);
  await client.until(/^PING 0$/);
  // A request that was on its way, and the answer to the ping.
  client.send(client.headers(3, get), frame(6, 1, 0, Buffer.from('umbra h2')));
  await client.until(/^GOAWAY 3 NO_ERROR$/);
  client.send(client.headers(5, get));
  await rig.until(() => rig.seen.length === 2);
  for (const { responder } of rig.seen) responder.answer(200, 'at last');
  await client.until(/^DATA 3 7 end$/);
  await drained;
  await client.ended();
  t.equal(rig.seen.length, 2, 'what came behind the last one was not processed');
  await leavesNothing(rig);
});

t.test('a client that answers no ping holds a drain up for two seconds at most', async (t) => {
  const { rig, client } = await serve(t, answered);
  client.send(client.headers(1, get));
  await client.until(/^DATA 1 5 end$/);
  await rig.downstream.drain();
  await client.until(/^GOAWAY 1 NO_ERROR$/);
  await client.ended();
  await leavesNothing(rig);
});

t.test('a handover closes no connection of HTTP/2 before its client has heard of it', async (t) => {
  const { rig, client } = await serve(t, answered);
  client.send(client.headers(1, get));
  await client.until(/^DATA 1 5 end$/);
  const gone = rig.downstream.handOver();
  await client.until(/^GOAWAY 2147483647 NO_ERROR$/);
  client.send(client.headers(3, get), frame(6, 1, 0, Buffer.from('umbra h2')));
  await client.until(/^DATA 3 5 end$/);
  await client.until(/^GOAWAY 3 NO_ERROR$/);
  await client.ended();
  await gone;
});

t.test('a client that says goodbye gets what it has asked for', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, get), frame(7, 0, 0, Buffer.alloc(8)), ping);
  await client.until(/^PING 0 ack$/);
  rig.seen[0]!.responder.answer(200, 'whole');
  await client.until(/^DATA 1 5 end$/);
  await client.ended();
  await leavesNothing(rig);
});

t.test('a client that closes its side is served, or not, as the listener says', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, get), client.headers(3, post, false));
  await rig.until(() => rig.seen.length === 2);
  client.socket.end();
  await rig.until(() => rig.seen[1]!.aborted === 1);
  await client.until(/^PING 0$/);
  rig.seen[0]!.responder.answer(200, 'whole');
  await client.until(/^DATA 1 5 end$/);
  await client.ended();
  await leavesNothing(rig);

  const strict = await serve(t, waits, { abortsHalfClosed: true });
  strict.client.send(strict.client.headers(1, get));
  await strict.rig.until(() => strict.rig.seen.length === 1);
  strict.client.socket.end();
  await strict.rig.until(() => strict.rig.seen[0]!.aborted === 1);
  await leavesNothing(strict.rig);
});
