import fc from 'fast-check';
import { Framing } from '../../../core/http/message.js';
import { Bit } from '../../../core/http2/stream.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { type LogSink, Wire } from './session-side.js';

const CANCEL = 8;

/** Ends of a stream that a sink has seen: the last piece of a body, or a reset. */
function ends(log: readonly string[], id: number): string[] {
  return log.filter((text) => new RegExp(`^${id} (last|reset)`).test(text));
}

const step = fc.record({
  kind: fc.constantFrom(
    'get',
    'post',
    'piece',
    'end',
    'answer',
    'reply',
    'finish',
    'cancel',
    'refuse',
    'pause',
    'run',
  ),
  pick: fc.nat({ max: 50 }),
  bytes: fc.nat({ max: 400_000 }),
});

t.test('whatever both sides do, every stream ends on both, once, and nothing is left', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const wire = new Wire();
      const { client, server } = wire;
      wire.run();
      const sinks: LogSink[] = [];
      const cancelled = new Set<number>();
      for (const { kind, pick, bytes } of steps) {
        const piece = Buffer.alloc(bytes);
        const mine = sinks[pick % Math.max(1, sinks.length)]?.stream ?? null;
        const theirs = mine === null ? null : (server.sinks.get(mine.id)?.stream ?? null);
        if (kind === 'run') wire.run();
        else if (kind === 'get' && client.session.room > 0) sinks.push(client.request());
        else if (kind === 'post' && client.session.room > 0)
          sinks.push(client.request({ method: 'POST', framing: Framing.CHUNKED }));
        else if (mine !== null && kind === 'piece') client.session.write(mine, piece, false);
        else if (mine !== null && kind === 'end')
          client.session.writeTrailers(mine, bytes % 2 === 0 ? '' : 'a: b\r\n');
        else if (mine !== null && kind === 'cancel') {
          if (!mine.isClosed) cancelled.add(mine.id);
          client.session.reset(mine, CANCEL);
        } else if (mine !== null && kind === 'pause') {
          client.session.pause(mine);
          if (bytes % 2 === 0) client.session.resume(mine);
        } else if (theirs !== null && kind === 'answer') server.session.sendAnswer(theirs, 200, '', false);
        else if (theirs?.has(Bit.HEAD_SENT) && kind === 'reply') server.session.write(theirs, piece, false);
        else if (theirs?.has(Bit.HEAD_SENT) && kind === 'finish') server.session.writeTrailers(theirs, '');
        else if (theirs !== null && kind === 'refuse') server.session.reset(theirs, CANCEL);
        if (client.session.isOver || server.session.isOver) return false;
      }
      // Everybody comes to an end.
      for (const { stream } of sinks) {
        client.session.resume(stream!);
        client.session.writeTrailers(stream!, '');
      }
      wire.run();
      for (const { stream } of server.sinks.values()) {
        server.session.sendAnswer(stream!, 200, '', false);
        server.session.writeTrailers(stream!, '');
      }
      wire.run();
      const areEnded = sinks.every(({ stream }) => {
        const seen = ends(client.log, stream!.id);
        return cancelled.has(stream!.id) ? seen.every((text) => text.includes('last')) : seen.length >= 1;
      });
      const isEmpty = client.session.open === 0 && server.session.open === 0;
      const isFree = client.arena.heldBytes === 0 && server.arena.heldBytes === 0;
      return areEnded && isEmpty && isFree && !client.session.isOver && !server.session.isOver;
    }),
    { numRuns: 100 },
  );
});

t.test('as many requests as fit, of which each repeats, take few bytes both ways', async (t) => {
  const { client, server } = new Wire();
  const wire = { client, server };
  let toServer = 0;
  let toClient = 0;
  const run = (): void => {
    client.session.flush();
    const requests = client.target.take();
    toServer = requests.length;
    server.session.receive(requests, 0, requests.length);
    for (const { stream } of server.sinks.values())
      server.session.sendAnswer(stream!, 200, 'content-type: application/json\r\nserver: umbra\r\n', true);
    server.session.flush();
    const answers = server.target.take();
    toClient = answers.length;
    client.session.receive(answers, 0, answers.length);
  };
  for (let round = 0; round < 4; round++) {
    for (let count = 0; count < limits.http2StreamsAssumed; count++)
      client.request({
        target: '/a',
        host: 'shop.example.com',
        fields: 'User-Agent: x/1.0 (y)\r\nAccept: */*\r\n',
      });
    run();
  }
  t.equal(wire.client.session.open, 0);
  t.equal(toServer / limits.http2StreamsAssumed, 9 + 6, 'a frame head, and a byte for each field');
  t.equal(toClient / limits.http2StreamsAssumed, 9 + 3);
});
