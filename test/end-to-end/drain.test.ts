// Runs over both engines.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ask, RawClient } from '../support/client.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

/** A version that answers on demand. */
async function holdingOrigin(): Promise<{ origin: Origin; held: ServerResponse[]; release: () => void }> {
  const held: ServerResponse[] = [];
  const origin = await Origin.listen((_received, response) => void held.push(response));
  return { origin, held, release: () => held.splice(0).forEach((response) => void response.end('at last')) };
}

function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}

t.test(
  'SIGTERM lets requests in flight finish, refuses new connections, says 503 on readyz and exits with 0',
  async (t) => {
    const v1 = await holdingOrigin();
    const v2 = await holdingOrigin();
    const umbra = await UmbraProcess.start(
      reviews(v1.origin.port, v2.origin.port, { mirror: { timeout: '10s' }, umbra: { threads: twoProxies } }),
    );
    t.equal((await umbra.admin('GET', '/readyz')).status, 200);
    const idle = await RawClient.connect(umbra.port);
    const answers = Array.from({ length: 8 }, () => ask(umbra.port));
    await Promise.all([v1.origin.untilReceived(8), v2.origin.untilReceived(8)]);
    umbra.signal('SIGTERM');
    await until(() => refuses(umbra.port), 'new connections are refused');
    t.equal((await umbra.admin('GET', '/readyz')).status, 503);
    t.equal((await umbra.admin('GET', '/healthz')).status, 200);
    v1.release();
    for (const answer of await Promise.all(answers)) t.equal(answer.body.toString(), 'at last');
    v2.release();
    t.strictSame(await umbra.ended, { code: 0, signal: null });
    await idle.end();
    t.equal(idle.received, '');
    await Promise.all([v1.origin.close(), v2.origin.close()]);
  },
);

/** Words for node: main says which timers of a tenth of a second and more it waited for after SIGTERM. */
function tellingTimers(t: Test): string[] {
  const script = join(t.testdir(), 'timers.cjs');
  writeFileSync(
    script,
    `const { isMainThread } = require('node:worker_threads');
if (isMainThread) process.once('SIGTERM', () => {
  const set = globalThis.setTimeout;
  globalThis.setTimeout = (run, ms, ...more) =>
    set(() => {
      if (ms >= 100) process.stderr.write('waited for ' + ms + ' ms\\n');
      run(...more);
    }, ms);
});
`,
  );
  return ['--require', script];
}

t.test('a drain with nothing in flight waits for no timer, with idle clients connected', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, null), tellingTimers(t));
  const client = await RawClient.connect(umbra.port);
  client.send('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
  await client.until('ok\n');
  t.strictSame(await umbra.stop(), { code: 0, signal: null });
  t.notMatch(umbra.err, /waited for/);
  await client.end();
  await v1.close();
});

/** Arguments of Node with which a thread of `kind` runs a loop without end when it is sent `message`. */
function busyAt(t: Test, kind: string, message: string): string[] {
  const script = join(t.testdir(), 'busy.cjs');
  writeFileSync(
    script,
    `const { parentPort, workerData } = require('node:worker_threads');
if (workerData?.kind === '${kind}') parentPort.on('message', ({ type }) => {
  if (type === '${message}') for (;;);
});
`,
  );
  return ['--require', script];
}

for (const kind of ['proxy', 'shadow', 'sink', 'control']) {
  t.test(`a ${kind} thread that is busy without end is terminated soon after the drain`, async (t) => {
    const v1 = await Origin.listen();
    const message = kind === 'control' ? 'leave' : 'drain';
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v1.port, {
        umbra: { drain: '200ms' },
        route: { mirrors: [{ to: 'v2' }, { to: `file:${join(t.testdir(), 'recording')}` }] },
      }),
      busyAt(t, kind, message),
    );
    t.equal((await ask(umbra.port)).status, 200);
    t.strictSame(await umbra.stop(), { code: 0, signal: null });
    t.match(umbra.err, new RegExp(`${kind} thread .*was terminated: the thread did not stop within`));
    await v1.close();
  });
}

t.test('a second signal stops at once, and cuts what is in flight', async (t) => {
  const v1 = await holdingOrigin();
  const umbra = await UmbraProcess.start(reviews(v1.origin.port, null, { umbra: { drain: '1h' } }));
  const answer = ask(umbra.port).then(
    () => 'answered',
    () => 'cut',
  );
  await v1.origin.untilReceived(1);
  umbra.signal('SIGTERM');
  await umbra.logged(/SIGTERM: draining/);
  umbra.signal('SIGTERM');
  const { signal } = await umbra.ended;
  t.equal(signal, null, 'it ends by itself');
  t.equal(await answer, 'cut');
  await v1.origin.close();
});

t.test('what is not done when the drain is over is cut', async (t) => {
  const v1 = await holdingOrigin();
  const umbra = await UmbraProcess.start(reviews(v1.origin.port, null, { umbra: { drain: '200ms' } }));
  const client = await RawClient.connect(umbra.port);
  client.send('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
  await v1.origin.untilReceived(1);
  const [exit] = await Promise.all([umbra.stop(), client.end()]);
  t.strictSame(exit, { code: 0, signal: null });
  t.equal(client.received, '');
  await v1.origin.close();
});

t.test('a shadow that never answers does not hold up the end for longer than the drain', async (t) => {
  const v1 = await Origin.listen();
  const v2 = await holdingOrigin();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.origin.port, { mirror: { timeout: '1h' }, umbra: { drain: '300ms' } }),
  );
  t.equal((await ask(umbra.port)).status, 200);
  await v2.origin.untilReceived(1);
  const gone = once(v2.held[0], 'close');
  t.strictSame(await umbra.stop(), { code: 0, signal: null });
  await gone;
  await Promise.all([v1.close(), v2.origin.close()]);
});
