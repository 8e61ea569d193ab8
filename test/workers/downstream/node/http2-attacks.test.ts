/**
 * Every known attack on HTTP/2 over a socket of its own: it ends with the right error, is counted, holds no
 * more than it may, and a client beside it is served all the while.
 */

import { Setting } from '../../../../core/http2/settings.js';
import { limits } from '../../../../core/limits.js';
import { frame, get, post, uint32 } from '../../../core/http2/session-side.js';
import { type Attack, attacksOn, BATCH, id, ping, sendAttack } from '../../../support/http2-attacks.js';
import { RawHttp2 } from '../../../support/raw-http2.js';
import t, { type Test } from '../../../support/tap.js';
import { headOf } from './http2-rig.js';
import { NodeRig } from './rig.js';

/** A client that asks again as soon as it is answered; how often it was. */
function neighbour(client: RawHttp2): { stop: () => Promise<number> } {
  let isOver = false;
  const done = (async () => {
    let answers = 0;
    for (; !isOver || answers === 0; answers++) {
      client.send(client.headers(id(answers), [...get.slice(0, 2), [':path', '/n'], get[3]!]));
      await client.until(new RegExp(`^HEADERS ${id(answers)} :status=200 `));
      client.frames.length = 0;
    }
    return answers;
  })();
  return {
    stop: () => {
      isOver = true;
      return done;
    },
  };
}

async function attack(t: Test, one: Attack): Promise<void> {
  const { guard, code, hangs } = one;
  const rig = await NodeRig.start(t, ({ target, responder }) => {
    if (target === '/n' || hangs !== true) responder.answer(200, '');
  });
  const { port } = rig.acceptor;
  const beside = await RawHttp2.connect(port);
  const other = neighbour(beside);
  const client = await RawHttp2.connect(port);
  await sendAttack(client, one, one.rounds);
  await client.until(new RegExp(`^GOAWAY \\d+ ${code}$`));
  await client.ended();
  t.ok(rig.guards.includes(guard), `guard ${guard}`);
  const held = rig.seen.filter(({ target }) => target !== '/n').length;
  t.ok(held <= limits.http2Streams + limits.http2Resets + 1, `${held} requests were begun`);
  t.ok((await other.stop()) > 0, 'another client is served');
  beside.socket.destroy();
  await rig.until(() => rig.downstream.connections() === 0);
  t.equal(rig.downstream.active(), 0);
}

for (const one of attacksOn('/')) t.test(one.what, (t) => attack(t, one));

t.test('DATA past a window, which a consumer that takes nothing does not open', async (t) => {
  const rig = await NodeRig.start(t, ({ responder, method }) => {
    if (method === 'POST') responder.pauseBody();
    else responder.answer(200, '');
  });
  const client = await RawHttp2.connect(rig.acceptor.port);
  const piece = frame(0, 0, 1, Buffer.alloc(16_384));
  client.send(client.headers(1, post, false), ...Array.from({ length: 17 }, () => piece));
  await client.until(/^RST_STREAM 1 FLOW_CONTROL_ERROR$/);
  client.send(piece, client.headers(3, get));
  await client.until(/^HEADERS 3 :status=200 /);
  t.strictSame(rig.guards, ['window', 'closed']);
  t.match(rig.seen[0], { bodyBytes: 256 * 1024, aborted: 1 });
  client.socket.destroy();
  await rig.until(() => rig.downstream.connections() === 0);
});

t.test(
  'responses that wait: where a thread holds much, no connection holds more than one of HTTP/1.1',
  async (t) => {
    const rig = await NodeRig.start(t, ({ responder }) => {
      responder.sendHead(headOf('200 OK\r\nTransfer-Encoding: chunked'));
      responder.sendBody(Buffer.alloc(64 * 1024));
    });
    const { resources } = rig.downstream;
    // What others have waiting.
    resources.http2WaitingBytes = limits.http2WaitingBytes;
    const client = await RawHttp2.connect(rig.acceptor.port, [[Setting.INITIAL_WINDOW_SIZE, 0]]);
    const fits = limits.downstreamBufferBytes / (64 * 1024);
    for (let n = 0; n <= fits; n++) client.send(client.headers(id(n), get));
    await client.until(new RegExp(`^RST_STREAM ${id(fits)} ENHANCE_YOUR_CALM$`));
    t.strictSame(rig.guards, ['output']);
    t.equal(client.frames.filter((line) => line.startsWith('RST_STREAM')).length, 1);
    // One that the client takes makes room for another.
    client.send(frame(8, 0, 0, uint32(64 * 1024)), frame(8, 0, 1, uint32(64 * 1024)));
    await rig.until(() => rig.seen[0]!.writable === 1);
    client.send(client.headers(101, get));
    await client.until(/^HEADERS 101 :status=200 /);
    t.equal(rig.guards.length, 1);
    client.socket.destroy();
    await rig.until(() => rig.downstream.connections() === 0);
    t.equal(resources.http2WaitingBytes, limits.http2WaitingBytes);
  },
);

t.test('a client that reads nothing while it is answered', async (t) => {
  const rig = await NodeRig.start(t, ({ responder, target }) => {
    responder.answer(200, target === '/n' ? '' : 'x');
  });
  const beside = await RawHttp2.connect(rig.acceptor.port);
  const other = neighbour(beside);
  const client = await RawHttp2.connect(rig.acceptor.port);
  client.socket.pause();
  const ended = new Promise((resolve) => client.socket.once('close', resolve));
  // Each ping that is answered costs 17 bytes; no window bounds them.
  let n = 0;
  while (!rig.guards.includes('output') && !rig.guards.includes('frames') && n < 100_000) {
    client.send(...Array.from({ length: BATCH }, () => ping));
    n += BATCH;
    await new Promise(setImmediate);
  }
  t.ok(rig.guards.length > 0);
  t.ok((await other.stop()) > 0, 'another client is served');
  client.socket.destroy();
  await ended;
  beside.socket.destroy();
  await rig.until(() => rig.downstream.connections() === 0);
});
