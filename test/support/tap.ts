/**
 * tap without its runner, which brings most of its packages: test/suite runs the files. In one file, which
 * `bundle-tap` makes.
 */
import { readFileSync } from 'node:fs';
import type * as Core from '@tapjs/core';

export type { Test } from '@tapjs/test';

const { tap } = (await import('./node_modules/@tapjs/core/index.mjs' as string)) as typeof Core;
const t = tap();
export default t;

const test = t.test.bind(t) as (...given: unknown[]) => Promise<unknown>;
// tap keeps the output of a buffered test in its options: tests that share one object report each other's.
t.test = ((...given: unknown[]) =>
  test(...given.map((one) => (isObject(one) ? { ...one } : one)))) as typeof t.test;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

if (process.env.UMBRA_SUITE === '1' && process.platform === 'linux') {
  // For the suite's report: CPU time of this process and of those that it started.
  process.on('exit', () => process.stdout.write(`\n# cpu ${cpuSeconds().toFixed(2)}\n`));
}

/** Fields 14 to 17 of proc(5), in ticks of 10 ms. */
function cpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}
