// Runs over one engine: endpoints are judged and reported behind the engines.
/**
 * What an operator hears when an endpoint fails: in the log, the access log, the statistics and the metrics.
 */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ask, RawClient } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { answerOk, Origin } from '../support/origin.js';
import { RawServer, refusedPort } from '../support/raw-server.js';
import { selfSignedKey, selfSignedPem } from '../support/self-signed.js';
import t, { type Test } from '../support/tap.js';
import { engine, reviews, UmbraProcess, until } from '../support/umbra.js';

const oneThread = { threads: { proxy: 1, shadow: 1 } };
const jsonLog = { accessLog: { path: '-', format: 'json' } };

async function start(t: Test, config: Parameters<typeof UmbraProcess.start>[0]): Promise<UmbraProcess> {
  const umbra = await UmbraProcess.start(config);
  t.teardown(() => umbra.stop());
  return umbra;
}

/** The lines of the access log on standard output, once there are `count`. */
async function accessLines(umbra: UmbraProcess, count: number): Promise<Record<string, unknown>[]> {
  const lines = () => umbra.out.split('\n').filter((line) => line.startsWith('{'));
  await until(() => lines().length >= count, `${count} lines in the access log`);
  return lines().map((line) => JSON.parse(line) as Record<string, unknown>);
}

function lastErrorOf(stats: Awaited<ReturnType<UmbraProcess['stats']>>, version: string) {
  return stats.versions[version]!.endpoints[0]!.lastError;
}

t.test(
  'eight 502s of a primary that refuses leave a line that names the endpoint and the errno',
  async (t) => {
    const url = `http://127.0.0.1:${await refusedPort()}`;
    const umbra = await start(t, reviews(0, null, { v1: { endpoints: url } }));
    for (let i = 0; i < 8; i++) t.equal((await ask(umbra.port)).status, 502);
    await umbra.logged(
      /endpoint http:\/\/127\.0\.0\.1:\d+ \(version v1\): connection refused \(ECONNREFUSED\)[^"]*; ejected for \d+ s/,
    );
    await until(async () => lastErrorOf(await umbra.stats(), 'v1')?.count === 8, 'all failures are known');
    const error = lastErrorOf(await umbra.stats(), 'v1')!;
    t.match(error, { role: 'primary', cause: 'connection-refused', errno: 'ECONNREFUSED' });
    t.ok(Date.now() - Date.parse(error.at) < 60_000);
    t.match(
      await umbra.metrics(),
      /umbra_upstream_endpoint_failures_total\{version="v1",role="primary",cause="connection-refused"\} 8\n/,
    );
    t.ok(
      umbra.err.split('connection refused').length - 1 <= 4,
      'lines are bounded, whatever the number of 502s',
    );
  },
);

t.test('a certificate that signed itself is named in log, access log and statistics', async (t) => {
  const server = createServer({ cert: selfSignedPem, key: selfSignedKey }, (_, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const endpoints = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const umbra = await start(t, reviews(0, null, { v1: { endpoints }, umbra: { ...oneThread, ...jsonLog } }));
  t.equal((await ask(umbra.port)).status, 502);
  await umbra.logged(/TLS failed: self-signed certificate \(DEPTH_ZERO_SELF_SIGNED_CERT\); ejected for/);
  const [line] = await accessLines(umbra, 1);
  t.match(line, {
    status: 502,
    flags: 'UF',
    details:
      'upstream_reset_before_response_started{remote_connection_failure|tls-self-signed|DEPTH_ZERO_SELF_SIGNED_CERT}',
  });
  await until(async () => lastErrorOf(await umbra.stats(), 'v1') !== null, 'the error is in the statistics');
  t.equal(lastErrorOf(await umbra.stats(), 'v1')!.cause, 'tls-self-signed');
});

t.test('an endpoint that answers after its ejection is reported as back', async (t) => {
  const origin = await Origin.listen();
  const { port } = origin;
  await origin.close();
  const umbra = await start(
    t,
    reviews(port, null, { v1: { ejection: { baseTime: '1h', maxTime: '1h' } }, umbra: oneThread }),
  );
  t.equal((await ask(umbra.port)).status, 502);
  await umbra.logged(/ejected for 3600 s/);
  const again = await Origin.listen(answerOk, port);
  t.teardown(() => again.close());
  await until(async () => (await ask(umbra.port)).status === 200, 'it is tried, because there is no other');
  await umbra.logged(/endpoint http:\/\/127\.0\.0\.1:\d+ \(version v1\): answers again/);
});

t.test('a response that breaks off or is not HTTP is named by what happened', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    const head = await peer.head();
    if (head.startsWith('GET /reset')) peer.socket.resetAndDestroy();
    else if (head.startsWith('GET /close')) peer.socket.end();
    else if (head.startsWith('GET /other')) peer.send('hello\r\n\r\n');
    else peer.send('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf');
    if (head.startsWith('GET /half')) peer.socket.end();
  });
  t.teardown(() => server.close());
  const umbra = await start(t, reviews(server.port, null, { umbra: { ...oneThread, ...jsonLog } }));
  for (const path of ['/reset', '/close', '/other', '/half'])
    await ask(umbra.port, { target: path }).catch(() => {});
  const lines = await accessLines(umbra, 4);
  const before = 'upstream_reset_before_response_started';
  t.strictSame(
    lines.map(({ path, details }) => [path, details]),
    [
      ['/reset', `${before}{connection_termination|connection-reset|ECONNRESET}`],
      ['/close', `${before}{connection_termination|connection-closed}`],
      ['/other', `${before}{protocol_error|not-http}`],
      ['/half', 'upstream_reset_after_response_started{connection_termination|connection-closed}'],
    ],
  );
});

t.test(
  'a client that stops within its body stands as 408 in the access log, as it was answered',
  async (t) => {
    const origin = await Origin.listen();
    t.teardown(() => origin.close());
    const listen = [{ address: '127.0.0.1:0', engine, body: { timeout: '1s' } }];
    const umbra = await start(t, reviews(origin.port, null, { umbra: { ...oneThread, ...jsonLog, listen } }));
    const client = await RawClient.connect(umbra.port);
    client.send('POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 12\r\n\r\nhalf');
    t.match(await client.end(), /^HTTP\/1\.1 408 /);
    const [line] = await accessLines(umbra, 1);
    t.match(line, { status: 408, flags: 'DT', details: 'request_timeout' });
  },
);

t.test('a breaker that opens and closes is reported, with what its copies failed for', async (t) => {
  const primary = await Origin.listen();
  const shadow = await Origin.listen();
  const { port } = shadow;
  await shadow.close();
  const breaker = { failures: '50%', window: '10s', cooldown: '1s' };
  const umbra = await start(
    t,
    reviews(primary.port, port, {
      mirror: { breaker, sample: 'random' },
      v2: { ejection: { baseTime: '1ms', maxTime: '1ms' } },
      umbra: oneThread,
    }),
  );
  t.teardown(() => primary.close());
  const isOpen = () =>
    /mirror v2 of route reviews: the breaker opened: too many copies failed, the last one with connect; next probe in 1 s/.test(
      umbra.err,
    );
  await until(async () => {
    await ask(umbra.port);
    return isOpen();
  }, 'the breaker opens');
  const again = await Origin.listen(answerOk, port);
  t.teardown(() => again.close());
  await until(async () => {
    await ask(umbra.port);
    return /mirror v2 of route reviews: the breaker closed, copies are sent again/.test(umbra.err);
  }, 'the breaker closes');
  await lawHolds(t, umbra);
});
