// Runs over one engine: copies are sent behind the engines.
import { type Asked, askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, sum, UmbraProcess } from '../support/umbra.js';

const requests = 300;

/** Some with bodies, which go over connections of their own. */
function asked(index: number): Asked {
  if (index % 10 === 0) return { method: 'POST', target: `/${index}`, body: Buffer.alloc(3000, 'x') };
  return { method: index % 7 === 0 ? 'HEAD' : 'GET', target: `/${index}` };
}

t.test('a shadow that takes requests behind each other gets every copy once', async (t) => {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { mirror: { pipelining: 16, inFlight: 4096 } }),
  );
  await askMany(umbra.port, requests, 16, asked);
  const { eligible, completed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.strictSame([eligible, completed], [requests, requests]);
  const told = (origin: Origin) =>
    origin.received.map(({ method, target, bodySha }) => `${method} ${target} ${bodySha}`).sort();
  t.strictSame(told(v2), told(v1));
  t.equal((await umbra.stop()).code, 0);
  await Promise.all([v1.close(), v2.close()]);
});

t.test(
  'a shadow that closes, talks nonsense or falls silent in between costs copies alone, and the law holds',
  async (t) => {
    const v1 = await Origin.listen();
    const v2 = await RawServer.listen(async (peer, index) => {
      try {
        for (let count = 0; ; count++) {
          const head = await peer.head();
          const length = /content-length: (\d+)/i.exec(head);
          if (length !== null) await peer.bytes(Number(length[1]));
          const fault = (index + count) % 23;
          if (fault === 21) peer.reset();
          else if (fault === 22) peer.send('what?\r\n\r\n');
          else if (fault === 20) await peer.closed();
          else
            peer.send(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n${head.startsWith('HEAD') ? '' : 'ok'}`);
        }
      } catch {
        // The connection ended.
      }
    });
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { pipelining: 8, inFlight: 4096, timeouts: { request: '300ms', idle: '300ms' } },
      }),
    );
    const answers = await askMany(umbra.port, requests, 16, asked);
    t.ok(answers.every(({ status }) => status === 200));
    const { eligible, completed, dropped, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
    t.equal(eligible, requests);
    t.equal(completed + sum(dropped) + sum(failed), requests);
    t.ok(completed > 0 && sum(failed) > 0);
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);
