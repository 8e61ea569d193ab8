/**
 * Scenario `peers`: umbra against what its users would pick instead, case by case, everything in turn; then
 * what mirroring costs at half load, and memory. `--plots DIRECTORY` draws each case.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PeersCase, peersCases } from './cases.js';
import { contest } from './compare.js';
import type { Measurement } from './comparison.js';
import { halfLoad } from './half-load.js';
import { underLoad } from './memory.js';
import { casePlot } from './plot.js';
import { ratioAim } from './ratio-aim.js';
import type { Aim, Bench, Verdict } from './verdict.js';

interface CaseResult {
  readonly name: string;
  readonly what: string;
  readonly measured: readonly Measurement[];
}

export async function peers(bench: Bench): Promise<Verdict> {
  const cases = peersCases(bench.options.connections);
  const results: CaseResult[] = [];
  const parts = cases.length + 2;
  for (const one of cases) {
    console.log(`\n${bar(results.length, parts)}  ${one.name}: ${one.what}\n`);
    results.push(await run(one, bench));
  }
  console.log(`\n${bar(cases.length, parts)}  half load\n`);
  const half = await halfLoad(bench);
  console.log(`\n${bar(cases.length + 1, parts)}  memory\n`);
  const memory = await underLoad(bench);
  const { plotsPath } = bench.options;
  if (plotsPath !== null) await draw(plotsPath, results);
  return {
    aims: [...aimsOf(results), half.aim, memory.aim],
    measured: { cases: results, halfLoad: half.measured, memory: memory.measured },
  };
}

async function run({ name, what, targets, asked }: PeersCase, bench: Bench): Promise<CaseResult> {
  return { name, what, measured: await contest(bench, targets, asked) };
}

async function draw(directory: string, results: readonly CaseResult[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const { name, what, measured } of results)
    await writeFile(join(directory, `${name}.svg`), casePlot(name, what, measured));
}

const barWidth = 24;

function bar(done: number, all: number): string {
  const filled = Math.round((barWidth * done) / all);
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${Math.round((100 * done) / all)} %`;
}

function aimsOf(results: readonly CaseResult[]): Aim[] {
  const of = (name: string, target: string): readonly Measurement[] =>
    results.find((one) => one.name === name)!.measured.filter((one) => one.target === target);
  const cpu = (name: string, ours: string, rival: string, max: number): Aim =>
    ratioAim({
      name: `${name}, ${ours}: CPU a request <= ${max} x ${rival}`,
      ours: of(name, ours),
      rival: of(name, rival),
      max,
    });
  const engines = ['umbra', 'umbra-node'];
  return [
    ...engines.map((engine) => cpu('plain', engine, 'nginx', 1)),
    ...engines.map((engine) => cpu('mirror-100', engine, 'nginx', 0.4)),
    ...engines.map((engine) =>
      ratioAim({
        name: `mirror-100, ${engine}: requests/s >= 2.5 x nginx`,
        ours: of('mirror-100', engine),
        rival: of('mirror-100', 'nginx'),
        min: 2.5,
        figure: ({ requests, seconds }) => requests / seconds,
      }),
    ),
    cpu('mirror-100', 'umbra', 'envoy', 0.5),
    cpu('mirror-100', 'umbra', 'traefik', 0.5),
    ...engines.map((engine) => cpu('post-64k', engine, 'nginx', 0.5)),
    ...engines.map((engine) =>
      ratioAim({
        name: `${engine}: CPU of the proxy thread a request, everything mirrored <= 1.1 x nothing mirrored`,
        ours: of('mirror-100', engine),
        rival: of('plain', engine),
        max: 1.1,
        figure: busiestThreadUs,
      }),
    ),
  ];
}

/**
 * The proxy thread is the busier one beside one shadow thread, because it has two sockets for each request.
 */
function busiestThreadUs({ threads }: Measurement): number {
  return Math.max(...threads.map(({ cpuUsPerRequest }) => cpuUsPerRequest));
}
