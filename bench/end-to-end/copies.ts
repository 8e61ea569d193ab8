/**
 * Scenario `copies`: what a copy costs the proxy thread, as a share of a request that is not mirrored. One
 * process serves both, in short windows in turn. A copy is refused where as many are in flight as may be, for
 * the shadow hangs, or where the ring is full, for its reader gets no time.
 */
import { alternate, type Lane, ratios, type Window } from './alternating.js';
import { Child } from './child.js';
import { medianInterval, median as medianOf } from './numbers.js';
import { Origin, type Origins, startOrigins } from './origins.js';
import { cpuOf, runTimeUs, threadsBetween } from './proc.js';
import { fixed, percent, tableText } from './table.js';
import { droppedText, type RunningUmbra, startUmbra } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';
import { isAtMost } from './verdict.js';

const engines = ['node', 'uws'] as const;
type Engine = (typeof engines)[number];

const windowMs = 60;
/** Windows in each of `--rounds`. */
const windowsEach = 50;
const copyShareMax = 0.1;
const refusedShareMax = 0.01;
/** Beside a process that never waits, the shadow thread then gets hardly any time of their CPU. */
const leastTimeNice = 19;
/** Copies that reach the shadow all the same, in a share of all. */
const takenShareMax = 0.1;
/** The least that there may be: a few hundred copies fill it. */
const smallRing = '64KiB';

const routes = `  - { name: off, match: { path: { exact: /off } }, primary: v1 }
  - { name: busy, match: { path: { exact: /busy } }, primary: v1, mirrors: [ { to: v3, percent: 100 } ] }
  - { name: on, primary: v1, mirrors: [ { to: v2, percent: 100 } ] }`;

interface Setting {
  readonly bench: Bench;
  readonly engine: Engine;
  readonly origins: Origins;
  readonly hanging: Origin;
}

/** What copies of one kind cost beside requests without a mirror. */
interface Found {
  readonly engine: Engine;
  readonly kind: string;
  readonly shareMax: number;
  readonly off: readonly Window[];
  readonly on: readonly Window[];
  /** Null: they count; else why not. */
  readonly invalid: string | null;
}

export async function copies(bench: Bench): Promise<Verdict> {
  const origins = await startOrigins(bench.placement.rest);
  const hanging = await Origin.start(bench.placement.rest, 'text', 'hanging');
  try {
    await hanging.turn('hanging');
    const found: Found[] = [];
    for (const engine of engines) {
      const setting = { bench, engine, origins, hanging };
      found.push(...(await takenAndBusy(setting)), await ringFull(setting));
    }
    const rows = found.map(({ engine, kind, off, on }) => [
      `${engine}, ${kind}`,
      ...[off, on].map((windows) => fixed(medianOf(windows.map((one) => one.cpuUsPerRequest)), 2)),
    ]);
    console.log(tableText(['proxy thread', 'us without', 'us with'], rows));
    return { aims: found.map(aimOf), measured: found };
  } finally {
    await Promise.all([origins.primary, origins.shadow, hanging].map((origin) => origin.stop()));
  }
}

async function takenAndBusy(setting: Setting): Promise<Found[]> {
  const { engine } = setting;
  return withUmbra(setting, {}, async (umbra, proxyTid) => {
    const [off, on, busy] = await lanes(setting, umbra, proxyTid, ['off', 'on', 'busy']);
    const dropped = await droppedText(umbra.admin);
    console.log(`${engine}, over its whole life: ${dropped ?? 'nothing was dropped'}`);
    const onlyInFlight = dropped === null || !/dropped \((?!in-flight)/.test(dropped);
    const invalid = onlyInFlight ? null : `copies were dropped: ${dropped}`;
    return [
      { engine, kind: 'a copy', shareMax: copyShareMax, off, on, invalid },
      { engine, kind: 'a copy of a mirror that is full', shareMax: refusedShareMax, off, on: busy, invalid },
    ];
  });
}

async function ringFull(setting: Setting): Promise<Found> {
  const { engine, origins } = setting;
  const what = { engine, kind: 'a copy that the full ring refuses', shareMax: refusedShareMax };
  return withUmbra(setting, { ring: smallRing, nice: leastTimeNice }, async (umbra, proxyTid) => {
    const never = new Child(process.execPath, ['-e', 'for (;;);'], { cpus: setting.bench.placement.proxy });
    const before = await origins.shadow.requests();
    const [off, on] = await lanes(setting, umbra, proxyTid, ['off', 'on']).finally(() => never.stop());
    const taken = (await origins.shadow.requests()) - before;
    const share = taken / on.reduce((sum, { requests }) => sum + requests, 0);
    const invalid = share > takenShareMax ? `${percent(share)} of the copies were taken` : null;
    return { ...what, off, on, invalid };
  });
}

function lanes(
  { bench, origins }: Setting,
  { url, pid }: RunningUmbra,
  proxyTid: number,
  paths: readonly string[],
): Promise<readonly (readonly Window[])[]> {
  const { placement, options } = bench;
  const { connections, rounds } = options;
  const each = paths.map((path): Lane => ({ url: `${url}${path}`, cpuUs: () => runTimeUs(pid, proxyTid) }));
  const load = { rounds: rounds * windowsEach, windowMs, connections };
  return alternate(each, load, { placement, origin: origins.primary });
}

/** Calls `use` with a running umbra and the id of its proxy thread, the busiest where nothing is mirrored. */
async function withUmbra<T>(
  { bench, engine, origins, hanging }: Setting,
  more: { readonly ring?: string; readonly nice?: number },
  use: (umbra: RunningUmbra, proxyTid: number) => Promise<T>,
): Promise<T> {
  const { port: primaryPort } = origins.primary;
  const { port: shadowPort } = origins.shadow;
  const config = {
    proxyThreads: 1,
    engine,
    primaryPort,
    shadowPort,
    otherPort: hanging.port,
    routes,
    ...more,
  };
  const umbra = await startUmbra(config, bench.placement.proxy);
  try {
    const before = cpuOf([umbra.pid]);
    await bench.generator.run(`${umbra.url}off`, bench.options.connections, 1);
    const [{ tid }] = threadsBetween(before, cpuOf([umbra.pid]));
    return await use(umbra, tid);
  } finally {
    await umbra.stop();
  }
}

function aimOf({ engine, kind, shareMax, off, on, invalid }: Found): Aim {
  const name = `${engine}, ${kind} <= ${percent(shareMax)} of a request, on the proxy thread`;
  if (invalid !== null) return { name, found: invalid, isMet: null };
  const each = ratios(on, off);
  const { low, high } = medianInterval(each);
  const [median, least, most] = [medianOf(each), low, high].map((ratio) => percent(ratio - 1));
  return {
    name,
    found: `${median} (95 %: ${least} to ${most}, ${each.length} windows)`,
    isMet: isAtMost({ low, high }, 1 + shareMax),
  };
}
