// Runs over one engine: commands have no engine.
/** `umbra rollout` against a whole umbra. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runHere } from '../support/here.js';
import {
  keyedClients,
  rolloutConfig,
  rolloutSettings,
  twoVersions,
  versionAnswer,
} from '../support/rollout.js';
import t from '../support/tap.js';
import { runToEnd, UmbraProcess } from '../support/umbra.js';

// A rollout needs requests, and a busy machine answers fewer of them.
t.setTimeout(110_000);

t.test('rollout start --wait ends with 0 where the version is released, and prints each step', async (t) => {
  const umbra = await UmbraProcess.start(rolloutConfig(await twoVersions(t)));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  const file = join(t.testdir(), 'rollout.yaml');
  const { steps, watch, ...rest } = rolloutSettings;
  writeFileSync(file, JSON.stringify({ ...rest, steps: '1%,100%' }));
  const place = ['--admin', umbra.adminUrl];
  const words = [
    'rollout',
    'start',
    'reviews',
    'v2',
    '-f',
    file,
    '--steps',
    steps,
    '--watch',
    watch,
    '--wait',
  ];
  const ended = await runToEnd(...words, ...place, '--output', 'json');
  await users.end();
  t.equal(ended.code, 0, ended.err);
  const lines = ended.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { state: string; to: string });
  t.strictSame(
    lines.map(({ state, to }) => `${state} ${to}`),
    ['running v2', 'running v2', 'running v2', 'watching v2', 'released v2'],
  );
  const status = await runHere('rollout', 'status', ...place);
  t.match(status, { code: 0, out: /reviews: v1 -> v2, released\n.*mirror 100 % done, 25 % done/ });
  const history = await runHere('rollout', 'history', 'reviews', ...place);
  t.match(history.out, /running +step 1 {2}user: started\n.*running +step 2 {2}verdict: all checks passed/);
});

t.test('rollout start --wait ends with 1 where the version is rolled back, and says why', async (t) => {
  const umbra = await UmbraProcess.start(rolloutConfig(await twoVersions(t, versionAnswer('v2', 5))));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  const words = [
    'rollout',
    'start',
    'reviews',
    'v2',
    '--steps',
    'mirror:1s-60s,100%',
    '--requests',
    '50',
    '--wait',
  ];
  const ended = await runToEnd(...words, '--admin', umbra.adminUrl);
  await users.end();
  t.equal(ended.code, 1, ended.err);
  t.match(ended.out, /rolled-back, step 1 of 2: errors: v2 failed \d+ .*\n$/);
  t.strictSame(users.failures, []);
});

t.test(
  'rollout start --wait ends with 3 where a step is held, and a request that is refused or gets no answer with 1 or 4',
  async (t) => {
    const umbra = await UmbraProcess.start(rolloutConfig(await twoVersions(t)));
    const place = ['--admin', umbra.adminUrl];
    const held = await runToEnd(
      'rollout',
      'start',
      'reviews',
      'v2',
      '--steps',
      '5%:1ms-300ms,100%',
      '--wait',
      ...place,
    );
    t.match(held, {
      code: 3,
      out: /held, step 1 of 2: not decided in .*: v2 got none of the 500 requests that the step needs; with `split`, requests without its key/,
    });
    t.match(await runHere('rollout', 'start', 'reviews', 'v2', ...place), {
      code: 1,
      err: /has a rollout to v2, which is held/,
    });
    t.match(await runHere('rollout', 'abort', 'reviews', '--reason', 'enough', ...place), {
      code: 0,
      out: /rolled-back\n.*\n {2}because {4}aborted by a command: enough/,
    });
    t.match(await runHere('rollout', 'start', 'reviews', 'v2', '--steps', '5%', ...place), {
      code: 1,
      err: /refused \(422\).*\n.*steps: must end with 100%/,
    });
    t.match(await runHere('rollout', 'pause', 'other', ...place), {
      code: 1,
      err: /route other has no rollout/,
    });
    await umbra.stop();
    t.match(await runHere('rollout', 'status', ...place), { code: 4 });
  },
);
