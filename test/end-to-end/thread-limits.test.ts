// Runs over one engine: threads stop before an engine listens.
/**
 * Threads that do not start, do not take a plan, or load a configuration without end: each is terminated when
 * its time is over, and umbra serves. A hook hangs the thread, and makes main's timers of these limits short.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../core/limits.js';
import { ask } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const shortMs = 2000;

interface Rig {
  readonly umbra: UmbraProcess;
  /** `break` lets the next thread that comes to `hang` stop there. */
  break(): void;
}

/** `hangs` is code of a thread, which calls `hang` where the thread is to stop; `limitMs` is made short. */
async function rig(t: Test, limitMs: number, hangs: string): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-limits-'));
  const [script, flag] = [join(directory, 'hook.cjs'), join(directory, 'hang')];
  writeFileSync(
    script,
    `const { isMainThread, parentPort, workerData: start } = require('node:worker_threads');
const fs = require('node:fs');
if (isMainThread) {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (run, ms, ...more) => setTimeout(run, ms === ${limitMs} ? ${shortMs} : ms, ...more);
} else {
  const hang = () => {
    if (!fs.existsSync('${flag}')) return;
    fs.unlinkSync('${flag}');
    fs.writeSync(2, 'a thread hangs\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  ${hangs}
}
`,
  );
  const [v1, v2] = [await Origin.listen(), await Origin.listen()];
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { umbra: { threads: { proxy: 1, shadow: 1 } } }),
    ['--require', script],
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
    rmSync(directory, { recursive: true });
  });
  return { umbra, break: () => writeFileSync(flag, '') };
}

async function terminations(umbra: UmbraProcess, thread: string): Promise<number> {
  const line = new RegExp(`^umbra_thread_terminations_total\\{thread="${thread}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await umbra.metrics())?.[1]);
}

async function works(t: Test, umbra: UmbraProcess): Promise<void> {
  await until(
    async () => (await umbra.admin('GET', '/readyz').catch(() => null))?.status === 200,
    'it is ready',
  );
  t.equal((await ask(umbra.port)).status, 200);
  await lawHolds(t, umbra);
}

t.test('a thread that does not start is terminated, counted and replaced', async (t) => {
  const { umbra, ...hook } = await rig(
    t,
    limits.threadStartMs,
    `if (start?.kind === 'shadow' && start.incarnation === 1) hang();
     if (start?.kind === 'shadow' && start.incarnation === 0)
       parentPort.on('message', ({ type }) => { if (type === 'plan') throw new Error('told to'); });`,
  );
  hook.break();
  const changing = umbra.admin('PATCH', '/api/mirrors', { enabled: false });
  await umbra.logged(/told to/);
  t.equal((await ask(umbra.port)).status, 200, 'clients are served meanwhile');
  await umbra.logged(new RegExp(`did not start within ${limits.threadStartMs} ms`));
  t.equal((await changing).status, 200, 'the change is made when its successor is there');
  await until(async () => (await terminations(umbra, 'shadow-0')) === 1, 'it is counted');
  await works(t, umbra);
});

for (const kind of ['proxy', 'shadow']) {
  t.test(`a ${kind} thread that does not take a plan is terminated, and the change is made`, async (t) => {
    const { umbra, ...hook } = await rig(
      t,
      limits.threadAnswerMs,
      `if (start?.kind === '${kind}') parentPort.on('message', ({ type }) => { if (type === 'plan') hang(); });`,
    );
    hook.break();
    const change = { enabled: false };
    t.equal((await umbra.admin('PATCH', '/api/mirrors', change)).status, 200);
    await umbra.logged(new RegExp(`did not apply a plan within ${limits.threadAnswerMs} ms`));
    t.equal(await terminations(umbra, `${kind}-0`), 1);
    await until(async () => (await ask(umbra.port).catch(() => null))?.status === 200, 'it serves again');
    await works(t, umbra);
  });
}

t.test('a configuration that takes too long to load changes nothing, and the next one does', async (t) => {
  const { umbra, ...hook } = await rig(t, limits.loadMs, 'if (start?.origin !== undefined) hang();');
  hook.break();
  umbra.signal('SIGHUP');
  await umbra.logged(/a thread hangs/);
  const change = () => umbra.admin('PATCH', '/api/mirrors', { enabled: true });
  const changes = await Promise.all(Array.from({ length: limits.adminPendingChanges + 3 }, change));
  const refused = changes.filter(({ status }) => status === 503);
  t.equal(refused.length, 3, 'so many changes wait for it, and no more');
  t.equal(changes.filter(({ status }) => status === 200).length, limits.adminPendingChanges);
  t.match(await umbra.metrics(), /^umbra_admin_refused_total\{reason="changes"\} 3$/m);
  await umbra.logged(new RegExp(`the configuration was not loaded within ${limits.loadMs} ms`));
  umbra.signal('SIGHUP');
  await umbra.logged(/configuration reloaded \(SIGHUP\)/);
  await works(t, umbra);
});
