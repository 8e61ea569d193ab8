/** TLS connections before their handshake is done. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import type { ListenerLimits } from '../../../../core/plan.js';
import { ClientTimeout } from '../../../../workers/downstream/downstream.js';
import { authorityPem, serverKey, serverPem } from '../../../support/authority.js';
import { tlsOf } from '../../../support/listener.js';
import t, { type Test } from '../../../support/tap.js';
import { Client, reply } from '../uws/rig.js';
import { NodeRig } from './rig.js';

const tls = tlsOf('server.pem', 'server.key', serverPem, serverKey);
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** The first byte of a record that is never whole. */
const halfOpen = '\x16';

function start(t: Test, bounds: Partial<ListenerLimits>): Promise<NodeRig> {
  return NodeRig.start(t, (seen) => reply(seen.responder, 'ok'), bounds, tls);
}

function connectSecurely(rig: NodeRig): Client {
  return new Client(
    connectTls({ port: rig.acceptor.port, host: '127.0.0.1', ca: authorityPem, servername: 'reviews.test' }),
  );
}

t.test('half-open handshakes are cut after the time for a head, and each is counted', async (t) => {
  const rig = await start(t, { headMs: 100 });
  const clients = Array.from({ length: 50 }, () => rig.connect());
  for (const client of clients) client.send(halfOpen);
  for (const client of clients) await client.closed();
  t.strictSame(rig.timedOut, Array(50).fill(ClientTimeout.HANDSHAKE));
  t.match(rig.counts, { accepted: 50, closed: 50, handshakesStarted: 50, handshakesFailed: 50 });
  t.equal(rig.downstream.connections(), 0);
});

t.test('half-open handshakes count against the bound on connections', async (t) => {
  const rig = await start(t, { connectionsMax: 1 });
  const first = rig.connect();
  first.send(halfOpen);
  await rig.until(() => rig.counts.handshakesStarted === 1);
  await connectSecurely(rig).closed();
  t.equal(rig.counts.turnedAway, 1);
  first.destroy();
  await rig.until(() => rig.counts.closed === 1);
  const second = connectSecurely(rig);
  second.send(get);
  t.equal((await second.answer()).body, 'ok');
  second.destroy();
});

t.test('a client has the time for its head once more after its handshake', async (t) => {
  const rig = await start(t, { headMs: 100 });
  const client = connectSecurely(rig);
  await rig.until(() => rig.counts.handshakesDone === 1);
  await client.closed();
  t.strictSame(rig.timedOut, [ClientTimeout.IDLE]);
  t.match(rig.counts, { handshakesStarted: 1, handshakesDone: 1, handshakesFailed: 0 });
});

t.test('bytes that are no handshake close the connection, and a drain cuts what is half-open', async (t) => {
  const rig = await start(t, {});
  const plain = rig.connect();
  plain.send(get);
  await plain.closed();
  t.equal(rig.counts.handshakesFailed, 1);
  const open = rig.connect();
  open.send(halfOpen);
  await rig.until(() => rig.counts.handshakesStarted === 2);
  await rig.downstream.drain();
  await open.closed();
  t.equal(rig.counts.handshakesFailed, 2);
});

t.test('threads with the same ticket keys resume the sessions of each other', async (t) => {
  const keys = randomBytes(48);
  const [one, other, stranger] = await Promise.all(
    [keys, keys, randomBytes(48)].map((ticketKeys) =>
      NodeRig.start(t, (seen) => reply(seen.responder, 'ok'), {}, tls, ['http1'], ticketKeys),
    ),
  );
  const first = connectSecurely(one!);
  const [session] = await once(first.socket, 'session');
  first.destroy();
  t.equal(await isResumed(other!, session), true);
  t.equal(await isResumed(stranger!, session), false);
});

async function isResumed({ acceptor }: NodeRig, session: Buffer): Promise<boolean> {
  const { port } = acceptor;
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    ca: authorityPem,
    servername: 'reviews.test',
    session,
  });
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  socket.destroy();
  return isReused;
}
