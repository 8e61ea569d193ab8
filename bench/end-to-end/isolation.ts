/**
 * Scenario `isolation`: the law that nothing a shadow does may reach a client, as figures. Calls at a fixed
 * rate, through umbra and through nginx's mirror module, with the shadow in every state. Each measurement has
 * one without a mirror right before it, and what counts is the ratio of the two: a machine that grows slower
 * does not pass for a shadow that is felt.
 */
import {
  type Cell,
  isolationAims,
  isolationText,
  type Shape,
  type State,
  shapes,
  states,
} from './isolation-table.js';
import type { Origins } from './origins.js';
import { startOrigins } from './origins.js';
import type { PacedResult } from './paced.js';
import { runPaced } from './paced-run.js';
import { memoryOf } from './proc.js';
import { count, mebibytes } from './table.js';
import { nginxMirror } from './targets/nginx.js';
import { onAndOffRoutes, sharedCoreNice, startUmbra } from './targets/umbra.js';
import type { Bench, Verdict } from './verdict.js';

/** The load, as a share of what the slower side reaches with a healthy shadow. */
const saturationShare = 1 / 3;
/** A 64 KB POST costs about so many times what a small GET does. */
const postRateShare = 1 / 4;
const warmUpSeconds = 3;
/** With `threads.nice`. */
const umbraSides = [
  ['umbra', 0],
  ['umbra-nice', sharedCoreNice],
] as const;

/** One proxy that mirrors everything but `/off`. */
interface Side {
  readonly name: string;
  readonly url: string;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export async function isolation(bench: Bench): Promise<Verdict> {
  const { options, placement, generator } = bench;
  const origins = await startOrigins(placement.rest, true);
  const sides: Side[] = [];
  const cells: Cell[] = [];
  try {
    for (const side of await startSides(origins, bench)) sides.push(side);
    let slowest = Number.POSITIVE_INFINITY;
    for (const { name, url } of sides) {
      await generator.run(`${url}off`, options.connections, warmUpSeconds);
      const { requests, seconds } = await generator.run(`${url}on`, options.connections, warmUpSeconds);
      console.log(`${name}: ${count(requests / seconds)} requests/s at saturation, everything mirrored`);
      slowest = Math.min(slowest, requests / seconds);
    }
    const getRate = options.rate ?? Math.round(slowest * saturationShare);
    for (let round = 1; round <= options.rounds; round++) {
      for (const shape of shapes) {
        const rate = shape.bodyBytes === 0 ? getRate : Math.round(getRate * postRateShare);
        if (round === 1) console.log(`${shape.name}: ${count(rate)} requests/s`);
        for (const state of states) {
          for (const side of sides) cells.push(await measure(side, shape, state, rate, origins, bench));
        }
      }
      for (const { name, pids } of sides) {
        console.log(
          `round ${round}/${options.rounds}: ${name} has ${mebibytes(memoryOf(pids).residentBytes)} MiB`,
        );
      }
    }
  } finally {
    await Promise.all(sides.map((side) => side.stop()));
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
  console.log(`\n${isolationText(cells)}`);
  return { aims: isolationAims(cells), measured: cells };
}

async function startSides(origins: Origins, { options, placement }: Bench): Promise<Side[]> {
  const wanted = (name: string): boolean => options.only === null || options.only.includes(name);
  const sides: Side[] = [];
  const ports = { primaryPort: origins.primary.port, shadowPort: origins.shadow.port };
  for (const [name, nice] of umbraSides) {
    if (!wanted(name)) continue;
    const umbra = await startUmbra(
      { proxyThreads: 1, routes: onAndOffRoutes, nice, ...ports },
      placement.proxy,
    );
    sides.push({ name, url: umbra.url, pids: [umbra.pid], stop: umbra.stop });
  }
  if (wanted('nginx')) {
    const missing = nginxMirror.missing();
    if (missing === null) {
      const nginx = await nginxMirror.start(origins, placement);
      sides.push({ name: 'nginx', url: nginx.url, pids: nginx.pids(), stop: nginx.stop });
    } else console.log(`LEFT OUT  nginx: ${missing}`);
  }
  return sides;
}

async function measure(
  side: Side,
  shape: Shape,
  state: State,
  rate: number,
  origins: Origins,
  bench: Bench,
): Promise<Cell> {
  const { options } = bench;
  const paced = (path: string): Promise<PacedResult> =>
    runPaced(`${side.url}${path}`, rate, shape.bodyBytes, bench);
  await origins.shadow.turn('answering');
  const off = await paced('off');
  await origins.shadow.turn(state.begins);
  const copiesBefore = await origins.shadow.requests();
  const turning =
    state.turns === null
      ? null
      : setTimeout(() => void origins.shadow.turn(state.turns!), (options.seconds * 1000) / 2);
  const on = await paced('on');
  if (turning !== null) clearTimeout(turning);
  const copies = (await origins.shadow.requests()) - copiesBefore;
  return { side: side.name, shape: shape.name, state: state.name, off, on, copies };
}
