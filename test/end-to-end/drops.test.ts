// Runs over one engine: copies are dropped behind the engines.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ask, askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, sum, UmbraProcess, until } from '../support/umbra.js';

const KiB = 1024;
/** The smallest ring: frames up to 8 KiB. */
const threads = { proxy: 1, shadow: 1, ring: '64KiB' };

const held: ServerResponse[] = [];
const v1 = await Origin.listen();
const v2 = await Origin.listen();
const umbra = await UmbraProcess.start(reviews(v1.port, v2.port, { umbra: { threads } }));

t.teardown(async () => {
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

/** Takes another mirror, lets `act` happen, and answers what it added to the counts of the mirror. */
async function counted(
  t: import('../support/tap.js').Test,
  mirror: object,
  act: () => Promise<void>,
  v2Port = v2.port,
): Promise<{
  eligible: number;
  completed: number;
  dropped: Record<string, number>;
  failed: Record<string, number>;
}> {
  const config = reviews(v1.port, v2Port, { mirror, umbra: { threads } });
  t.equal((await umbra.admin('PUT', '/api/config', config)).status, 200);
  const before = mirrorTo(await umbra.atRest(), 'v2');
  await act();
  const after = mirrorTo(await lawHolds(t, umbra), 'v2');
  const more = (now: Record<string, number>, then: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(now).flatMap(([reason, count]) =>
        count === then[reason] ? [] : [[reason, count - then[reason]]],
      ),
    );
  return {
    eligible: after.eligible - before.eligible,
    completed: after.completed - before.completed,
    dropped: more(after.dropped, before.dropped),
    failed: more(after.failed, before.failed),
  };
}

async function succeeds(
  t: import('../support/tap.js').Test,
  ...asked: Parameters<typeof ask>
): Promise<void> {
  t.equal((await ask(...asked)).status, 200);
}

t.test('methods that are not to be copied are dropped as method', async (t) => {
  const counts = await counted(t, { methods: ['GET'] }, async () => {
    await succeeds(t, umbra.port);
    await succeeds(t, umbra.port, { method: 'POST', body: Buffer.alloc(3) });
  });
  t.strictSame(counts, { eligible: 2, completed: 1, dropped: { method: 1 }, failed: {} });
});

t.test(
  'a body that says that it is larger than the bound is dropped at once, and v1 gets it whole',
  async (t) => {
    const counts = await counted(t, { body: { max: '10KiB' } }, async () => {
      await succeeds(t, umbra.port, { method: 'PUT', body: Buffer.alloc(10 * KiB + 1) });
      await succeeds(t, umbra.port, { method: 'PUT', body: Buffer.alloc(10 * KiB) });
    });
    t.strictSame(counts, { eligible: 2, completed: 1, dropped: { 'body-too-large': 1 }, failed: {} });
    t.strictSame(
      v1.received.slice(-2).map(({ bodyBytes }) => bodyBytes),
      [10 * KiB + 1, 10 * KiB],
    );
  },
);

t.test('a chunked body that grows over the bound gives its copy up, and v1 gets it whole', async (t) => {
  const counts = await counted(t, { body: { max: '10KiB' } }, async () => {
    await succeeds(t, umbra.port, { method: 'PUT', body: Buffer.alloc(30 * KiB), chunkBytes: 1000 });
  });
  t.equal((counts.dropped['body-too-large'] ?? 0) + (counts.failed['body-too-large'] ?? 0), 1);
  t.equal(v1.received.at(-1)!.bodyBytes, 30 * KiB);
});

t.test('a head that no frame can hold is dropped as frame-too-large', async (t) => {
  const counts = await counted(t, {}, () =>
    succeeds(t, umbra.port, { headers: { 'x-large': 'x'.repeat(9 * KiB) } }),
  );
  t.strictSame(counts, { eligible: 1, completed: 0, dropped: { 'frame-too-large': 1 }, failed: {} });
});

t.test('a body that is larger than the ring arrives whole at both versions', async (t) => {
  const body = Buffer.alloc(4 * KiB * KiB, 'x');
  const counts = await counted(t, { body: { max: '8MiB' } }, async () => {
    for (let i = 0; i < 5; i++) await succeeds(t, umbra.port, { method: 'PUT', body });
  });
  t.strictSame(counts, { eligible: 5, completed: 5, dropped: {}, failed: {} });
  for (const origin of [v1, v2])
    t.ok(origin.received.slice(-5).every(({ bodyBytes }) => bodyBytes === body.length));
});

t.test('copies over the rate are dropped as rate', async (t) => {
  const counts = await counted(t, { rate: '5/s', inFlight: 4096 }, async () => {
    await askMany(umbra.port, 100, 10, () => ({}));
  });
  t.equal(counts.eligible, 100);
  t.strictSame(Object.keys(counts.dropped), ['rate']);
  t.equal(counts.completed + counts.dropped.rate, 100);
  t.ok(counts.completed >= 5, 'as many as the rate allows in its first second went out');
});

t.test('copies beyond those that may be in flight are dropped as in-flight', async (t) => {
  v2.answer = (_received, response) => void held.push(response);
  const counts = await counted(t, { inFlight: 4 }, async () => {
    const already = v2.received.length;
    await askMany(umbra.port, 50, 10, () => ({}));
    await v2.untilReceived(already + 4);
    for (const response of held.splice(0)) response.end();
  });
  v2.answer = (_received, response) => void response.end();
  t.strictSame(counts, { eligible: 50, completed: 4, dropped: { 'in-flight': 46 }, failed: {} });
});

t.test('a shadow that reads nothing costs neither the client nor memory without bound', async (t) => {
  const deaf = await RawServer.listen((peer) => void peer.socket.pause());
  const body = Buffer.alloc(2 * KiB * KiB, 'x');
  const counts = await counted(
    t,
    { body: { max: '8MiB' }, timeouts: { idle: '300ms', total: '300ms' } },
    async () => {
      for (let i = 0; i < 5; i++) await succeeds(t, umbra.port, { method: 'PUT', body, chunkBytes: 7000 });
    },
    deaf.port,
  );
  t.equal(counts.eligible, 5);
  t.equal(counts.completed, 0);
  t.equal(sum(counts.dropped) + sum(counts.failed), 5);
  await deaf.close();
});

t.test(
  'bytes that a shadow does not take are held up to the bound of the mirror, then dropped as memory',
  async (t) => {
    const deaf = await RawServer.listen((peer) => void peer.socket.pause());
    const counts = await counted(
      t,
      { body: { max: '16MiB' }, memory: '1MiB', timeouts: { idle: '2s', total: '2s' } },
      async () => {
        const body = Buffer.alloc(8 * KiB * KiB, 'x');
        await succeeds(t, umbra.port, { method: 'PUT', body, chunkBytes: 7000 });
        await succeeds(t, umbra.port, { method: 'PUT', body, chunkBytes: 7000 });
      },
      deaf.port,
    );
    t.equal(counts.eligible, 2);
    const memory = (counts.failed.memory ?? 0) + (counts.dropped.memory ?? 0);
    const full = (counts.failed['ring-full'] ?? 0) + (counts.dropped['ring-full'] ?? 0);
    t.equal(memory + full, 2, 'none of it waits for the timeout');
    t.equal(mirrorTo(await umbra.stats(), 'v2').heldBytes, 0);
    await deaf.close();
  },
);

t.test('a response that is longer than its bound is cut off, and its connection closed', async (t) => {
  let flooding: Socket | null = null;
  v2.answer = (received, response) => {
    if (received.target === '/long') flooding = response.socket;
    response.end(Buffer.alloc(received.target === '/long' ? 200_001 : 200_000));
  };
  const counts = await counted(t, { response: { max: '200000B' } }, async () => {
    await succeeds(t, umbra.port, { target: '/long' });
    await until(() => flooding?.destroyed, 'the connection that it came by is closed');
    await succeeds(t, umbra.port, { target: '/fits' });
  });
  v2.answer = (_received, response) => void response.end();
  t.strictSame(counts, { eligible: 2, completed: 1, dropped: {}, failed: { 'response-too-large': 1 } });
});

t.test(
  'a breaker stops copies to a shadow that fails them, and finds out when it is well again',
  async (t) => {
    let sick = true;
    // Cut off within its body: an endpoint that answers not at all would be left alone before the breaker has
    // seen enough.
    v2.answer = (_received, response) =>
      void (sick ? response.write('x', () => response.socket!.destroy()) : response.end());
    const breaker = { failures: '50%', window: '60s', cooldown: '1s' };
    const counts = await counted(t, { breaker, timeout: '2s' }, async () => {
      for (let i = 0; i < 30; i++) {
        await succeeds(t, umbra.port);
        await umbra.atRest();
      }
      const { breaker } = mirrorTo(await umbra.stats(), 'v2');
      t.equal(breaker.open, 1);
      t.ok(breaker.opened >= 1);
      t.match(await umbra.metrics(), /umbra_mirror_breakers_open\{[^}]*\} 1/);
      sick = false;
      await until(async () => {
        await succeeds(t, umbra.port);
        return mirrorTo(await umbra.atRest(), 'v2').breaker.open === 0;
      }, 'the breaker is closed');
      await succeeds(t, umbra.port);
    });
    v2.answer = (_received, response) => void response.end();
    t.ok(counts.failed.reset >= 10, `${counts.failed.reset} failed`);
    t.ok(counts.dropped['breaker-open'] > 0, `${counts.dropped['breaker-open']} were not tried`);
    t.ok(counts.completed >= 2);
    t.strictSame(Object.keys(counts.dropped), ['breaker-open']);
  },
);

t.test('the copy has the headers that the mirror says, and v1 has those of the client', async (t) => {
  const headers = { authorization: 'Bearer secret', 'x-kept': '1', 'x-set': 'old', 'x-add': 'first' };
  const edits = { remove: ['Authorization'], set: { 'X-Set': 'new' }, add: { 'x-add': 'second' } };
  await counted(t, { headers: edits, host: { set: 'other:81' } }, () => succeeds(t, umbra.port, { headers }));
  const fields = (origin: Origin) =>
    origin.received
      .at(-1)!
      // What the edge says of the client and of the request goes to both.
      .fields.filter(([name]) => name !== 'connection' && !/^x-(forwarded-|request-id)/.test(name))
      .sort();
  t.strictSame(fields(v1), [
    ['authorization', 'Bearer secret'],
    ['host', 'reviews.example.com'],
    ['x-add', 'first'],
    ['x-kept', '1'],
    ['x-set', 'old'],
  ]);
  t.strictSame(fields(v2), [
    ['host', 'other:81'],
    ['x-add', 'first'],
    ['x-add', 'second'],
    ['x-kept', '1'],
    ['x-set', 'new'],
    ['x-umbra-mirror', '1'],
  ]);
});
