// Runs over both engines.
import { ask, RawClient } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const delayMs = 200;

t.test(
  'fault.delay lets requests wait before primary and mirror get them, and fault.abort answers them at once',
  async (t) => {
    const [v1, v2] = await Promise.all([Origin.listen(), Origin.listen()]);
    t.teardown(() => Promise.all([v1.close(), v2.close()]));
    const config = reviews(v1.port, v2.port, {
      route: { fault: { delay: { for: `${delayMs}ms` } } },
      umbra: { accessLog: { format: 'json' } },
    });
    config.routes.unshift(
      {
        name: 'refusing',
        match: { path: { prefix: '/refused' } },
        primary: 'v1',
        mirrors: [{ to: 'v2' }],
        fault: { abort: { status: 503 } },
      },
      {
        name: 'both',
        match: { path: { exact: '/both' } },
        respond: {},
        fault: { delay: { for: `${delayMs}ms` }, abort: { percent: 100, status: 429 } },
      },
      {
        name: 'gone',
        match: { path: { exact: '/gone' } },
        primary: 'v1',
        fault: { delay: { for: '1h' } },
      },
      {
        name: 'never',
        match: { path: { exact: '/never' } },
        primary: 'v1',
        fault: { delay: { percent: 0, for: '1h' }, abort: { percent: 0, status: 500 } },
      },
    );
    const umbra = await UmbraProcess.start(config);
    t.teardown(() => umbra.stop());

    const timed = async (asked: Parameters<typeof ask>[1]) => {
      const before = performance.now();
      const { status } = await ask(umbra.port, asked);
      return { status, late: performance.now() - before >= delayMs };
    };
    const body = Buffer.alloc(200_000, 'b');
    t.strictSame(await timed({ target: '/get' }), { status: 200, late: true });
    t.strictSame(await timed({ method: 'POST', target: '/length', body }), { status: 200, late: true });
    t.strictSame(await timed({ method: 'POST', target: '/chunks', body, chunkBytes: 7000 }), {
      status: 200,
      late: true,
    });
    t.strictSame(await timed({ target: '/both' }), { status: 429, late: true });
    t.equal((await ask(umbra.port, { target: '/refused' })).status, 503);
    t.equal((await ask(umbra.port, { target: '/never' })).status, 200);

    const gone = await RawClient.connect(umbra.port);
    gone.send('GET /gone HTTP/1.1\r\nHost: a\r\n\r\n');
    const delays = async () =>
      [...(await umbra.metrics()).matchAll(/^umbra_fault_delays_total\{.*\} (\d+)$/gm)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      );
    await until(async () => (await delays()) === 5, 'the one that will go is waiting');
    gone.socket.resetAndDestroy();

    const stats = await lawHolds(t, umbra);
    t.strictSame(
      v1.received.map(({ target, bodyBytes }) => [target, bodyBytes]),
      [
        ['/get', 0],
        ['/length', body.length],
        ['/chunks', body.length],
        ['/never', 0],
      ],
    );
    t.equal(
      stats.mirrors.find(({ route }) => route === 'reviews')?.completed,
      3,
      'delayed ones are copied, refused ones are not',
    );
    t.match(await umbra.metrics(), /^umbra_fault_aborts_total\{.*\} [12]$/m);
    const lines = await until(() => {
      const all = umbra.out.split('\n').filter((line) => line.startsWith('{'));
      return all.length >= 9 && all.map((line) => JSON.parse(line));
    }, 'the access log has its lines');
    const flagOf = (path: string) =>
      lines.find((line) => line.path === path && line.role === 'primary').flags;
    t.strictSame(['/get', '/both', '/refused', '/never'].map(flagOf), ['DI', 'DI,FI', 'FI', null]);
    t.ok(lines.find((line) => line.path === '/get' && line.role === 'primary').durationMs >= delayMs);
  },
);
