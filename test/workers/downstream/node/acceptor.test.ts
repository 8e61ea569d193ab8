import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { nowUs } from '../../../../core/clock.js';
import { NodeAcceptor } from '../../../../workers/downstream/node/acceptor.js';
import { NodeDownstream } from '../../../../workers/downstream/node/engine.js';
import { Sharing, sharingOf } from '../../../../workers/downstream/node/listening.js';
import { NodeResources } from '../../../../workers/downstream/node/resources.js';
import { listenerPlan, noCounters, oneCount } from '../../../support/listener.js';
import t from '../../../support/tap.js';
import { Client, get, loopback, noSink, reply } from '../uws/rig.js';

const listener = listenerPlan({ address: loopback, engine: 'node' });

/** A downstream that says who it is. */
function downstream(name: string): NodeDownstream {
  const handler = {
    onRequest: (_head: unknown, responder: Parameters<typeof reply>[0]) => {
      reply(responder, name);
      return noSink;
    },
  };
  return new NodeDownstream(listener, handler, noCounters, new NodeResources(nowUs), oneCount());
}

/** Who answers on `port`; asks again while nobody does. */
async function whoAnswers(port: number): Promise<string> {
  for (;;) {
    const client = new Client(connect(port, '127.0.0.1'));
    client.send(get);
    const answer = await client.answer().catch(() => null);
    client.destroy();
    if (answer !== null) return answer.body;
  }
}

t.test('an address that is in use is reported in one line', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await t.rejects(NodeAcceptor.listen({ ...listener, address: { ...loopback, port } }), {
    message: `cannot listen on 127.0.0.1:${port}: the address is in use`,
  });
  other.close();
});

t.test(
  'when the one that accepts leaves, another takes over, also where the address is free only later',
  { skip: sharingOf(loopback) === Sharing.COPIES && 'main holds the address' },
  async (t) => {
    const acceptor = await NodeAcceptor.listen(listener);
    const [first, second] = [downstream('first'), downstream('second')];
    acceptor.addChild(0, first.descriptor());
    await acceptor.settled();
    acceptor.addChild(1, second.descriptor());
    t.match(await whoAnswers(acceptor.port), /first|second/);
    acceptor.removeChild(0);
    await first.leave();
    t.equal(await whoAnswers(acceptor.port), 'second');
    acceptor.removeChild(1);
    await second.leave();
    // Somebody else holds the port for a while.
    const squatter = createServer((socket) => socket.destroy());
    squatter.listen(acceptor.port, '127.0.0.1');
    await once(squatter, 'listening');
    const third = downstream('third');
    acceptor.addChild(0, third.descriptor());
    await new Promise(setImmediate);
    squatter.close();
    t.equal(await whoAnswers(acceptor.port), 'third');
    acceptor.close();
    await third.leave();
  },
);
