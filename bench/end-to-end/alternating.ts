/**
 * Lanes under load one at a time, in short windows in turn. Neighbours of the machine change by the second,
 * so what is compared was measured within a few tenths of one. Each lane has a wrk of its own, which is
 * stopped (SIGSTOP) outside of its windows, so that connections and compiled code stay as they are.
 */
import { Child } from './child.js';
import type { Origin } from './origins.js';
import { isInstalled, type Placement } from './placement.js';
import { wrkArguments, wrkScript } from './wrk.js';

export interface Lane {
  readonly url: string;
  /** CPU time so far of what is measured in this lane, in microseconds. */
  readonly cpuUs: () => number;
}

export interface AlternatingLoad {
  readonly rounds: number;
  readonly windowMs: number;
  readonly connections: number;
  /** Each request has a connection of its own. */
  readonly closing?: boolean;
}

/** Where the load comes from, and the origin of all lanes, which counts their requests. */
export interface AlternatingBench {
  readonly placement: Placement;
  readonly origin: Origin;
}

/** One lane in one round. */
export interface Window {
  readonly requests: number;
  readonly cpuUsPerRequest: number;
}

/** After a window: what is still under way, copies included, belongs to it. */
const settleMs = 10;
/** Rounds that are run first and not returned. */
const warmUpMs = 2500;
const marginSeconds = 60;
const requestsMin = 500;
const windowMsMax = 10_000;

/** Returns the windows of each lane by round. Rejects where a lane serves too little. */
export async function alternate(
  lanes: readonly Lane[],
  load: AlternatingLoad,
  { placement, origin }: AlternatingBench,
): Promise<readonly (readonly Window[])[]> {
  if (!isInstalled('wrk')) throw new Error('alternating lanes need wrk, which is not installed');
  const { rounds, windowMs, connections, closing = false } = load;
  const warmUpRounds = Math.ceil(warmUpMs / windowMs);
  const allMs = (rounds + warmUpRounds) * lanes.length * (windowMs + settleMs);
  const seconds = Math.ceil(allMs / 1000) + marginSeconds;
  const clients = lanes.map(({ url }) => {
    const args = wrkArguments(url, connections, seconds, wrkScript(0, closing));
    const client = new Child('wrk', args, { cpus: placement.rest });
    client.process.kill('SIGSTOP');
    return client;
  });
  const windows = lanes.map((): Window[] => []);
  try {
    for (let round = -warmUpRounds; round < rounds; round++) {
      for (const [i, lane] of lanes.entries()) {
        const one = await window(lane, clients[i], windowMs, origin);
        if (round >= 0) windows[i].push(one);
      }
    }
  } finally {
    for (const client of clients) client.process.kill('SIGCONT');
    await Promise.all(clients.map((client) => client.stop()));
  }
  return windows;
}

/** A window takes `windowMs`, and longer where others have the CPU: one with few requests says little. */
async function window(
  { url, cpuUs }: Lane,
  client: Child,
  windowMs: number,
  origin: Origin,
): Promise<Window> {
  const requestsBefore = await origin.requests();
  const beforeUs = cpuUs();
  const latestMs = performance.now() + windowMsMax;
  for (;;) {
    client.process.kill('SIGCONT');
    await passed(windowMs);
    client.process.kill('SIGSTOP');
    await passed(settleMs);
    const requests = (await origin.requests()) - requestsBefore;
    if (requests >= requestsMin) return { requests, cpuUsPerRequest: (cpuUs() - beforeUs) / requests };
    if (performance.now() > latestMs)
      throw new Error(`${url} served ${requests} requests in ${windowMsMax} ms`);
  }
}

function passed(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}

/** The ratios of two lanes by round. */
export function ratios(ours: readonly Window[], rival: readonly Window[]): number[] {
  return ours.map(({ cpuUsPerRequest }, round) => cpuUsPerRequest / rival[round].cpuUsPerRequest);
}
