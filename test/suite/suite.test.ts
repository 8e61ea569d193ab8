import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engines } from '../support/engines.js';
import t, { type Test } from '../support/tap.js';
import { runAll } from './run.js';
import { allTests, enginesOf, piecesOf } from './work.js';

const tap = JSON.stringify(import.meta.resolve('../support/tap.js'));

/** Programs of these texts as pieces, run; their output, and the names of those that failed to the last. */
async function run(
  t: Test,
  texts: Record<string, string>,
  again = false,
): Promise<{ told: string; failed: string[] }> {
  const directory = t.testdir();
  const pieces = Object.entries(texts).map(([name, text]) => {
    const file = join(directory, `${name}.mjs`);
    writeFileSync(file, text);
    return { file, name, engine: null, isApart: false };
  });
  let told = '';
  const failed = await runAll(pieces, {
    jobs: 2,
    again,
    tell: (text) => {
      told += text;
    },
  });
  return { told, failed: failed.map(({ piece }) => piece.name) };
}

t.test(
  'an end-to-end test says in its first line over which engines it runs, and runs over these',
  async (t) => {
    const names = piecesOf(allTests()).map(({ name }) => name);
    for (const name of names.filter((name) => name.startsWith('end-to-end/') && !name.includes(','))) {
      const said = enginesOf(name);
      t.ok(
        said,
        `${name}.test.ts begins with "// Runs over both engines." or "// Runs over one engine: why."`,
      );
      t.equal(names.includes(`${name}, uws engine`), said === 'both' && engines.length === 2, name);
    }
    t.ok(names.includes('end-to-end/identity'));
    t.ok(names.includes('suite/suite'));
    t.equal(new Set(names).size, names.length);
  },
);

t.test('a file fails by an assertion, an exception, an exit code, and by testing nothing', async (t) => {
  const { told, failed } = await run(t, {
    good: `import t from ${tap}; t.equal(1, 1); t.test('later', { skip: 'no chromium' }, () => {});`,
    wrong: `import t from ${tap}; t.test('deep', async (t) => t.equal(1, 2));`,
    thrown: `throw new Error('not even begun');`,
    ended: `console.log('TAP version 14\\nok 1\\n1..1'); process.exitCode = 3;`,
    empty: '',
  });
  t.strictSame(failed.sort(), ['empty', 'ended', 'thrown', 'wrong']);
  t.match(told, /^ok +[\d.]+ s +[\d.]+ s CPU {2}good$/m);
  t.match(told, /^FAILED +[\d.]+ s +[\d.]+ s CPU {2}wrong$/m);
  t.match(told, /not even begun/);
  t.match(told, /^skipped: no chromium$/m);
  t.match(told, /^5 files, 1 assertions, 4 failed, /m);
});

t.test('one that failed gets a second chance where that is asked for, and no third', async (t) => {
  const mark = join(t.testdir(), 'tried');
  const second = `
    import { existsSync, writeFileSync } from 'node:fs';
    import t from ${tap};
    t.ok(existsSync(${JSON.stringify(mark)}));
    writeFileSync(${JSON.stringify(mark)}, '');`;
  const { told, failed } = await run(t, { second, never: `import t from ${tap}; t.fail();` }, true);
  t.strictSame(failed, ['never']);
  t.match(told, /run once more by itself: .*second/);
  t.ok(existsSync(mark));
});

t.test('a file that is not there is bad usage', async (t) => {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [main, 'dist/none.test.js'], { encoding: 'utf8' });
  t.equal(status, 2);
  t.match(stderr, /no such file: dist\/none\.test\.js\nusage: npm test/);
});
