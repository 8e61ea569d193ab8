/**
 * Scenario `fresh`: what a request costs that has a connection of its own, umbra on both engines beside
 * nginx, in short windows in turn, and what clients feel of 1,000 such connections at once.
 */
import { alternate, type Lane, ratios, type Window } from './alternating.js';
import { beside, Child, nextMessage } from './child.js';
import { medianInterval, median as medianOf, spread } from './numbers.js';
import { type Origins, startOrigins } from './origins.js';
import { runTimeUs } from './proc.js';
import { fixed, ms, tableText } from './table.js';
import { nginx } from './targets/nginx.js';
import type { RunningTarget, Target } from './targets/target.js';
import { umbra, umbraNode } from './targets/umbra.js';
import { type Aim, type Bench, isAtMost, type Verdict } from './verdict.js';

const rival = nginx;
const ours: readonly Target[] = [umbra, umbraNode];

const windowMs = 200;
/** Windows, and bursts, in each of `--rounds`. */
const windowsEach = 15;
const burstsEach = 5;
const burstConnections = 1000;
const costRatioMax = 1.4;
const burstRatioMax = 1;

interface Contestant {
  readonly target: Target;
  readonly running: RunningTarget;
}

export async function fresh(bench: Bench): Promise<Verdict> {
  const { placement } = bench;
  const missing = rival.missing();
  if (missing !== null) throw new Error(missing);
  const origins = await startOrigins(placement.rest);
  const contestants: Contestant[] = [];
  try {
    for (const target of [rival, ...ours])
      contestants.push({ target, running: await target.start(origins, placement) });
    const costs = await costOf(contestants, origins, bench);
    const bursts = await burstsOf(contestants, bench);
    const rows = contestants.map(({ target }, i) => [
      target.name,
      fixed(medianOf(costs[i].map((one) => one.cpuUsPerRequest)), 1),
      ms(medianOf(bursts[i])),
    ]);
    console.log(tableText(['connections of their own', 'CPU us', `p99 ms of ${burstConnections}`], rows));
    const aims = ours.flatMap(({ name }, i) => [
      costAim(name, ratios(costs[i + 1], costs[0])),
      burstAim(name, bursts[i + 1], bursts[0]),
    ]);
    return { aims, measured: { costs, bursts } };
  } finally {
    await Promise.all(contestants.map(({ running }) => running.stop()));
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
}

function costOf(
  contestants: readonly Contestant[],
  { primary }: Origins,
  { options, placement }: Bench,
): Promise<readonly (readonly Window[])[]> {
  const lanes = contestants.map(({ running }): Lane => {
    const pids = running.pids();
    return { url: running.url, cpuUs: () => pids.reduce((sum, pid) => sum + runTimeUs(pid), 0) };
  });
  const { connections, rounds } = options;
  const load = { rounds: rounds * windowsEach, windowMs, connections, closing: true };
  return alternate(lanes, load, { placement, origin: primary });
}

/** The p99 in microseconds of each burst, by contestant. */
async function burstsOf(contestants: readonly Contestant[], { options, placement }: Bench) {
  const p99s = contestants.map((): number[] => []);
  const clients = contestants.map(({ running }) => {
    const args = [beside('fresh-burst.js', import.meta.url), running.url, String(burstConnections)];
    return new Child(process.execPath, args, { cpus: placement.rest, ipc: true });
  });
  try {
    // The first one of each warms up.
    for (let round = -1; round < options.rounds * burstsEach; round++) {
      for (const [i, client] of clients.entries()) {
        const answered = nextMessage<number[]>(client);
        client.process.send('burst');
        const timesUs = (await answered).sort((a, b) => a - b);
        if (round >= 0) p99s[i].push(timesUs[Math.ceil(timesUs.length * 0.99) - 1]);
      }
    }
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
  }
  return p99s;
}

function costAim(name: string, each: readonly number[]): Aim {
  const { low, high } = medianInterval(each);
  const [median, least, most] = [medianOf(each), low, high].map((ratio) => fixed(ratio, 2));
  return {
    name: `${name}, CPU of a request on a connection of its own <= ${costRatioMax} x ${rival.name}`,
    found: `${median} x (95 %: ${least} to ${most}, ${each.length} windows)`,
    isMet: isAtMost({ low, high }, costRatioMax),
  };
}

function burstAim(name: string, ours: readonly number[], theirs: readonly number[]): Aim {
  const { median, min, max } = spread(ours.map((p99, i) => p99 / theirs[i]));
  const interval = medianInterval(ours.map((p99, i) => p99 / theirs[i]));
  return {
    name: `${name}, p99 of ${burstConnections} connections at once <= ${burstRatioMax} x ${rival.name}`,
    found: `${fixed(median, 2)} x (${fixed(min, 2)}..${fixed(max, 2)} by burst)`,
    isMet: isAtMost(interval, burstRatioMax),
  };
}
