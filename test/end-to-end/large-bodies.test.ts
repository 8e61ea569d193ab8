// Runs over both engines.
import { createHash } from 'node:crypto';
import { askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const requests = 400;
const connections = 32;
const MiB = 1024 * 1024;

/** `bodyOf` returns a body of 0 B to 5 MB: most are small, every tenth is larger than the ring. */
function bodyOf(index: number): Buffer {
  const sizes = [0, 1, 700, 4096, 20_000, 65_536, 100_000, 300_000, 1_000_000, 5_000_000];
  return Buffer.alloc(sizes[index % sizes.length], `${index} `);
}

t.test('400 requests of 0 B to 5 MB from 32 connections arrive whole at both versions', async (t) => {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror: { body: { max: '64MiB' }, memory: '256MiB', timeout: '60s' },
      route: { timeout: '60s' },
      umbra: { threads: { proxy: 2, shadow: 1 } },
    }),
  );
  await askMany(umbra.port, requests, connections, (index) => ({
    method: 'PUT',
    target: `/${index}`,
    body: bodyOf(index),
    chunkBytes: index % 3 === 0 && index % 10 !== 0 ? 32 * 1024 : null,
  }));
  const { eligible, completed, dropped, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.strictSame([eligible, completed], [requests, requests], JSON.stringify({ dropped, failed }));
  const wrong = [v1, v2].flatMap(({ received }) =>
    received.filter(
      ({ target, bodySha }) =>
        bodySha !==
        createHash('sha256')
          .update(bodyOf(Number(target.slice(1))))
          .digest('base64'),
    ),
  );
  t.strictSame(wrong, []);
  t.ok(
    v1.received.some(({ bodyBytes }) => bodyBytes > 4 * MiB),
    'some are larger than the ring',
  );
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});
