/**
 * Conversations of HTTP/2 that are nearly right, over sockets and in any cuts: each request has one end, and
 * nothing is left of a connection that is gone.
 */
import { connect, type Socket } from 'node:net';
import { Chance } from '../../../fuzz/random.js';
import { anyConversation } from '../../../fuzz/sessions.js';
import t from '../../../support/tap.js';
import type { Seen } from '../uws/rig.js';
import { headOf, leavesNothing } from './http2-rig.js';
import { NodeRig } from './rig.js';

const conversations = 300;
const atOnce = 10;
const seed = Number(process.env.UMBRA_FUZZ_SEED ?? Date.now() % 2 ** 31);

/** Answers in one of the ways that a proxy does; true: the proxy is done with the request. */
function answer(seen: Seen, chance: Chance): boolean {
  const { responder } = seen;
  switch (chance.below(7)) {
    case 0:
      responder.answer(200, 'x'.repeat(chance.one([0, 5, 70_000])));
      return true;
    case 1:
      responder.sendHead(headOf('200 OK\r\nTransfer-Encoding: chunked'));
      responder.sendBody(Buffer.alloc(40_000));
      responder.sendTrailers('X-Sum: 1\r\n');
      responder.finish();
      return true;
    case 2:
      responder.sendInterim(headOf('103 Early Hints'));
      responder.sendHead(headOf('204 No Content'));
      responder.finish();
      return true;
    case 3: {
      const body = chance.one(['four', 'five!', 'sixsix']);
      responder.sendHead(headOf('200 OK\r\nContent-Length: 5'));
      responder.sendBody(Buffer.from(body));
      // The engine aborts one that is too long.
      if (body !== 'sixsix') responder.finish();
      return true;
    }
    case 4:
      responder.pauseBody();
      return false;
    case 5:
      responder.cut();
      return true;
    default:
      return false;
  }
}

function send(socket: Socket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    const ends = [...cuts, bytes.length];
    const next = (part: number): void => {
      if (part === ends.length || socket.destroyed) {
        socket.end(() => setImmediate(() => socket.destroy()));
        return;
      }
      socket.write(bytes.subarray(part === 0 ? 0 : ends[part - 1], ends[part]));
      setImmediate(next, part + 1);
    };
    next(0);
  });
}

t.test(`any conversation, in any cuts (seed ${seed})`, { timeout: 60_000 }, async (t) => {
  const chance = new Chance(seed);
  const ended = new Map<Seen, boolean>();
  const rig = await NodeRig.start(t, (seen) => {
    seen.onPiece = () => {
      if (ended.get(seen) === true) t.fail('a piece behind the end');
    };
    // A responder may be used until the engine says that the request is aborted.
    const run = (): void => {
      if (seen.aborted === 0) ended.set(seen, answer(seen, chance));
    };
    if (chance.onceIn(2)) run();
    else setImmediate(run);
  });
  for (let made = 0; made < conversations; made += atOnce) {
    const clients = Array.from({ length: atOnce }, async () => {
      const bytes = anyConversation(chance, true);
      const cuts = chance.cuts(bytes.length, 6);
      const socket = connect({ port: rig.acceptor.port, host: '127.0.0.1', allowHalfOpen: true });
      await send(socket, bytes, cuts);
    });
    await Promise.all(clients);
  }
  await leavesNothing(rig);
  // Most conversations end early, by a fault.
  t.ok(rig.seen.length > conversations / 10, `${rig.seen.length} requests`);
  t.ok(rig.seen.every((seen) => seen.aborted <= 1));
  const open = rig.seen.filter((seen) => seen.aborted === 0 && ended.get(seen) !== true);
  t.equal(open.length, 0, 'each request was answered, or aborted');
});
