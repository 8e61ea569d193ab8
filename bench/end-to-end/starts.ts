/**
 * `node dist/bench/end-to-end/starts.js [--rounds 9]`: how long umbra takes until it serves, what CPU time
 * that costs, and how long it takes from SIGTERM to its end; as it is bundled, and as the modules that the
 * bundle is made of. In turn, medians. The CPU time is read on Linux. Variables that make Node itself slower
 * are left out: `NODE_EXTRA_CA_CERTS` alone can double the time of an empty process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolOptions } from '../../test/support/tool-options.js';
import { median } from './numbers.js';
import { cpuOf } from './proc.js';

interface Start {
  readonly readyMs: number;
  readonly cpuMs: number;
  readonly stopMs: number;
  readonly versionMs: number;
}

const { values } = toolOptions('node dist/bench/end-to-end/starts.js', {
  rounds: { type: 'string', default: '9' },
});
const sides = {
  bundle: fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url)),
  modules: fileURLToPath(new URL('../../workers/main/umbra.js', import.meta.url)),
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
  const begun = performance.now();
  const version = spawn(process.execPath, [program, '--version'], { env, stdio: 'ignore' });
  await once(version, 'exit');
  const versionMs = performance.now() - begun;
  const startedAt = performance.now();
  const umbra = spawn(process.execPath, [program, 'run', '-c', file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(umbra, 'exit');
  // The line in which it says that it serves is the only one.
  await Promise.race([once(umbra.stdout, 'data'), ended]);
  const readyMs = performance.now() - startedAt;
  if (umbra.exitCode !== null) throw new Error(`umbra ended with ${umbra.exitCode}`);
  const cpuMs = process.platform === 'linux' ? cpuOf([umbra.pid!]).cpuUs / 1000 : Number.NaN;
  const stoppedAt = performance.now();
  umbra.kill('SIGTERM');
  await ended;
  return { readyMs, cpuMs, stopMs: performance.now() - stoppedAt, versionMs };
}

const starts: Record<keyof typeof sides, Start[]> = { bundle: [], modules: [] };
for (let round = 0; round < Number(values.rounds); round++) {
  for (const side of ['bundle', 'modules'] as const) starts[side].push(await start(sides[side]));
}
rmSync(directory, { recursive: true });
process.stdout.write('         until it serves   CPU until then   from SIGTERM to the end   --version\n');
for (const [side, all] of Object.entries(starts)) {
  const of = (key: keyof Start) => `${median(all.map((one) => one[key])).toFixed(0)} ms`;
  process.stdout.write(
    `${side.padEnd(8)}${of('readyMs').padStart(16)}${of('cpuMs').padStart(17)}${of('stopMs').padStart(26)}${of('versionMs').padStart(12)}\n`,
  );
}
