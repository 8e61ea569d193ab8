// Runs over both engines.
/**
 * Clients that send the next request before they have the answer to the first. The uws engine closes their
 * connections; whatever comes of a write, it never reaches the shadow alone.
 */

import { RawClient } from '../support/client.js';
import { served } from '../support/engines.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const connections = 40;
const writes: readonly ((target: string) => string)[] = [
  (target) => `DELETE ${target} HTTP/1.1\r\nHost: h\r\n\r\n`,
  (target) => `POST ${target} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok`,
  (target) => `PUT ${target} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
];

t.test('no pipelined write reaches the shadow and not the primary', async (t) => {
  const [v1, v2] = [await Origin.listen(), await Origin.listen()];
  // Each request to the primary waits for a connection, and none to the shadow does.
  const config = reviews(v1.port, v2.port, {
    v1: { connections: { idle: '1ms' } },
    umbra: { threads: { proxy: 1, shadow: 1 } },
  });
  const umbra = await UmbraProcess.start(config);
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  for (let i = 0; i < connections; i++) {
    const client = await RawClient.connect(umbra.port);
    const write = writes[i % writes.length]!;
    client.send(write(`/${i}/first`) + write(`/${i}/second`));
    if (served === 'uws') await client.end().catch(() => {});
    else await client.until(/HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 200 /);
    client.socket.destroy();
  }
  await lawHolds(t, umbra);
  const primary = new Set(v1.received.map(({ target }) => target));
  const copies = v2.received.map(({ target }) => target);
  t.ok(copies.length > 0, `${copies.length} copies`);
  t.strictSame(
    copies.filter((target) => !primary.has(target)),
    [],
  );
});
