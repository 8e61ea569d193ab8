/**
 * Scenario `against`: this tree and another revision of it, in short windows in turn, so that a change of a
 * few per cent shows on a machine whose own minutes differ by more.
 */
import { join } from 'node:path';
import { withRevision } from '../revision.js';
import { alternate, type Lane, ratios, type Window } from './alternating.js';
import { medianInterval, median as medianOf } from './numbers.js';
import { type Origins, startOrigins } from './origins.js';
import { runTimeUs } from './proc.js';
import { fixed, tableText } from './table.js';
import type { RunningTarget } from './targets/target.js';
import { mirroredRoute, plainRoute, umbraTarget } from './targets/umbra.js';
import { type Aim, type Bench, isAtMost, type Verdict } from './verdict.js';

interface Kind {
  readonly name: string;
  readonly engine: 'uws' | 'node';
  readonly routes: string;
  readonly tls?: boolean;
  /** Each request has a connection of its own. */
  readonly closing?: boolean;
}

const kinds: readonly Kind[] = [
  { name: 'umbra', engine: 'uws', routes: plainRoute },
  { name: 'umbra-node', engine: 'node', routes: plainRoute },
  { name: 'umbra-mirror', engine: 'uws', routes: mirroredRoute },
  { name: 'umbra-node-mirror', engine: 'node', routes: mirroredRoute },
  { name: 'umbra-tls', engine: 'uws', routes: plainRoute, tls: true },
  { name: 'umbra-node-tls', engine: 'node', routes: plainRoute, tls: true },
  { name: 'umbra-fresh', engine: 'uws', routes: plainRoute, closing: true },
  { name: 'umbra-node-fresh', engine: 'node', routes: plainRoute, closing: true },
];
/** Taken where `--only` names none. */
const usual = kinds.slice(0, 4).map(({ name }) => name);
/** What two builds of the same source differ by on a machine with neighbours. */
const ratioMax = 1.03;
const windowMs = 100;
/** Windows in each of `--rounds`. */
const windowsEach = 25;

interface Found {
  readonly kind: string;
  readonly ours: readonly Window[];
  readonly rival: readonly Window[];
}

export async function against(bench: Bench): Promise<Verdict> {
  const { revision, only } = bench.options;
  if (revision === null) throw new Error('the scenario against needs --compare REVISION');
  const wanted = only ?? usual;
  const unknown = wanted.find((name) => !kinds.some((kind) => kind.name === name));
  if (unknown !== undefined) throw new Error(`no target is called ${unknown}`);
  return withRevision(revision, async (tree) => {
    const origins = await startOrigins(bench.placement.rest);
    const found: Found[] = [];
    try {
      for (const kind of kinds.filter(({ name }) => wanted.includes(name)))
        found.push(await contest(kind, join(tree, 'bin/umbra.js'), origins, bench));
    } finally {
      await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
    }
    const us = (windows: readonly Window[]): string =>
      fixed(medianOf(windows.map((one) => one.cpuUsPerRequest)), 2);
    const rows = found.map(({ kind, ours, rival }) => [kind, us(ours), us(rival)]);
    console.log(tableText(['CPU us a request', 'this tree', revision], rows));
    return { aims: found.map((one) => aimOf(one, revision)), measured: found };
  });
}

async function contest(kind: Kind, command: string, origins: Origins, bench: Bench): Promise<Found> {
  const { name, engine, routes, tls = false, closing = false } = kind;
  const { options, placement } = bench;
  const running: RunningTarget[] = [];
  try {
    for (const more of [{}, { command }])
      running.push(await umbraTarget(name, routes, engine, { tls, ...more }).start(origins, placement));
    const lanes = running.map(({ url, pids }): Lane => {
      const [pid] = pids();
      return { url, cpuUs: () => runTimeUs(pid) };
    });
    const { connections, rounds } = options;
    const load = { rounds: rounds * windowsEach, windowMs, connections, closing };
    const [ours, rival] = await alternate(lanes, load, { placement, origin: origins.primary });
    return { kind: name, ours, rival };
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}

function aimOf({ kind, ours, rival }: Found, revision: string): Aim {
  const each = ratios(ours, rival);
  const { low, high } = medianInterval(each);
  const [median, least, most] = [medianOf(each), low, high].map((ratio) => fixed(ratio, 3));
  return {
    name: `${kind}, CPU a request <= ${ratioMax} x ${revision}`,
    found: `${median} x (95 %: ${least} to ${most}, ${each.length} windows)`,
    isMet: isAtMost({ low, high }, ratioMax),
  };
}
