/** Scenario `bulk`: one large body at a time through umbra and through nginx, in turn, down and up. */

import type { BulkResult } from './bulk-client.js';
import { beside, Child, nextMessage } from './child.js';
import { median, spread } from './numbers.js';
import type { Origins } from './origins.js';
import type { Placement } from './placement.js';
import { cpuOf, memoryOf, resetPeak } from './proc.js';
import { fixed, mebibytes, tableText } from './table.js';
import { direct } from './targets/direct.js';
import { nginx } from './targets/nginx.js';
import type { RunningTarget, Target } from './targets/target.js';
import { umbra } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const mebibyte = 2 ** 20;
const bodyBytes = 2 ** 30;
const warmUpBytes = 64 * mebibyte;
const targets: readonly Target[] = [direct, umbra, nginx];
const directions = ['download', 'upload'] as const;
type Direction = (typeof directions)[number];
const ratioMin = 0.8;

interface Transfer {
  readonly target: string;
  readonly direction: Direction;
  readonly mibPerSecond: number;
  /** CPU time of the proxy for one MiB; NaN without one. */
  readonly cpuUsPerMib: number;
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

export async function bulk({ options, placement }: Bench): Promise<Verdict> {
  const origin = new Child(process.execPath, [beside('bulk-origin.js', import.meta.url)], {
    cpus: placement.rest,
    ipc: true,
  });
  const running = new Map<string, RunningTarget>();
  const transfers: Transfer[] = [];
  try {
    const { port } = await nextMessage<{ port: number }>(origin);
    // Targets know no other origins than these; all that they need of one is its port.
    const origins = { primary: { port }, shadow: { port } } as Origins;
    for (const target of targets) {
      const missing = target.missing();
      if (missing === null) running.set(target.name, await target.start(origins, placement));
      else console.log(`LEFT OUT  ${target.name}: ${missing}`);
    }
    for (const { url } of running.values())
      for (const direction of directions) await transfer(url, direction, warmUpBytes, placement);
    for (let round = 1; round <= options.rounds; round++) {
      for (const direction of directions) {
        for (const [name, target] of running) {
          const one = await measured(name, target, direction, placement);
          transfers.push(one);
          console.log(
            `round ${round}/${options.rounds}  ${direction.padEnd(8)}  ${name.padEnd(7)} ${fixed(one.mibPerSecond, 0)} MiB/s`,
          );
        }
      }
    }
  } finally {
    await Promise.all([...running.values()].map((target) => target.stop()));
    await origin.stop();
  }
  const rows = directions.flatMap((direction) =>
    [...running.keys()].map((name) => row(name, direction, of(transfers, name, direction))),
  );
  const heads = ['', 'MiB/s', 'min..max', 'CPU us/MiB', 'before MiB', 'peak MiB'];
  console.log(`\n${tableText(heads, rows)}`);
  return { aims: directions.map((direction) => aim(transfers, direction)), measured: transfers };
}

async function measured(
  target: string,
  { url, pids }: RunningTarget,
  direction: Direction,
  placement: Placement,
): Promise<Transfer> {
  const ids = pids();
  for (const pid of ids) resetPeak(pid);
  const beforeBytes = memoryOf(ids).residentBytes;
  const before = cpuOf(ids).cpuUs;
  const { seconds } = await transfer(url, direction, bodyBytes, placement);
  const mib = bodyBytes / mebibyte;
  return {
    target,
    direction,
    mibPerSecond: mib / seconds,
    cpuUsPerMib: ids.length === 0 ? Number.NaN : (cpuOf(ids).cpuUs - before) / mib,
    beforeBytes: ids.length === 0 ? Number.NaN : beforeBytes,
    peakBytes: ids.length === 0 ? Number.NaN : memoryOf(ids).peakBytes,
  };
}

/** Rejects when the body does not arrive whole. */
async function transfer(
  url: string,
  direction: Direction,
  bytes: number,
  placement: Placement,
): Promise<BulkResult> {
  const args = [beside('bulk-client.js', import.meta.url), url, direction, String(bytes)];
  return JSON.parse(await new Child(process.execPath, args, { cpus: placement.rest }).output()) as BulkResult;
}

function of(transfers: readonly Transfer[], name: string, direction: Direction): Transfer[] {
  return transfers.filter((one) => one.target === name && one.direction === direction);
}

function row(name: string, direction: Direction, rounds: readonly Transfer[]): string[] {
  const rate = spread(rounds.map((one) => one.mibPerSecond));
  return [
    `${direction} ${name}`,
    fixed(rate.median, 0),
    `${fixed(rate.min, 0)}..${fixed(rate.max, 0)}`,
    fixed(median(rounds.map((one) => one.cpuUsPerMib)), 0),
    mebibytes(median(rounds.map((one) => one.beforeBytes))),
    mebibytes(Math.max(...rounds.map((one) => one.peakBytes))),
  ];
}

/** Ratios within a round: what slows the machine for a while slows both. */
function aim(transfers: readonly Transfer[], direction: Direction): Aim {
  const name = `${direction}: umbra's throughput >= ${ratioMin} x nginx's`;
  const ours = of(transfers, umbra.name, direction);
  const theirs = of(transfers, nginx.name, direction);
  if (theirs.length === 0) return { name, found: 'nginx is missing', isMet: null };
  const ratio = spread(ours.map((one, round) => one.mibPerSecond / theirs[round].mibPerSecond));
  return {
    name,
    found: `${fixed(ratio.median, 2)} x (${fixed(ratio.min, 2)}..${fixed(ratio.max, 2)} by round)`,
    isMet: ratio.median >= ratioMin,
  };
}
