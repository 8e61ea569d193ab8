import { readFileSync } from 'node:fs';
import t from '../support/tap.js';
import { projectFiles, proseFaults, root } from './prose.js';

t.test('comments, messages and pages keep to the rules of style', async (t) => {
  for (const path of projectFiles()) {
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
