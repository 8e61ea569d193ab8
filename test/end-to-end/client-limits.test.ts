// Runs over both engines.
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { ask, RawClient } from '../support/client.js';
import { behaviour } from '../support/engines.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { type ConfigWords, engine, reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

/** What a client that waits on purpose is given. */
const soon = '1s';
const soonMs = 1000;

type Name = 'smallBodies' | 'timedBodies' | 'timedResponses' | 'fewConnections' | 'largeHeads' | 'timedAll';
/** One umbra has a listener with each of these bounds. */
const bounds: Record<Name, Readonly<Record<string, object>>> = {
  smallBodies: { body: { max: '1KiB' } },
  timedBodies: { body: { timeout: soon } },
  timedResponses: { response: { timeout: soon } },
  fewConnections: { connections: { max: 3 } },
  largeHeads: {},
  timedAll: {
    connections: { idle: soon },
    head: { timeout: soon },
    body: { timeout: soon },
    response: { timeout: soon },
  },
};
const names = Object.keys(bounds);
/** The uws engine has one size for all of its listeners. */
const headMax = '64KiB';
const configOf = (all: typeof bounds): ConfigWords => {
  const listen = Object.values(all).map(({ head, ...others }) => {
    return { address: '127.0.0.1:0', engine, head: { max: headMax, ...head }, ...others };
  });
  return reviews(v1.port, null, { umbra: { threads: twoProxies, listen } });
};
const v1 = await Origin.listen();
const umbra = await UmbraProcess.start(configOf(bounds));
t.teardown(async () => {
  await umbra.stop();
  await v1.close();
});

/** The port of the listener with these bounds; what v1 received before is forgotten. */
function portOf(name: Name): number {
  v1.received.length = 0;
  return umbra.ports[names.indexOf(name)]!;
}

/** The sum of a counter over all threads. */
async function counted(metric: string): Promise<number> {
  let sum = 0;
  for (const [, value] of (await umbra.metrics()).matchAll(new RegExp(`^${metric}\\{[^}]*\\} (\\d+)$`, 'gm')))
    sum += Number(value);
  return sum;
}

const post = 'POST /x HTTP/1.1\r\nhost: h\r\n';

t.test('a body that is announced too large gets 413, and no version receives it', async (t) => {
  const port = portOf('smallBodies');
  const fits = await ask(port, { method: 'POST', body: Buffer.alloc(1024) });
  t.equal(fits.status, 200);
  const client = await RawClient.connect(port);
  client.send(`${post}content-length: 1025\r\n\r\n`);
  t.match(await client.end(), /^HTTP\/1\.1 413 [\s\S]*The request body is too large\.\n(\r\n0\r\n\r\n)?$/);
  t.equal(v1.received.length, 1);
  t.equal(await counted('umbra_downstream_body_too_large_total'), 1);
});

t.test('a body in chunks that grows too large gets 413 as it comes, and never arrives whole', async (t) => {
  const port = portOf('smallBodies');
  const before = await counted('umbra_downstream_body_too_large_total');
  const client = await RawClient.connect(port);
  client.send(`${post}transfer-encoding: chunked\r\n\r\n200\r\n${'a'.repeat(512)}\r\n`);
  await until(() => v1.open === 1, 'the upload has begun');
  client.send(`201\r\n${'b'.repeat(513)}\r\n`);
  t.match(await client.end(), /^HTTP\/1\.1 413 /);
  t.equal(v1.received.length, 0);
  t.equal((await counted('umbra_downstream_body_too_large_total')) - before, 1);
  const fits = await ask(port, { method: 'POST', body: Buffer.alloc(1024), chunkBytes: 100 });
  t.equal(fits.status, 200);
});

t.test('a client that stops within a body gets 408; one that is slow but comes on does not', async (t) => {
  const port = portOf('timedBodies');
  const client = await RawClient.connect(port);
  client.send(`${post}content-length: 100\r\n\r\nhalf`);
  const slow = await RawClient.connect(port);
  slow.send(`${post}connection: close\r\ncontent-length: 12\r\n\r\n`);
  let left = 12;
  const pace = setInterval(() => {
    slow.send('x');
    if (--left === 0) clearInterval(pace);
  }, soonMs / 6);
  t.match(await client.end(), /^HTTP\/1\.1 408 /);
  t.equal(await counted('umbra_downstream_body_timeouts_total'), 1);
  t.match(await slow.end(), /^HTTP\/1\.1 200 /, 'twice as long in all');
  t.equal(v1.received.length, 1);
});

t.test('a client that takes nothing of a response is closed', async (t) => {
  const whole = 64 * 1024 * 1024;
  const port = portOf('timedResponses');
  const answerBefore = v1.answer;
  v1.answer = (_received, response) => {
    response.setHeader('content-length', whole);
    response.end(Buffer.alloc(whole));
  };
  t.teardown(() => {
    v1.answer = answerBefore;
  });
  const client = netConnect(port, '127.0.0.1');
  await once(client, 'connect');
  client.pause();
  client.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
  await until(
    async () => (await counted('umbra_downstream_response_timeouts_total')) === 1,
    'the reader is given up',
  );
  let bytes = 0;
  client.on('data', (data) => {
    bytes += data.length;
  });
  client.on('error', () => {});
  client.resume();
  await once(client, 'close');
  t.ok(bytes < whole, 'the response is short of its length');
});

t.test('connections are bounded over all threads', async (t) => {
  const port = portOf('fewConnections');
  const kept = await Promise.all([1, 2, 3].map(() => RawClient.connect(port)));
  for (const client of kept) {
    client.send('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    await client.until('ok\n');
  }
  const surplus = await RawClient.connect(port);
  t.equal(await surplus.end(), '');
  t.equal(await counted('umbra_downstream_connections_refused_total'), 1);
  t.equal(await counted('umbra_downstream_connections'), 3);
  kept[0]!.close();
  await until(async () => (await counted('umbra_downstream_connections')) === 2, 'one is gone');
  t.equal((await ask(port)).status, 200);
  for (const client of kept) client.close();
});

t.test('the size of heads is what the configuration says', async (t) => {
  const port = portOf('largeHeads');
  const head = (bytes: number): string => `GET / HTTP/1.1\r\nhost: h\r\nx: ${'a'.repeat(bytes)}\r\n\r\n`;
  const fits = await RawClient.connect(port);
  fits.send(head(60_000));
  await fits.until('ok\n');
  fits.close();
  t.equal(v1.received[0]!.fields.find(([name]) => name === 'x')![1].length, 60_000);
  const large = await RawClient.connect(port);
  large.send(head(70_000));
  t.match(await large.end(), /^HTTP\/1\.1 431 /);
  t.equal(v1.received.length, 1);
});

t.test('a head that drips and a connection that idles are ended', async (t) => {
  const port = portOf('timedAll');
  const before = {
    heads: await counted('umbra_downstream_head_timeouts_total'),
    idle: await counted('umbra_downstream_idle_timeouts_total'),
  };
  const idle = await RawClient.connect(port);
  idle.send('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
  await idle.until('ok\n');
  const dripping = await RawClient.connect(port);
  dripping.send('GET / HTTP/1.1\r\nhost: h\r\nx: ');
  const pace = setInterval(() => dripping.send('a'), soonMs / 4);
  const silent = await RawClient.connect(port);
  const [, dripped] = await Promise.all([idle.end(), dripping.end(), silent.end()]);
  clearInterval(pace);
  if (behaviour.countsLateHeads) {
    t.match(dripped, /^HTTP\/1\.1 408 /);
    t.equal((await counted('umbra_downstream_head_timeouts_total')) - before.heads, 1);
    t.equal((await counted('umbra_downstream_idle_timeouts_total')) - before.idle, 2);
  } else {
    t.equal(dripped, '');
  }
});

t.test('another plan changes what the next requests are bounded by', async (t) => {
  const port = portOf('smallBodies');
  const body = Buffer.alloc(4096);
  t.equal((await ask(port, { method: 'POST', body })).status, 413);
  umbra.file.write(configOf({ ...bounds, smallBodies: { body: { max: '4KiB' } } }));
  await umbra.logged(/configuration reloaded/);
  t.equal((await ask(port, { method: 'POST', body })).status, 200);
  t.notMatch(umbra.err, /requires a restart/);
});
