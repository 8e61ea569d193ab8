// Runs over one engine: threads fail before an engine listens.
/** Threads that fail while they start: a hook, loaded before umbra in each of them, makes them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { refusedPort } from '../support/raw-server.js';
import t from '../support/tap.js';
import { ConfigFile, reviews, runNodeToEnd, UmbraProcess, until } from '../support/umbra.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-hook-'));
t.teardown(() => rmSync(directory, { recursive: true }));

/** Words for node: `script` runs first in each thread of the kind; `start` is what main gave it. */
function inThreads(kind: string, script: string, which = `start?.kind === '${kind}'`): string[] {
  const path = join(directory, `${kind}-${Math.random()}.cjs`);
  writeFileSync(
    path,
    `const { isMainThread, workerData: start } = require('node:worker_threads');
if (!isMainThread && ${which}) { ${script} }
`,
  );
  return ['--require', path];
}

for (const kind of ['proxy', 'shadow']) {
  t.test(`a ${kind} thread that can't start ends umbra with its reason`, async (t) => {
    const file = new ConfigFile(reviews(1, 2));
    const words = inThreads(kind, "throw new Error('there is no room');");
    const { code, out, err } = await runNodeToEnd(words, 'run', '-c', file.path);
    t.equal(code, 1);
    t.equal(out, '', 'it never said that it was ready');
    t.match(err, new RegExp(`a ${kind} thread can't start: there is no room`));
    file.remove();
  });
}

t.test(
  'a thread that fails, and whose successors fail while they start, comes back all the same',
  async (t) => {
    const [v1, v2] = [await Origin.listen(), await Origin.listen()];
    const flag = join(directory, 'fail');
    const words = inThreads(
      'shadow',
      `if (start.incarnation === 0) {
       const fs = require('node:fs');
       setInterval(() => { if (fs.existsSync('${flag}')) throw new Error('told to'); }, 5).unref();
     } else if (start.incarnation < 3) throw new Error('not yet');`,
    );
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, { mirror: { inFlight: 4096 }, umbra: { threads: { proxy: 1, shadow: 1 } } }),
      words,
    );
    t.equal((await ask(umbra.port)).status, 200);
    t.equal(existsSync(flag), false);
    writeFileSync(flag, '');
    // The first replacement and the two that fail.
    await until(async () => {
      t.equal((await ask(umbra.port)).status, 200);
      return (await umbra.stats()).threads.restarts === 3;
    }, 'the thread was replaced three times');
    await umbra.logged(/told to[\s\S]*not yet[\s\S]*not yet/);
    const before = mirrorTo(await lawHolds(t, umbra), 'v2').completed;
    await until(async () => {
      t.equal((await ask(umbra.port)).status, 200);
      return mirrorTo(await umbra.stats(), 'v2').completed > before;
    }, 'copies arrive again');
    await lawHolds(t, umbra);
    t.strictSame(await umbra.stop(), { code: 0, signal: null });
    await Promise.all([v1.close(), v2.close()]);
  },
);

t.test('a control thread that ends while it starts is replaced by one, not by two', async (t) => {
  const v1 = await Origin.listen();
  const [flag, starts] = [join(directory, 'fail-control'), join(directory, 'control-starts')];
  // Of the threads that main starts, the control thread alone is given marks.
  const words = inThreads(
    'control',
    `const fs = require('node:fs');
     fs.appendFileSync('${starts}', '.');
     const started = fs.readFileSync('${starts}', 'utf8').length;
     if (started === 1) setInterval(() => { if (fs.existsSync('${flag}')) throw new Error('told to'); }, 5).unref();
     else if (started === 2) process.exit(1);`,
    'start?.marks !== undefined',
  );
  const admin = { admin: { address: `127.0.0.1:${await refusedPort()}` } };
  const umbra = await UmbraProcess.start(reviews(v1.port, null, { umbra: admin }), words);
  writeFileSync(flag, '');
  await umbra.logged(/told to/);
  await until(
    () => existsSync(starts) && readFileSync(starts, 'utf8').length >= 3,
    'it was started a third time',
  );
  await until(
    async () => (await umbra.admin('GET', '/readyz').catch(() => null))?.status === 200,
    'the admin API answers again',
  );
  t.equal((await ask(umbra.port)).status, 200);
  t.strictSame(await umbra.stop(), { code: 0, signal: null });
  t.equal(readFileSync(starts, 'utf8'), '...');
  await v1.close();
});
