// Runs over one engine: asks for the node engine.
/**
 * Clients that the uws engine can't serve, before the node engine: pipelining, and HTTP/1.0 as two well-known
 * programs speak it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Nginx, nginxVersion } from '../support/nginx.js';
import { type Answer, Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import { bodyOf } from './mixed.js';

const run = promisify(execFile);
const hasAb = await run('ab', ['-V']).then(
  () => true,
  () => false,
);
const body = bodyOf(11, 100_000);

/** In chunks where the target asks for it, else with a length. */
const answer: Answer = (received, response) => {
  if (received.target !== '/chunks') response.setHeader('content-length', body.length);
  response.end(body);
};

async function serve(t: Test): Promise<{ umbra: UmbraProcess; v1: Origin }> {
  const [v1, v2] = [await Origin.listen(answer), await Origin.listen()];
  const listen = [{ address: '127.0.0.1:0', engine: 'node' }];
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { mirror: { inFlight: 16_384 }, umbra: { listen } }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  return { umbra, v1 };
}

t.test('autocannon with ten requests ahead on each connection gets every answer', async (t) => {
  const { umbra, v1 } = await serve(t);
  const [amount, connections, pipelining] = [2000, 8, 10];
  const result = await autocannon({ url: umbra.url, connections, pipelining, amount });
  t.strictSame([result.errors, result.timeouts, result.non2xx], [0, 0, 0]);
  // It leaves each connection without waiting for the requests that it has sent ahead last.
  t.ok(result['2xx'] >= amount - connections * pipelining);
  const stats = await lawHolds(t, umbra);
  t.ok(v1.received.length >= result['2xx']);
  t.equal(mirrorTo(stats, 'v2').eligible, stats.versions.v1.primary!.requests);
});

t.test('ApacheBench keeps its HTTP/1.0 connections', { skip: !hasAb && 'ab is not installed' }, async (t) => {
  const { umbra } = await serve(t);
  const { stdout } = await run('ab', ['-k', '-n', '500', '-c', '8', `${umbra.url}/`]);
  t.match(stdout, /Complete requests: +500\n/);
  t.match(stdout, /Failed requests: +0\n/);
  t.match(stdout, /Keep-Alive requests: +500\n/);
});

t.test(
  'nginx in front, with the HTTP/1.0 that it speaks by default, passes every body on whole',
  { skip: nginxVersion() === null && 'nginx is not installed' },
  async (t) => {
    const { umbra, v1 } = await serve(t);
    const nginx = await Nginx.startBefore(umbra.port);
    for (const target of ['/length', '/chunks']) {
      for (let i = 0; i < 20; i++) {
        const got = await ask(nginx.port, { target, method: 'POST', body: bodyOf(i, 5000) });
        t.ok(got.status === 200 && got.body.equals(body), target);
      }
    }
    t.equal(v1.received.filter(({ bodyBytes }) => bodyBytes === 5000).length, 40);
    await nginx.stop();
    await lawHolds(t, umbra);
  },
);
