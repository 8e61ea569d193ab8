// Runs over one engine: mirrors are chosen and rewritten behind the engines.
import { type Asked, ask, askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { fieldOf, Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

async function versions(t: import('../support/tap.js').Test, count: number): Promise<Origin[]> {
  const origins = await Promise.all(Array.from({ length: count }, () => Origin.listen()));
  t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
  return origins;
}

async function started(
  t: import('../support/tap.js').Test,
  config: Parameters<typeof UmbraProcess.start>[0],
) {
  const umbra = await UmbraProcess.start(config);
  t.teardown(() => umbra.stop());
  return umbra;
}

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

t.test(
  'each mirror of a route makes its own copy of what the client sent, and the primary gets that unchanged',
  async (t) => {
    const [v1, v2, v3] = await versions(t, 3);
    const config = reviews(v1.port, v2.port, {
      route: {
        match: { path: { prefix: '/reviews' } },
        mirrors: [
          {
            to: 'v2',
            rewrite: { prefix: '/next' },
            trace: 'new',
            host: 'preserve',
            headers: { remove: ['x-a'] },
          },
          {
            to: 'v3',
            rewrite: { regex: '/reviews/([0-9]+)', substitution: '/item/$1' },
            trace: 'drop',
            headers: { set: { 'x-umbra-mirror': 'release-7' } },
          },
        ],
      },
    });
    config.versions.v3 = `http://127.0.0.1:${v3.port}`;
    const umbra = await started(t, config);
    const headers = { 'x-a': '1', traceparent, 'x-request-id': 'id-of-the-client' };
    t.equal((await ask(umbra.port, { target: '/reviews/17?full', headers })).status, 200);
    await lawHolds(t, umbra);
    const [[at1], [at2], [at3]] = [v1.received, v2.received, v3.received];
    const told = (name: string) => [at1, at2, at3].map((received) => fieldOf(received, name));
    t.strictSame(
      [at1.target, at2.target, at3.target],
      ['/reviews/17?full', '/next/17?full', '/item/17?full'],
    );
    t.strictSame(told('host'), ['reviews.example.com', 'reviews.example.com', 'reviews.example.com-shadow']);
    t.strictSame(told('x-a'), ['1', null, '1']);
    t.strictSame(told('x-umbra-mirror'), [null, '1', 'release-7']);
    const [trace1, trace2, trace3] = told('traceparent');
    t.equal(trace1, traceparent);
    t.match(trace2, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    t.not(trace2, traceparent);
    t.equal(trace3, null);
    const [id1, id2, id3] = told('x-request-id');
    t.equal(id1, headers['x-request-id']);
    t.match(id2, /^[0-9a-f-]{36}$/);
    t.equal(id3, null);
  },
);

t.test(
  'two umbras that mirror to each other copy each request once, and count what they did not copy',
  async (t) => {
    const [v1] = await versions(t, 1);
    const first = await started(t, reviews(v1.port, v1.port));
    const second = await started(t, reviews(v1.port, first.port));
    const config = reviews(v1.port, second.port);
    t.equal((await first.admin('PUT', '/api/config', config)).status, 200);
    await askMany(first.port, 20, 4, (index) => ({ target: `/${index}` }));
    const [atFirst, atSecond] = [
      mirrorTo(await lawHolds(t, first), 'v2'),
      mirrorTo(await lawHolds(t, second), 'v2'),
    ];
    t.strictSame([atFirst.eligible, atFirst.completed], [20, 20]);
    t.strictSame([atSecond.eligible, atSecond.completed, atSecond.dropped.loop], [20, 0, 20]);
    t.equal(v1.received.length, 40, 'the copies are served as any request is');
    t.match(await second.metrics(), /umbra_mirror_dropped_total\{[^}]*reason="loop"[^}]*\} 20/);
  },
);

t.test('routes are chosen by query, cookie and the absence of a header', async (t) => {
  const [v1, v2] = await versions(t, 2);
  const config = reviews(v1.port, v2.port, { route: { name: 'last', mirrors: [] } });
  const match = {
    query: { page: { regex: '[0-9]+' } },
    cookie: { beta: { exact: 'on' } },
    header: { 'x-bot': { present: false } },
  };
  config.routes.unshift({ name: 'first', match, primary: 'v2' });
  const umbra = await started(t, config);
  const cookie = 'a=1; beta=on';
  const asked: [Asked, Origin][] = [
    [{ target: '/?page=7', headers: { cookie } }, v2],
    [{ target: '/?page=7', headers: { cookie, 'x-bot': 'yes' } }, v1],
    [{ target: '/?page=x', headers: { cookie } }, v1],
    [{ target: '/?page=7', headers: { cookie: 'beta=off' } }, v1],
    [{ target: '/', headers: { cookie } }, v1],
  ];
  for (const [request, origin] of asked) {
    const before = origin.received.length;
    t.equal((await ask(umbra.port, request)).status, 200);
    t.equal(origin.received.length, before + 1, JSON.stringify(request));
  }
});

t.test(
  'two instances with one salt choose the same requests by header, and nested shares of two mirrors',
  async (t) => {
    const [v1, v2, v3] = await versions(t, 3);
    const config = (salt: string) => {
      const words = reviews(v1.port, v2.port, {
        umbra: { sampling: { salt } },
        route: {
          mirrors: [
            { to: 'v2', percent: 30, sample: 'header:x-user', inFlight: 4096 },
            { to: 'v3', percent: 10.5, sample: 'header:x-user', inFlight: 4096 },
          ],
        },
      });
      words.versions.v3 = `http://127.0.0.1:${v3.port}`;
      return words;
    };
    const users = Array.from({ length: 300 }, (_, index) => `user-${index}`);
    const chosen = async (salt: string): Promise<[string[], string[]]> => {
      const umbra = await started(t, config(salt));
      const from = [v2.received.length, v3.received.length];
      await askMany(umbra.port, users.length, 8, (index) => ({ headers: { 'x-user': users[index] } }));
      await lawHolds(t, umbra);
      const keys = (origin: Origin, start: number) =>
        origin.received
          .slice(start)
          .map((received) => fieldOf(received, 'x-user')!)
          .sort();
      return [keys(v2, from[0]), keys(v3, from[1])];
    };
    const [here, here10] = await chosen('blue');
    const [there, there10] = await chosen('blue');
    t.ok(here.length > 50 && here.length < 150, `${here.length} of 300 at 30 %`);
    t.strictSame(there, here);
    t.strictSame(there10, here10);
    t.ok(
      here10.length > 5 && here10.every((user) => here.includes(user)),
      'the smaller share of one mirror is in the larger one of the other',
    );
    const [elsewhere] = await chosen('green');
    t.notSame(elsewhere, here, 'another salt chooses others');
  },
);

t.test(
  'mirrors of one route know nothing of each other: one that hangs takes no copy from another',
  async (t) => {
    const [v1, v3] = await versions(t, 2);
    const hanging = await RawServer.listen(() => {});
    t.teardown(() => hanging.close());
    const config = reviews(v1.port, hanging.port, {
      route: {
        mirrors: [
          { to: 'v2', inFlight: 4, timeout: '1s' },
          { to: 'v3', inFlight: 4096, methods: ['GET'] },
        ],
      },
    });
    config.versions.v3 = `http://127.0.0.1:${v3.port}`;
    const umbra = await started(t, config);
    const bodies = (index: number): Asked =>
      index % 2 === 0 ? {} : { method: 'POST', body: Buffer.alloc(10_000, 'x') };
    await askMany(umbra.port, 200, 8, bodies);
    const stats = await lawHolds(t, umbra);
    const [at2, at3] = [mirrorTo(stats, 'v2'), mirrorTo(stats, 'v3')];
    t.strictSame([at2.eligible, at2.completed], [200, 0]);
    t.ok(at2.dropped['in-flight'] > 0 && at2.failed.timeout > 0);
    t.strictSame([at3.eligible, at3.completed, at3.dropped.method], [200, 100, 100]);
  },
);

t.test('copies go over few connections, which are used again and again', async (t) => {
  const [v1, v2] = await versions(t, 2);
  const umbra = await started(
    t,
    reviews(v1.port, v2.port, { mirror: { inFlight: 4096 }, v2: { connections: { max: 3 } } }),
  );
  await askMany(umbra.port, 400, 8, () => ({}));
  t.equal(mirrorTo(await lawHolds(t, umbra), 'v2').completed, 400);
  t.ok(v2.open >= 1 && v2.open <= 3, `${v2.open} connections for 400 copies`);
});
