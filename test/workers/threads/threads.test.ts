import type { ServerResponse } from 'node:http';
import { ask, RawClient } from '../../support/client.js';
import { served } from '../../support/engines.js';
import { lawHolds, mirrorTo } from '../../support/law.js';
import { Load } from '../../support/load.js';
import { Origin } from '../../support/origin.js';
import t from '../../support/tap.js';
import { reviews, sum, twoProxies, UmbraProcess, until } from '../../support/umbra.js';

const get = 'GET / HTTP/1.1\r\nhost: reviews\r\n\r\n';
const mirror = { inFlight: 4096 };

/**
 * The uws engine hands connections out round robin; over the node engine the kernel spreads them, and of 64
 * no thread gets none.
 */
const shared = served === 'uws' ? { byTurns: true, connections: 8 } : { byTurns: false, connections: 64 };

t.test('a proxy thread that throws is replaced, and only its own requests fail', async (t) => {
  const held: ServerResponse[] = [];
  const v1 = await Origin.listen((_received, response) => void held.push(response));
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.startBreakable(
    reviews(v1.port, v2.port, { mirror, umbra: { threads: twoProxies } }),
  );
  const clients: RawClient[] = [];
  for (let i = 0; i < shared.connections; i++) clients.push(await RawClient.connect(umbra.port));
  for (const client of clients) client.send(get);
  await v1.untilReceived(clients.length);

  await umbra.makeThrow('proxy-0');
  const closed = () => clients.filter((client) => client.closed);
  const ended = async () => (await umbra.stats()).versions.v1.primary!.failures['thread-ended'];
  await until(async () => {
    const count = await ended();
    return count > 0 && count === closed().length;
  }, 'what the thread ended is what is closed');
  for (const response of held.splice(0)) response.end('still here');
  const others = clients.filter((client) => !client.closed);
  await Promise.all(others.map((client) => client.until('still here')));
  t.ok(others.length > 0, 'the other thread has its connections');
  if (shared.byTurns) t.equal(others.length, clients.length / 2);
  t.ok(closed().every(({ received }) => received === ''));

  await umbra.logged(/no such message.*proxy thread 0 failed and is being replaced/);
  v1.answer = (_received, response) => void response.end('ok\n');
  for (let i = 0; i < 8; i++) t.equal((await ask(umbra.port)).status, 200, 'both threads take connections');
  const stats = await lawHolds(t, umbra);
  t.equal(stats.versions.v1.primary!.failures['thread-ended'], clients.length - others.length);
  t.equal(mirrorTo(stats, 'v2').eligible, clients.length + 8);
  for (const client of others) client.close();
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test('a proxy thread that throws in the middle of uploads leaves no copy unaccounted for', async (t) => {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.startBreakable(
    reviews(v1.port, v2.port, { mirror, umbra: { threads: twoProxies } }),
  );
  const clients: RawClient[] = [];
  for (let i = 0; i < 10; i++) clients.push(await RawClient.connect(umbra.port));
  for (const client of clients)
    client.send('POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\nhalf of it');
  await until(async () => mirrorTo(await umbra.stats(), 'v2').sent === 10, 'all copies are on their way');
  await umbra.makeThrow('proxy-0');
  await umbra.makeThrow('proxy-1');
  await Promise.all(clients.map((client) => client.end()));
  const { sent, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.strictSame([sent, failed['thread-ended']], [10, 10]);
  t.equal((await ask(umbra.port)).status, 200);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test('a shadow thread that throws is replaced, and no client notices', async (t) => {
  const v1 = await Origin.listen();
  const held: ServerResponse[] = [];
  const v2 = await Origin.listen((_received, response) => void held.push(response));
  const umbra = await UmbraProcess.startBreakable(reviews(v1.port, v2.port, { mirror }));
  for (let i = 0; i < 10; i++) t.equal((await ask(umbra.port)).status, 200);
  await v2.untilReceived(10);
  await umbra.makeThrow('shadow-0');
  const { failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.equal(failed['thread-ended'], 10, 'what it had in flight has failed');
  v2.answer = (_received, response) => void response.end('ok\n');
  for (let i = 0; i < 10; i++) t.equal((await ask(umbra.port)).status, 200);
  t.equal(mirrorTo(await lawHolds(t, umbra), 'v2').completed, 10, 'the new thread continues');
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test(
  'threads that throw again and again under load cost at most the connections that they held',
  async (t) => {
    const connections = 16;
    const v1 = await Origin.listen();
    const v2 = await Origin.listen();
    const umbra = await UmbraProcess.startBreakable(
      reviews(v1.port, v2.port, {
        mirror,
        umbra: { threads: { proxy: 2, shadow: 2 } },
      }),
    );
    const load = new Load(umbra.port, connections);
    await load.more(50);
    for (const name of ['shadow-0', 'shadow-1', 'shadow-0']) {
      await umbra.makeThrow(name);
      await load.more(50);
    }
    t.strictSame(load.failures, [], 'shadow threads cost nothing');
    for (const name of ['proxy-0', 'proxy-1', 'proxy-0']) {
      const before = load.failures.length;
      await umbra.makeThrow(name);
      await load.more(50);
      t.ok(
        load.failures.length - before <= connections,
        `${load.failures.length - before} failed with ${name}`,
      );
    }
    await umbra.makeThrow('control');
    await load.more(50);
    await load.stop();
    const stats = await lawHolds(t, umbra);
    t.equal(stats.threads.restarts, 7, 'the control thread is one of them');
    const { eligible, dropped } = mirrorTo(stats, 'v2');
    t.equal(stats.versions.v1.primary!.requests - eligible, 0, 'every request was chosen');
    t.ok(eligible - sum(dropped) > 300);
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);

t.test('a control thread that throws is replaced, and the admin API answers again', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.startBreakable(reviews(v1.port, null));
  await umbra.makeThrow('control');
  // At the same port, though the configuration leaves it open. Main reports to the new one that umbra serves.
  await until(
    async () => (await umbra.admin('GET', '/readyz')).status === 200,
    'it says that umbra is ready',
  );
  t.match(umbra.err, /the control thread failed and is being replaced/);
  t.equal((await ask(umbra.port)).status, 200);
  await umbra.stop();
  await v1.close();
});
