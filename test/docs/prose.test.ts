import { readFileSync } from 'node:fs';
import t from 'tap';
import { projectFiles, proseFaults, root } from './prose.js';

/** Rooms whose prose is still to be revised. The list only shrinks. */
const unrevised: readonly string[] = [
  'core/',
  'docs/comparing.md',
  'docs/errors.md',
  'docs/life-of-a-request.md',
  'test/config/',
  'test/core/',
  'test/workers/commands/',
  'test/workers/downstream/',
  'test/workers/load/',
  'workers/bundle.ts',
  'workers/dashboard/',
  'workers/demo/',
  'workers/downstream/',
  'workers/load/',
  'workers/replay/',
];

/** Rooms within those that are revised already. */
const revised: readonly string[] = [
  'core/compare/',
  'core/http/',
  'core/recording/',
  'core/redact',
  'core/trim.ts',
  'test/core/compare/',
  'test/core/http/',
  'test/core/recording/',
  'test/workers/downstream/',
  'workers/downstream/',
  'core/mirror/',
  'core/ring/',
  'core/sink/',
  'core/stream/',
  'test/core/mirror/',
  'test/core/ring/',
  'test/core/stream/',
];

const startsWith = (path: string, rooms: readonly string[]): boolean =>
  rooms.some((room) => path.startsWith(room));
const isUnrevised = (path: string): boolean => startsWith(path, unrevised) && !startsWith(path, revised);

t.test('comments, messages and pages keep to the rules of style', async (t) => {
  for (const path of projectFiles()) {
    if (isUnrevised(path)) continue;
    t.strictSame(proseFaults(path, readFileSync(`${root}${path}`, 'utf8')), [], path);
  }
});

t.test('every kind of fault is found where it stands, and plain prose passes', async (t) => {
  const faultsOf = (text: string, path = 'core/a.ts'): string[] =>
    proseFaults(path, text).map(({ line, message }) => `${line} ${message.slice(0, 24)}`);
  t.strictSame(faultsOf('/** Of a request that was not. */'), ['1 "Of a request that was n']);
  t.strictSame(faultsOf("\n// The pool is told.\nlog('the pool is told so')"), [
    '2 "told": write report, sa',
    '3 "told": write report, sa',
  ]);
  t.strictSame(faultsOf(`// ${'x'.repeat(120)}`), ['1 123 columns: at most 110']);
  t.strictSame(faultsOf(`/** ${'word '.repeat(50)}. */`).length, 2);
  t.strictSame(faultsOf('A page.\n\n- It tells.\n', 'docs/a.md'), ['3 "tells": write report, s']);
  t.strictSame(faultsOf('```\nit tells\n```\n', 'docs/a.md'), []);
  t.strictSame(faultsOf('/** `forward` sends the request.\n *\n *   a drawing that tells\n */'), []);
});
