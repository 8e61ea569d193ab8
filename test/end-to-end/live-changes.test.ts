// Runs over one engine: live changes become a plan, which knows no engine; takeovers on both engines are in
// takeover.test.ts.
/**
 * Live changes last over a reload, a restart, a kill, a takeover and a replaced thread. No client notices.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { skipTakeover } from '../support/engines.js';
import { runHere } from '../support/here.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { keyedClients } from '../support/rollout.js';
import t, { type Test } from '../support/tap.js';
import { type ConfigWords, engine, reviews, runToEnd, UmbraProcess } from '../support/umbra.js';

async function origins(t: Test): Promise<Origin[]> {
  const all = await Promise.all(
    ['v1', 'v2', 'v3'].map((name) => Origin.listen((_received, response) => response.end(name))),
  );
  t.teardown(() => Promise.all(all.map((origin) => origin.close())));
  return all;
}

/** Two routes, of which only the first has a mirror in the file. */
function configOf([v1, v2, v3]: readonly Origin[], state: string | null, changes: object = {}): ConfigWords {
  return reviews(v1.port, v2.port, {
    route: { match: { path: { prefix: '/reviews' } }, split: 'cookie:id' },
    mirror: { percent: 50 },
    umbra: {
      versions: {
        v1: `http://127.0.0.1:${v1.port}`,
        v2: `http://127.0.0.1:${v2.port}`,
        v3: `http://127.0.0.1:${v3.port}`,
      },
      ...(state === null ? {} : { state }),
      drain: '5s',
      ...changes,
    },
  });
}

/** Every live change that there is. */
async function changeAll(t: Test, umbra: UmbraProcess): Promise<void> {
  const changes: [string, object][] = [
    ['/api/mirrors', { enabled: false }],
    ['/api/routes/reviews', { primary: { v1: 95, v2: 5 } }],
    ['/api/routes/reviews/mirrors/v2', { percent: 25 }],
    ['/api/routes/reviews/mirrors/v3', { percent: 10, enabled: true }],
  ];
  for (const [path, body] of changes)
    t.equal((await umbra.admin('PATCH', path, body)).status, 200, `${path} ${JSON.stringify(body)}`);
}

async function live(umbra: UmbraProcess): Promise<Record<string, unknown>[]> {
  const { json } = await umbra.admin('GET', '/api/status');
  return (json as { live: Record<string, unknown>[] }).live;
}

interface Effective {
  readonly routes: readonly {
    readonly primary: unknown;
    readonly mirrors: readonly { readonly to: string; readonly enabled: boolean; readonly percent: number }[];
  }[];
}

/** What the changes come to, in the words of the configuration. */
async function inForce(umbra: UmbraProcess): Promise<unknown> {
  const { json } = await umbra.admin('GET', '/api/config');
  const [{ primary, mirrors }] = (json as Effective).routes;
  return { primary, mirrors: mirrors.map(({ to, enabled, percent }) => `${to} ${enabled} ${percent}`) };
}

const changed = { primary: { v1: 95, v2: 5 }, mirrors: ['v2 false 25', 'v3 true 10'] };

t.test('live changes outlast a reload, a new configuration and a replaced control thread', async (t) => {
  const all = await origins(t);
  const config = configOf(all, null);
  const umbra = await UmbraProcess.startBreakable(config);
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  await changeAll(t, umbra);
  t.strictSame(await inForce(umbra), changed);
  const before = await live(umbra);
  t.equal(before.length, 4);

  umbra.signal('SIGHUP');
  await umbra.logged(/configuration reloaded \(SIGHUP\)/);
  t.strictSame(await inForce(umbra), changed);
  t.strictSame(await live(umbra), before);

  t.match(await umbra.admin('PUT', '/api/config', config), { status: 200, json: { ended: [] } });
  t.strictSame(await live(umbra), before);

  await umbra.makeThrow('control');
  t.strictSame(await live(umbra), before);
  t.ok(users.asked > 0);
  await users.end();
  t.strictSame(users.failures, [], 'no client notices');
  for (const thread of ['proxy-0', 'shadow-0']) await umbra.makeThrow(thread);
  t.strictSame(await inForce(umbra), changed);

  const other = { ...config, routes: [{ ...config.routes[0], primary: { v1: 1, v2: 1 } }] };
  t.match(await umbra.admin('PUT', '/api/config', other), {
    json: { ended: ['weights of reviews v1=95 v2=5 ended: the configuration says v1=1 v2=1 now'] },
  });
  t.strictSame(await inForce(umbra), { ...changed, primary: { v1: 1, v2: 1 } });
  await umbra.logged(/live change of weights of reviews v1=95 v2=5 ended/);

  t.equal((await umbra.admin('PATCH', '/api/mirrors', { reset: true })).status, 200);
  t.strictSame(await live(umbra), []);
  t.strictSame(await inForce(umbra), { primary: { v1: 1, v2: 1 }, mirrors: ['v2 true 50'] });
});

t.test(
  'live changes outlast a stop and a kill, and what the file changes meanwhile ends by name',
  async (t) => {
    const all = await origins(t);
    const state = join(t.testdir(), 'state');
    const config = configOf(all, state);
    let umbra = await UmbraProcess.start(config);
    await changeAll(t, umbra);
    const before = await live(umbra);
    t.match(await umbra.admin('GET', '/api/status'), { json: { state: { keptIn: state, problem: null } } });
    t.match(JSON.parse(readFileSync(join(state, 'live.json'), 'utf8')), {
      version: 1,
      allMirrors: { enabled: false, by: 'api' },
      weights: [
        {
          route: 'reviews',
          weights: [
            ['v1', 95],
            ['v2', 5],
          ],
          file: [['v1', 1]],
        },
      ],
    });
    umbra.signal('SIGKILL');
    await umbra.ended;
    umbra = await UmbraProcess.start(config);
    await umbra.logged(/live changes in force: 4/);
    t.strictSame(await live(umbra), before, 'after kill -9');
    t.strictSame(await inForce(umbra), changed);
    await umbra.stop();

    umbra = await UmbraProcess.start(configOf(all, state, { routes: [{ name: 'other', primary: 'v1' }] }));
    for (const words of ['mirror reviews to v2', 'added mirror reviews to v3', 'weights of reviews'])
      await umbra.logged(new RegExp(`live change of ${words}.* ended: there is no route reviews any more`));
    t.match(await live(umbra), [{ what: 'allMirrors', enabled: false }], 'only the stop of all is left');
    await umbra.stop();
    umbra = await UmbraProcess.start(config);
    t.equal((await live(umbra)).length, 1, 'they ended for good');
    await umbra.stop();
  },
);

t.test('live changes outlast a takeover, and no client notices', { skip: skipTakeover }, async (t) => {
  const all = await origins(t);
  const state = join(t.testdir(), 'state');
  const config = configOf(all, state);
  const old = await UmbraProcess.start(config);
  await changeAll(t, old);
  const users = keyedClients(() => old.port);
  const next = await UmbraProcess.startInPlaceOf(String(old.pid), {
    ...config,
    listen: [{ address: `127.0.0.1:${old.port}`, engine }],
    admin: { address: new URL(old.adminUrl).host },
  });
  t.teardown(() => next.stop());
  t.strictSame(await old.ended, { code: 0, signal: null });
  t.strictSame(await inForce(next), changed);
  t.equal((await live(next)).length, 4);
  t.match(await next.admin('PATCH', '/api/mirrors', { reset: true }), { json: { kept: true } });
  await users.end();
  t.strictSame(users.failures, []);
  await lawHolds(t, next);
});

t.test('a file that can not be used is set aside, and umbra starts', async (t) => {
  const all = await origins(t);
  const state = t.testdir({ 'live.json': '{"version":1,"mir' });
  const umbra = await UmbraProcess.start(configOf(all, state));
  t.teardown(() => umbra.stop());
  await umbra.logged(/live\.json is not JSON/);
  t.equal((await ask(umbra.port, { target: '/reviews' })).status, 200);
  const aside = readdirSync(state).filter((file) => file.startsWith('live.json.unusable-'));
  t.equal(aside.length, 1);
  t.equal(readFileSync(join(state, aside[0]), 'utf8'), '{"version":1,"mir');
});

t.test(
  'a directory that can not be used is named, and a change is made although it can not be kept',
  async (t) => {
    const all = await origins(t);
    const directory = t.testdir({ file: '' });
    const path = join(directory, 'umbra.yaml');
    writeFileSync(path, JSON.stringify(configOf(all, join(directory, 'file', 'state'))));
    const none = await runToEnd('run', '-c', path);
    t.equal(none.code, 2);
    t.match(none.err, /file\/state\/documents\.jsonl.*can't be read: ENOTDIR/);

    const state = join(directory, 'state');
    const umbra = await UmbraProcess.start(configOf(all, state));
    t.teardown(() => umbra.stop());
    // A directory in the place of the file that is written first.
    mkdirSync(join(state, 'live.json.new'));
    t.match(await umbra.admin('PATCH', '/api/mirrors', { enabled: false }), {
      status: 200,
      json: {
        kept: false,
        warnings: [/the change is in force, but not kept: .*live\.json can't be written: EISDIR/],
      },
    });
    t.match(await live(umbra), [{ what: 'allMirrors', enabled: false }]);
    t.match(await umbra.admin('GET', '/api/status'), { json: { state: { problem: /EISDIR/ } } });
    t.notOk(existsSync(join(state, 'live.json')));
  },
);

t.test('the state directory of a systemd unit is used, and only one umbra has it', async (t) => {
  const all = await origins(t);
  const directory = stateDirectoryOf(t);
  const umbra = await UmbraProcess.start(configOf(all, null));
  t.teardown(() => umbra.stop());
  t.match(await umbra.admin('PATCH', '/api/mirrors', { enabled: false }), { json: { kept: true } });
  t.ok(existsSync(join(directory, 'umbra', 'live.json')));
  await t.rejects(UmbraProcess.start(configOf(all, null)), new RegExp(`in use by process ${umbra.pid}`));
});

/** Sets what systemd sets for a unit with two state directories below the one that is returned. */
function stateDirectoryOf(t: Test): string {
  const directory = t.testdir();
  process.env.STATE_DIRECTORY = `${join(directory, 'umbra')}:${join(directory, 'other')}`;
  t.teardown(() => {
    delete process.env.STATE_DIRECTORY;
  });
  return directory;
}

t.test('commands change weights and mirrors, list what differs, and end it', async (t) => {
  const all = await origins(t);
  const directory = stateDirectoryOf(t);
  // The configuration goes before the unit.
  const umbra = await UmbraProcess.start(configOf(all, join(directory, 'named')));
  t.teardown(() => umbra.stop());
  const run = (...words: string[]) => runHere(...words, '--admin', umbra.adminUrl);
  t.match(await run('weights', 'reviews', 'v1=99%', 'v2=1%'), {
    code: 0,
    out: 'weights of reviews set to v1=99% v2=1%, generation 2\n',
  });
  t.match(await run('mirror', 'reviews', 'v3', '--percent', '10'), { code: 0, err: '' });
  t.match(await run('weights', 'reviews', 'v22=1'), {
    code: 1,
    err: /unknown version v22 \(did you mean `v2`\?\)/,
  });
  t.match(await run('weights', 'review', 'v2=1'), {
    code: 1,
    err: /unknown route review \(did you mean `reviews`\?\)/,
  });
  t.match(await run('weights', 'reviews', 'v2'), { code: 2, err: /v2: expected VERSION=WEIGHT/ });
  t.match(await run('weights', 'reviews', 'v1=50%', 'v2=40%'), { code: 1, err: /add up to 90%, not 100%/ });
  const { out } = await run('status');
  t.match(out, /^umbra \d.*, process \d+, serving for /);
  t.match(out, /live changes: 2, kept in .*named/);
  t.match(out, /weights of reviews: v1=99 v2=1, in the configuration v1=1 \(command, 20/);
  t.match(out, /mirror reviews to v3: 10 %, not in the configuration \(command, 20/);
  t.match(JSON.parse((await run('status', '--output', 'json')).out), {
    pid: umbra.pid,
    live: [{ what: 'mirror' }, { what: 'weights' }],
  });
  t.match(await run('weights', '--reset'), { code: 0, out: /all weights as in the configuration/ });
  t.match(await run('mirror', '--reset'), { code: 0, out: /all mirrors as in the configuration/ });
  t.match((await run('status')).out, /live changes: none/);
});
