/**
 * Scenario `compare`: every target under the same load, taken in turn, so that a slow minute hits them all.
 */
import { allCopiesMin, comparisonAims, comparisonText, type Measurement } from './comparison.js';
import { type OriginBody, type OriginMode, type Origins, startOrigins } from './origins.js';
import type { Placement } from './placement.js';
import { cpuBusyUs, cpuOf, memoryOf, threadsBetween } from './proc.js';
import { direct } from './targets/direct.js';
import { nginx, nginxMirror } from './targets/nginx.js';
import type { RunningTarget, Target } from './targets/target.js';
import { umbra, umbraMirror, umbraNode, umbraNodeMirror } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const targets: readonly Target[] = [
  direct,
  umbra,
  umbraNode,
  nginx,
  umbraMirror,
  umbraNodeMirror,
  nginxMirror,
];
/** Enough for the compiler to have seen every path that counts. */
const warmUpSeconds = 3;
/**
 * Before each measurement: a target that waited for its turn has cold caches, and may have lost compiled
 * code.
 */
const againSeconds = 1;

interface Contestant {
  readonly target: Target;
  readonly running: RunningTarget;
}

/** What is asked of each target. */
export interface Contest {
  readonly body: OriginBody;
  /** Body size of a POST; 0 sends GETs. */
  readonly bodyBytes: number;
  readonly connections: number;
  /** How the shadow answers. */
  readonly shadow: OriginMode;
}

export function compare(bench: Bench): Promise<Verdict> {
  return judged(bench, targets, 'text', comparisonAims);
}

/** `targets` in turn before two origins that answer with `body`, and what is to be reached. */
export async function judged(
  bench: Bench,
  targets: readonly Target[],
  body: OriginBody,
  aims: (measured: readonly Measurement[]) => Aim[],
): Promise<Verdict> {
  const { only, connections } = bench.options;
  const unknown = only?.find((name) => !targets.some((target) => target.name === name));
  if (unknown !== undefined) throw new Error(`no target is called ${unknown}`);
  const asked = { body, bodyBytes: 0, connections, shadow: 'answering' } as const;
  const measured = await contest(bench, targets, asked);
  return { aims: aims(measured), measured };
}

/** `targets` in turn, and their table. */
export async function contest(
  bench: Bench,
  targets: readonly Target[],
  asked: Contest,
): Promise<readonly Measurement[]> {
  const { only, rounds } = bench.options;
  const origins = await startOrigins(bench.placement.rest, false, asked.body);
  const contestants: Contestant[] = [];
  const measured: Measurement[] = [];
  try {
    if (asked.shadow !== 'answering') await origins.shadow.turn(asked.shadow);
    for (const target of targets) {
      if (only !== null && !only.includes(target.name)) continue;
      const running = await start(target, origins, bench);
      if (running !== null) contestants.push({ target, running });
    }
    for (const { running } of contestants) {
      await bench.generator.run(running.url, asked.connections, warmUpSeconds, asked.bodyBytes);
    }
    for (let round = 1; round <= rounds; round++) {
      for (const contestant of contestants) {
        const one = await measure(contestant, origins, asked, bench);
        measured.push(one);
        console.log(`round ${round}/${rounds}  ${roundText(one)}`);
      }
    }
    console.log(`\n${comparisonText(measured)}`);
    for (const { target, running } of contestants) {
      const text = await running.dropped?.();
      if (text != null) console.log(`\n${target.name} counted over its whole life: ${text}`);
    }
  } finally {
    await Promise.all(contestants.map(({ running }) => running.stop()));
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
  return measured;
}

/** Null, and a line that says why, for a target that can't take part. */
async function start(target: Target, origins: Origins, { placement }: Bench): Promise<RunningTarget | null> {
  const missing = target.missing();
  if (missing !== null) {
    console.log(`LEFT OUT  ${target.name}: ${missing}`);
    return null;
  }
  try {
    return await target.start(origins, placement);
  } catch (error) {
    console.log(`LEFT OUT  ${target.name}: it did not start: ${(error as Error).message}`);
    return null;
  }
}

async function measure(
  { target, running }: Contestant,
  origins: Origins,
  { connections, bodyBytes }: Contest,
  { options, generator, placement }: Bench,
): Promise<Measurement> {
  const pids = running.pids();
  await generator.run(running.url, connections, againSeconds, bodyBytes);
  const copiesBefore = await origins.shadow.requests();
  const beginMs = performance.now();
  const busyBeforeUs = busyUs(placement);
  const before = cpuOf(pids);
  const load = await generator.run(running.url, connections, options.seconds, bodyBytes);
  const after = cpuOf(pids);
  const othersUs = busyUs(placement) - busyBeforeUs - (after.cpuUs - before.cpuUs);
  const passedUs = (performance.now() - beginMs) * 1000;
  const copies = (await origins.shadow.requests()) - copiesBefore;
  return {
    target: target.name,
    mirrors: target.mirrors,
    ...load,
    cpuUsPerRequest: pids.length === 0 ? Number.NaN : (after.cpuUs - before.cpuUs) / load.requests,
    threads: threadsBetween(before, after).map(({ name, cpuUs, tid }) => ({
      name,
      tid,
      cpuUsPerRequest: cpuUs / load.requests,
    })),
    peakBytes: pids.length === 0 ? Number.NaN : memoryOf(pids).peakBytes,
    othersShare: pids.length === 0 ? Number.NaN : Math.max(0, othersUs / passedUs),
    copiesShare: copies / load.requests,
    copiesMin: target.copiesMin ?? (target.mirrors ? allCopiesMin : 0),
  };
}

/** NaN where the proxy has no CPU of its own. */
function busyUs({ proxy }: Placement): number {
  return proxy === null ? Number.NaN : cpuBusyUs(Number(proxy));
}

function roundText({ target: name, requests, seconds, cpuUsPerRequest, errors }: Measurement): string {
  const cpu = Number.isNaN(cpuUsPerRequest) ? '' : `, ${cpuUsPerRequest.toFixed(1)} us of CPU a request`;
  const invalid = errors > 0 ? `, INVALID: ${errors} errors` : '';
  return `${name.padEnd(14)} ${Math.round(requests / seconds)} requests/s${cpu}${invalid}`;
}
