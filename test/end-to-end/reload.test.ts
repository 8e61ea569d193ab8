// Runs over one engine: a configuration becomes a plan, which knows no engine.

import { runHere } from '../support/here.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Load } from '../support/load.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

const connections = 64;
/** Requests that are answered between two changes. */
const between = 300;
/** Requests that began after the reload: each connection has at most one that began before it. */
const atLeast = between - connections;

const v1 = await Origin.listen();
const v2 = await Origin.listen();
const umbra = await UmbraProcess.start(reviews(v1.port, null, { umbra: { threads: twoProxies } }));
const load = new Load(umbra.port, connections);
await load.more(between);

t.teardown(async () => {
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

const mirror = { inFlight: 4096 };
const withMirror = reviews(v1.port, v2.port, { mirror, umbra: { threads: twoProxies } });

async function eligible(): Promise<number> {
  return mirrorTo(await umbra.stats(), 'v2').eligible;
}

async function generation(): Promise<number> {
  return (await umbra.stats()).generation;
}

/** Asserts that mirroring is in full swing, or that not one request is chosen any more. */
async function copies(t: import('../support/tap.js').Test, expected: 'all' | 'none'): Promise<void> {
  const before = await eligible();
  await load.more(between);
  if (expected === 'all') t.ok((await eligible()) >= before + atLeast, 'every request is copied');
  else t.equal(await eligible(), before, 'no request is copied');
}

t.test('a file that is renamed over the old one turns the mirror on', async (t) => {
  umbra.file.write(withMirror);
  await until(async () => (await generation()) === 2, 'the file is taken');
  await copies(t, 'all');
});

t.test('SIGHUP reads the file again', async (t) => {
  umbra.signal('SIGHUP');
  await until(async () => (await generation()) === 3, 'the file is taken');
  await copies(t, 'all');
});

t.test('a bad file leaves the running plan in force and says why on stderr, with the place', async (t) => {
  umbra.file.write('versions:\n  v1: "http://127.0.0.1:1"\nroutes:\n  - primary: v9\n');
  await umbra.logged(/umbra\.yaml:4:14: .*v9/);
  t.match(umbra.err, /the running one stays in force/);
  t.equal(await generation(), 3);
  await copies(t, 'all');
  umbra.file.write(withMirror);
  await until(async () => (await generation()) === 4, 'the good file is taken');
});

t.test(
  'a change of the percentage through the admin API answers when every thread has taken it',
  async (t) => {
    const answer = await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent: 0 });
    t.strictSame([answer.status, answer.json], [200, { generation: 5, kept: false, warnings: [] }]);
    await copies(t, 'none');
    t.equal((await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent: 100 })).status, 200);
    await copies(t, 'all');
    t.equal((await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v3', { percent: 100 })).status, 404);
  },
);

t.test('`umbra mirror` turns one mirror off and on, and sets its percentage', async (t) => {
  const change = (...words: string[]) =>
    runHere('mirror', 'reviews', 'v2', ...words, '--admin', umbra.adminUrl);
  t.equal((await change('--off')).code, 0);
  t.equal(mirrorTo(await umbra.stats(), 'v2').enabled, false);
  await copies(t, 'none');
  t.equal((await change('--on')).code, 0);
  await copies(t, 'all');
  const result = await change('--percent', '12.5');
  t.equal(result.code, 0, result.err);
  t.equal(mirrorTo(await umbra.stats(), 'v2').percent, 12.5);
  t.equal((await runHere('mirror', 'reviews', 'v9', '--off', '--admin', umbra.adminUrl)).code, 1);
});

t.test('`umbra mirror --off` is the kill switch for all mirrors, and lasts', async (t) => {
  t.equal((await runHere('mirror', '--off', '--admin', umbra.adminUrl)).code, 0);
  await copies(t, 'none');
});

t.test(
  'a whole configuration is taken through the admin API, or refused with the errors of `umbra check`',
  async (t) => {
    const before = await generation();
    const refused = await umbra.admin('PUT', '/api/config', '{"versions": {}, "rotes": []}');
    t.equal(refused.status, 422);
    t.match(JSON.stringify(refused.json), /request:1:\d+: .*rotes/);
    t.equal(await generation(), before);
    const taken = await umbra.admin('PUT', '/api/config', withMirror);
    t.strictSame([taken.status, taken.json], [200, { generation: before + 1, ended: [] }]);
    await copies(t, 'none');
    t.equal((await runHere('mirror', '--reset', '--admin', umbra.adminUrl)).code, 0);
    await copies(t, 'all');
  },
);

t.test('a change of listeners or threads is refused with a warning, and the rest is taken', async (t) => {
  const next = { ...withMirror, listen: '127.0.0.1:1', threads: { proxy: 3, shadow: 1 } };
  t.equal((await umbra.admin('PUT', '/api/config', next)).status, 200);
  await umbra.logged(/changing listen, threads requires a restart/);
  t.strictSame((await umbra.stats()).threads, { proxy: 2, shadow: 1, restarts: 0 });
  await copies(t, 'all');
});

t.test(
  'versions and mirrors that leave keep their counts, and have them again when they come back',
  async (t) => {
    t.equal(
      (await umbra.admin('PUT', '/api/config', reviews(v1.port, null, { umbra: { threads: twoProxies } })))
        .status,
      200,
    );
    const gone = await lawHoldsSoon(t);
    t.ok(gone.eligible > between);
    t.equal((await umbra.admin('PUT', '/api/config', withMirror)).status, 200);
    await load.more(between);
    t.ok((await eligible()) >= gone.eligible + atLeast, 'it counts on from there');
  },
);

/** The mirror's counts when nothing of it is under way, with the load continuing at v1. */
async function lawHoldsSoon(t: import('../support/tap.js').Test) {
  const settled = await until(async () => {
    const mirror = mirrorTo(await umbra.stats(), 'v2');
    return mirror.inFlight === 0 && mirror.eligible === mirror.completed && mirror;
  }, 'all copies are completed');
  t.equal(settled.eligible, settled.sent);
  return settled;
}

t.test('not one request failed in all this, and the law holds', async (t) => {
  await load.stop();
  t.strictSame(load.failures, []);
  const stats = await lawHolds(t, umbra);
  t.equal(stats.versions.v1.primary!.requests, load.answered);
  t.equal(v1.received.length, load.answered, 'v1 saw each request once');
  t.equal(v2.received.length, mirrorTo(stats, 'v2').completed);
});
