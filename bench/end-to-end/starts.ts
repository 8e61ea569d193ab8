/**
 * `node dist/bench/end-to-end/starts.js [--rounds 9]`: how long umbra takes until it serves, what CPU time
 * that costs, what memory it has then, and how long it takes from SIGTERM to its end; as it is bundled, as
 * the modules that the bundle is made of, and as a process of Node whose threads do nothing. In turn,
 * medians. The CPU time and the memory are read on Linux. Variables that make Node itself slower are left
 * out: `NODE_EXTRA_CA_CERTS` alone can double the time of an empty process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolOptions } from '../../test/support/tool-options.js';
import { median } from './numbers.js';
import { cpuOf, memoryOf } from './proc.js';
import { mebibytes, tableText } from './table.js';

interface Start {
  readonly readyMs: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly stopMs: number;
}

const { values } = toolOptions('node dist/bench/end-to-end/starts.js', {
  rounds: { type: 'string', default: '9' },
});
const programs = {
  bundle: new URL('../../../bin/umbra.js', import.meta.url),
  modules: new URL('../../workers/main/umbra.js', import.meta.url),
  'bare threads': new URL('bare-threads.js', import.meta.url),
};
const directory = mkdtempSync(join(tmpdir(), 'umbra-starts-'));
const file = join(directory, 'umbra.yaml');
writeFileSync(
  file,
  JSON.stringify({
    listen: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    threads: { proxy: 2, shadow: 1 },
    versions: { v1: 'http://127.0.0.1:1', v2: 'http://127.0.0.1:2' },
    routes: [{ primary: 'v1', mirrors: [{ to: 'v2' }] }],
  }),
);

const { NODE_EXTRA_CA_CERTS: _certificates, NODE_OPTIONS: _options, ...env } = process.env;

async function start(program: string): Promise<Start> {
  const startedAt = performance.now();
  const started = spawn(process.execPath, [program, 'run', '-c', file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(started, 'exit');
  // The line in which it says that it serves is the only one.
  await Promise.race([once(started.stdout, 'data'), ended]);
  const readyMs = performance.now() - startedAt;
  if (started.exitCode !== null) throw new Error(`${program} ended with ${started.exitCode}`);
  const isLinux = process.platform === 'linux';
  const cpuMs = isLinux ? cpuOf([started.pid!]).cpuUs / 1000 : Number.NaN;
  const residentBytes = isLinux ? memoryOf([started.pid!]).residentBytes : Number.NaN;
  const stoppedAt = performance.now();
  started.kill('SIGTERM');
  await ended;
  return { readyMs, cpuMs, residentBytes, stopMs: performance.now() - stoppedAt };
}

async function versionMs(program: string): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, [program, '--version'], { env, stdio: 'ignore' }), 'exit');
  return performance.now() - startedAt;
}

const sides = Object.entries(programs).map(([name, url]) => ({
  name,
  program: fileURLToPath(url),
  starts: [] as Start[],
}));
const versions: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const { program, starts } of sides) starts.push(await start(program));
  versions.push(await versionMs(fileURLToPath(programs.bundle)));
}
rmSync(directory, { recursive: true });
const medianMs = (all: readonly number[]): string => `${median(all).toFixed(0)} ms`;
const rows = sides.map(({ name, starts }) => [
  name,
  medianMs(starts.map((one) => one.readyMs)),
  medianMs(starts.map((one) => one.cpuMs)),
  mebibytes(median(starts.map((one) => one.residentBytes))),
  medianMs(starts.map((one) => one.stopMs)),
]);
console.log(tableText(['', 'until it serves', 'CPU until then', 'MiB then', 'SIGTERM to its end'], rows));
console.log(`\n--version: ${medianMs(versions)}`);
