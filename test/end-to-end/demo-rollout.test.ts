// Runs over one engine: the demo chooses its engine itself.
/** The last chapter of the demo: v2 is released, or rolled back. */
import { once } from 'node:events';
import t, { type Test } from '../support/tap.js';
import { Output, spawnUmbra, until } from '../support/umbra.js';

// Its chapters take half a minute, and more on a busy machine.
t.setTimeout(110_000);

/** Runs the demo until its rollout ended, interrupts it, and resolves with what it printed. */
async function demoUntil(t: Test, last: RegExp, ...words: string[]): Promise<string> {
  const child = spawnUmbra('demo', '--rate', '20', '--port', '0', '--admin-port', '0', ...words);
  t.teardown(() => child.kill('SIGKILL'));
  const output = new Output(child);
  const ended = once(child, 'close');
  const hasEnded = () => child.exitCode !== null;
  // The first chapters alone take longer than `until` waits.
  for (const shown of [/every request goes to v1\n/, /the route gains a mirror/, /the same requests/])
    await until(() => shown.test(output.out) || hasEnded(), `the demo shows ${shown}`);
  await until(() => /step 1 of 4/.test(output.out) || hasEnded(), 'its rollout has begun');
  while (!last.test(output.out) && !hasEnded()) await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill('SIGINT');
  t.strictSame(await ended, [0, null], output.err);
  t.match(output.out, /clients made \d+ calls; 0 failed/);
  return output.out;
}

t.test('`umbra demo` continues from the mirror to a rollout that releases v2', async (t) => {
  const out = await demoUntil(t, /v2 answers every request now; v1 may be switched off/);
  t.match(out, /running, step 1 of 4: started(.*\n)+ {2}running, step 2 of 4: all checks passed/);
  t.match(out, /watching, step 4 of 4(.*\n)+ {2}released, step 4 of 4: watched against v1/);
});

t.test('`umbra demo --bad` rolls v2 back, and no client sees it fail', async (t) => {
  const out = await demoUntil(t, /v2 was rolled back: v1 answers every request/, '--bad');
  t.match(out, /rolled-back, step 1 of 4: errors: v2 failed \d+/);
});
