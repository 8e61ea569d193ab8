// Runs over both engines.
/** What becomes of the copy of a request that the primary answers, or fails, before the request is whole. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { halfOpenClient } from '../support/client.js';
import { behaviour } from '../support/engines.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { engine, reviews, UmbraProcess, until } from '../support/umbra.js';

const bodyBytes = 300_000;
const half = 'x'.repeat(bodyBytes / 2);
const head = `POST / HTTP/1.1\r\nhost: reviews\r\ncontent-length: ${bodyBytes}\r\n\r\n`;
const answersEarly = async (peer: RawPeer): Promise<void> => {
  await peer.head();
  peer.send('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly');
};

interface Case {
  readonly umbra: UmbraProcess;
  readonly v2: Origin;
  /** A connection that has sent a head and half of its body, and has read the answer. */
  readonly client: Socket;
}

async function answered(t: Test, v1Script: (peer: RawPeer) => Promise<void>, end: RegExp): Promise<Case> {
  const v1 = await RawServer.listen(v1Script);
  const v2 = await Origin.listen();
  const config = reviews(v1.port, v2.port, { umbra: { threads: { proxy: 1, shadow: 1 } } });
  const umbra = await UmbraProcess.start({ ...config, listen: [{ address: '127.0.0.1:0', engine: 'node' }] });
  // A client that does not close its side when the server does: it still has something to send.
  const { client, received } = await halfOpenClient(umbra.port);
  client.write(`${head}${half}`);
  await until(() => end.test(received()), 'the client has its answer');
  t.teardown(async () => {
    client.destroy();
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  return { umbra, v2, client };
}

t.test('a copy is completed by what the client sends after an early answer', async (t) => {
  const { umbra, v2, client } = await answered(t, answersEarly, /early$/);
  client.end(half);
  const { completed, dropped, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.strictSame([completed, v2.received[0]?.bodyBytes], [1, bodyBytes]);
  t.equal(dropped['answered-early'] + failed['answered-early'], 0);
});

t.test('a copy ends as answered-early where the client sends no more', async (t) => {
  const { umbra, client } = await answered(t, answersEarly, /early$/);
  client.destroy();
  const { dropped, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.equal(dropped['answered-early'] + failed['answered-early'], 1);
  t.equal(dropped.aborted + failed.aborted, 0);
});

t.test(
  'a client that only waits after an early answer is not waited for longer than two seconds',
  async (t) => {
    const { umbra, client } = await answered(t, answersEarly, /early$/);
    const { dropped, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
    t.equal(dropped['answered-early'] + failed['answered-early'], 1);
    t.notOk(client.writableEnded);
  },
);

t.test('a copy ends as primary-failed where the primary breaks off within the request', async (t) => {
  const breaksOff = async (peer: RawPeer): Promise<void> => {
    await peer.head();
    await peer.bytes(half.length);
    peer.socket.destroy();
  };
  const { umbra } = await answered(t, breaksOff, /^HTTP\/1\.1 502 /);
  const { dropped, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.equal(dropped['primary-failed'] + failed['primary-failed'], 1);
  t.equal(dropped.aborted + failed.aborted, 0);
});

/** The reason with which the copy of `request` ends, which is not completed; the primary's is the same. */
async function reasonOf(t: Test, listener: object, request: string): Promise<string[]> {
  const v1 = await RawServer.listen(async (peer) => void (await peer.head()));
  const v2 = await Origin.listen();
  const config = reviews(v1.port, v2.port, { umbra: { threads: { proxy: 1, shadow: 1 } } });
  const umbra = await UmbraProcess.start({
    ...config,
    listen: [{ address: '127.0.0.1:0', engine, ...listener }],
  });
  const client = connect(umbra.port, '127.0.0.1');
  client.on('error', () => {});
  client.write(request);
  client.resume();
  await once(client, 'close');
  const stats = await lawHolds(t, umbra);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
  const { dropped, failed } = mirrorTo(stats, 'v2');
  const { failures } = stats.versions.v1!.primary!;
  return [[failures], [dropped, failed]].map((counts) =>
    counts
      .flatMap((one) => Object.entries(one))
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${count} ${reason}`)
      .join(),
  );
}

t.test('a copy of a request whose client stalls in its body ends as slow-client', async (t) => {
  const reasons = await reasonOf(t, { body: { timeout: '100ms' } }, `${head}x`);
  t.strictSame(reasons, ['1 slow-client', '1 slow-client']);
});

t.test(
  'a copy of a request whose chunks are malformed ends as malformed-body',
  { skip: !behaviour.chunksAreStrict && 'uWS reports no more than that the connection closed' },
  async (t) => {
    const chunked = 'POST / HTTP/1.1\r\nhost: reviews\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\nz\r\n';
    t.strictSame(await reasonOf(t, {}, chunked), ['1 malformed-body', '1 malformed-body']);
  },
);

t.test('a request whose client takes nothing of its response ends as slow-reader', async (t) => {
  const v1 = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n');
    const piece = Buffer.alloc(1024 * 1024);
    const more = (): void => {
      while (peer.socket.write(piece));
    };
    peer.socket.on('drain', more);
    more();
  });
  const umbra = await UmbraProcess.start({
    ...reviews(v1.port, null),
    listen: [{ address: '127.0.0.1:0', engine, response: { timeout: '100ms' } }],
  });
  const client = connect(umbra.port, '127.0.0.1').pause();
  client.on('error', () => {});
  client.write('GET / HTTP/1.1\r\nhost: reviews\r\n\r\n');
  t.teardown(async () => {
    client.destroy();
    await umbra.stop();
    await v1.close();
  });
  const failures = async () => (await umbra.stats()).versions.v1.primary!.failures;
  await until(async () => (await failures())['slow-reader'] === 1, 'it is counted');
  t.equal((await failures()).aborted, 0);
});
