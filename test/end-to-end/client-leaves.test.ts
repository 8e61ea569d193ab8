// Runs over both engines.
/** What becomes of a request whose client leaves, or closes its side, before the response is whole. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { halfOpenClient } from '../support/client.js';
import { served } from '../support/engines.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { engine, reviews, UmbraProcess, until } from '../support/umbra.js';

const request = 'GET / HTTP/1.1\r\nhost: reviews\r\n\r\n';
const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

interface Case {
  readonly umbra: UmbraProcess;
  readonly v1: RawServer;
  readonly v2: RawServer;
  readonly client: Socket;
  /** What the client has read. */
  received(): string;
}

/** A request that both versions have and let wait, behind what v1 sends with `begins`. */
async function waiting(t: Test, begins = '', halfClose = 'serve'): Promise<Case> {
  const peers: RawPeer[] = [];
  const waits = async (peer: RawPeer): Promise<void> => {
    await peer.head();
    peers.push(peer);
  };
  const v1 = await RawServer.listen(async (peer) => {
    await waits(peer);
    if (begins !== '') peer.send(begins);
    await peer.take('answer now');
  });
  const v2 = await RawServer.listen(waits);
  const config = reviews(v1.port, v2.port, { umbra: { threads: { proxy: 1, shadow: 1 } } });
  const umbra = await UmbraProcess.start({
    ...config,
    listen: [{ address: '127.0.0.1:0', engine, connections: { halfClose } }],
  });
  const { client, received } = await halfOpenClient(umbra.port);
  client.write(request);
  await until(() => peers.length === 2, 'both versions have the request');
  t.teardown(async () => {
    client.destroy();
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  return { umbra, v1, v2, client, received };
}

/** Both versions are rid of the request, and neither is blamed for it. */
async function bothAreCanceled(t: Test, { umbra, v1, v2 }: Case): Promise<void> {
  await until(() => v1.open === 0 && v2.open === 0, 'both connections are closed');
  const stats = await lawHolds(t, umbra);
  const { sent, failed } = mirrorTo(stats, 'v2');
  t.strictSame([sent, failed.aborted], [1, 1]);
  const metrics = await umbra.metrics();
  for (const role of ['primary', 'shadow'])
    t.match(metrics, new RegExp(`umbra_upstream_failures_total\\{.*role="${role}",reason="aborted"\\} 1\\n`));
}

t.test('a client that closes its connection while it waits is noticed', async (t) => {
  const one = await waiting(t);
  one.client.destroy();
  await bothAreCanceled(t, one);
});

t.test('a client that resets its connection while it waits is noticed', async (t) => {
  const one = await waiting(t);
  one.client.resetAndDestroy();
  await bothAreCanceled(t, one);
});

t.test('a client that leaves a stream that is silent is noticed', async (t) => {
  const one = await waiting(t, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n');
  await until(() => one.received().includes('hi'), 'the stream has begun');
  one.client.destroy();
  await bothAreCanceled(t, one);
});

t.test('a client that has closed its side gets nothing where the listener aborts', async (t) => {
  const one = await waiting(t, '', 'abort');
  one.client.end();
  await bothAreCanceled(t, one);
  t.equal(one.received(), '');
});

t.test(
  'a client that has closed its side gets its response, however long it takes',
  { skip: served === 'uws' && 'uWS closes the connection' },
  async (t) => {
    let answers = (): void => {};
    const v1 = await RawServer.listen(async (peer) => {
      await peer.head();
      answers = () => peer.send(answer);
    });
    const umbra = await UmbraProcess.start(reviews(v1.port, null));
    t.teardown(() => Promise.all([umbra.stop(), v1.close()]));
    const client = connect({ port: umbra.port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    client.on('data', (data) => {
      received += data.toString('latin1');
    });
    client.end(request);
    await until(() => received.length >= 2, 'the beginning of the response was sent ahead');
    t.equal(received, 'HTTP/1.1 200'.slice(0, received.length));
    answers();
    await once(client, 'close');
    t.match(received, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
  },
);
