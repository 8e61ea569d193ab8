/**
 * `npm test [-- FILE… --jobs N --again]`: the whole suite, or these compiled files of it. Exit 0: everything
 * passed.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { toolOptions } from '../support/tool-options.js';
import { runAll } from './run.js';
import { allTests, piecesOf } from './work.js';

/** Tests wait as much as they compute: for sockets, for starts, for intervals. */
const jobsPerCore = 3;
const jobsMax = 8;

const usage = 'usage: npm test -- [dist/test/….test.js …] [--jobs N] [--again]\n';
const { values, positionals } = toolOptions(
  'npm test --',
  { jobs: { type: 'string' }, again: { type: 'boolean', default: false } },
  { allowPositionals: true, usage },
);
const jobs =
  values.jobs === undefined ? Math.min(availableParallelism() * jobsPerCore, jobsMax) : Number(values.jobs);
const missing = positionals.filter((file) => !existsSync(file));
if (!(Number.isInteger(jobs) && jobs > 0) || missing.length > 0) {
  for (const file of missing) process.stderr.write(`no such file: ${file}\n`);
  process.stderr.write(usage);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const files = positionals.length === 0 ? allTests() : positionals.map((file) => resolve(file));
const tell = (text: string): void => {
  process.stdout.write(text);
};
const failed = await runAll(piecesOf(files), { jobs, again: values.again, tell });
process.exitCode = failed.length === 0 ? 0 : 1;
