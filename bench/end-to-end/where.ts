/**
 * Scenario `where`: where the CPU time of a request goes, in umbra's proxy thread and in its shadow thread,
 * with a bare splice beside it. How much of it is the kernel's comes from /proc; the parts from V8's sampling
 * profiler, which costs some itself. It samples by the clock on the wall, so that with two threads on one CPU
 * the part that is interrupted would be charged for the other thread: parts are reported for the proxy thread
 * that mirrors nothing.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CpuProfile, isThread, type PartTimes, partTimes } from './cpu-profile.js';
import { startOrigins } from './origins.js';
import { cpuOf, threadsBetween } from './proc.js';
import { fixed, tableText } from './table.js';
import { splice } from './targets/splice.js';
import { mirroredRoute, modulesCommand, plainRoute, startUmbra } from './targets/umbra.js';
import type { Bench, Verdict } from './verdict.js';

const warmUpSeconds = 3;
/** Parts that take less than this of a request are summed. */
const partUsMin = 0.15;

interface ThreadTime {
  readonly thread: string;
  /** A request. */
  readonly cpuUs: number;
  readonly kernelUs: number;
  readonly parts: readonly (readonly [string, number])[];
}

interface Case {
  readonly name: string;
  readonly requests: number;
  readonly threads: readonly ThreadTime[];
}

export async function where(bench: Bench): Promise<Verdict> {
  const cases = [await spliced(bench)];
  for (const engine of ['uws', 'node'] as const) {
    for (const isMirrored of [false, true]) cases.push(await measured(bench, engine, isMirrored));
  }
  for (const one of cases) console.log(`${caseText(one)}\n`);
  return { aims: [], measured: cases };
}

async function spliced({ options, placement, generator }: Bench): Promise<Case> {
  const origins = await startOrigins(placement.rest);
  const running = await splice.start(origins, placement);
  try {
    const run = (seconds: number) => generator.run(running.url, options.connections, seconds);
    await run(warmUpSeconds);
    const before = cpuOf(running.pids());
    const { requests } = await run(options.seconds * options.rounds);
    const [busiest] = threadsBetween(before, cpuOf(running.pids()));
    const [cpuUs, kernelUs] = [busiest.cpuUs / requests, busiest.kernelUs / requests];
    return { name: 'splice', requests, threads: [{ thread: 'its one thread', cpuUs, kernelUs, parts: [] }] };
  } finally {
    await running.stop();
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
}

async function measured(
  { options, placement, generator }: Bench,
  engine: 'uws' | 'node',
  isMirrored: boolean,
): Promise<Case> {
  const directory = await mkdtemp(join(tmpdir(), 'umbra-where-'));
  const origins = await startOrigins(placement.rest);
  const flags = isMirrored ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`];
  const config = {
    proxyThreads: 1,
    engine,
    primaryPort: origins.primary.port,
    shadowPort: origins.shadow.port,
    routes: isMirrored ? mirroredRoute : plainRoute,
  };
  const umbra = await startUmbra(config, placement.proxy, modulesCommand, flags);
  let stopped = false;
  try {
    const warm = await generator.run(umbra.url, options.connections, warmUpSeconds);
    const before = cpuOf([umbra.pid]);
    const { requests } = await generator.run(
      umbra.url,
      options.connections,
      options.seconds * options.rounds,
    );
    const busy = threadsBetween(before, cpuOf([umbra.pid]));
    await umbra.stop();
    stopped = true;
    // Of all threads these are the busiest, and the proxy thread has more to do for each request than the
    // shadow thread.
    const threads = (isMirrored ? ['proxy', 'shadow'] : ['proxy']).map((thread, rank) => {
      const { cpuUs, kernelUs } = busy[rank];
      return { thread, cpuUs: cpuUs / requests, kernelUs: kernelUs / requests, parts: [] };
    });
    const name = `umbra, ${engine}, ${isMirrored ? 'mirrored' : 'plain'}`;
    if (isMirrored) return { name, requests, threads };
    const profile = (await readProfiles(directory)).find((one) => isThread('proxy', one));
    if (profile === undefined) throw new Error('the proxy thread left no profile');
    const parts = perRequest(partTimes(profile), requests + warm.requests);
    return { name, requests, threads: [{ ...threads[0], parts }] };
  } finally {
    if (!stopped) await umbra.stop();
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
    await rm(directory, { recursive: true, force: true });
  }
}

async function readProfiles(directory: string): Promise<CpuProfile[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'));
  return Promise.all(
    files.map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')) as CpuProfile),
  );
}

/** The largest first, in microseconds a request; without the time in which there was nothing to do. */
function perRequest(times: PartTimes, requests: number): [string, number][] {
  times.delete('(idle)');
  const parts = [...times].map(([part, us]): [string, number] => [part, us / requests]);
  const shown = parts.filter(([, us]) => us >= partUsMin).sort((a, b) => b[1] - a[1]);
  const rest = parts.filter(([, us]) => us < partUsMin).reduce((sum, [, us]) => sum + us, 0);
  return [...shown, ['others', rest]];
}

function caseText({ name, threads }: Case): string {
  return threads
    .map(({ thread, cpuUs, kernelUs, parts }) => {
      const head = `${name}: ${thread} ${fixed(cpuUs, 1)} us a request, of it ${fixed(kernelUs, 1)} in the kernel`;
      if (parts.length === 0) return head;
      const rows = parts.map(([part, us]) => [part, fixed(us, 2)]);
      return `${head}\n\n${tableText(['part', 'us a request'], rows)}`;
    })
    .join('\n\n');
}
