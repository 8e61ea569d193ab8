// Runs over both engines.
/** Clients that never finish their uploads: others are served, and the slow ones are ended. */

import { ask, RawClient } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const head = 'POST /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';
const chunk = '1\r\nx\r\n';

async function rig(t: Test): Promise<UmbraProcess> {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      v1: { connections: { max: 2 } },
      umbra: { threads: { proxy: 1, shadow: 1 } },
    }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  return umbra;
}

async function figure(umbra: UmbraProcess, metric: string): Promise<number> {
  const line = new RegExp(`^${metric}\\{version="v1",role="primary"\\} (\\d+)$`, 'm');
  return Number(line.exec(await umbra.metrics())?.[1]);
}

async function startUpload(umbra: UmbraProcess): Promise<RawClient> {
  const client = await RawClient.connect(umbra.port);
  client.send(head + chunk);
  return client;
}

t.test('as many slow uploads as a version has connections keep nobody else waiting', async (t) => {
  const umbra = await rig(t);
  const clients = [await startUpload(umbra), await startUpload(umbra)];
  await until(async () => (await figure(umbra, 'umbra_upstream_waiting_uploads')) === 1, 'an upload waits');
  for (let i = 0; i < 5; i++) t.equal((await ask(umbra.port)).status, 200);
  t.equal((await ask(umbra.port, { method: 'POST', body: Buffer.from('whole') })).status, 200);
  t.equal(await figure(umbra, 'umbra_upstream_queue_full_total'), 0);
  for (const client of clients) client.socket.destroy();
  await lawHolds(t, umbra);
});

t.test('a slow upload is answered 408 for one that brings its bytes', async (t) => {
  const umbra = await rig(t);
  const first = await startUpload(umbra);
  await until(async () => /state="busy"\} 1$/m.test(await umbra.metrics()), 'the first has a connection');
  const second = await startUpload(umbra);
  await until(async () => (await figure(umbra, 'umbra_upstream_waiting_uploads')) === 1, 'an upload waits');
  const body = Buffer.alloc(256 * 1024, 'x');
  const answer = await ask(umbra.port, { method: 'POST', body, chunkBytes: 8192 });
  t.equal(answer.status, 200);
  await Promise.race([first.until('408'), second.until('408')]);
  t.ok((await figure(umbra, 'umbra_upstream_slow_uploads_total')) >= 1);
  for (const client of [first, second]) client.socket.destroy();
  await lawHolds(t, umbra);
});
