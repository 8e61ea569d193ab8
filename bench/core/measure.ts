/**
 * Measures short loops for the micro benches: the least of several rounds, so that a busy machine disturbs
 * little.
 */

const ROUNDS = 7;
const ROUND_MS = 60;

export interface Measured {
  readonly name: string;
  readonly nsPerRun: number;
}

/**
 * `loop` runs its work `times` times and returns something that depends on all of it, so that nothing is
 * optimised away. Returns nanoseconds per run, the loop itself included: compare with a no-op baseline.
 */
export function measured(name: string, loop: (times: number) => number): Measured {
  let times = 1000;
  while (timedNs(loop, times) < ROUND_MS * 1e6) times *= 2;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    best = Math.min(best, timedNs(loop, times) / times);
  }
  return { name, nsPerRun: best };
}

/** One line each, with the ratio to the last row, which is the rival. */
export function printTable(title: string, rows: readonly Measured[]): void {
  const rival = rows.at(-1)!;
  console.log(`\n${title}`);
  for (const row of rows) {
    const ns = row.nsPerRun.toFixed(row.nsPerRun < 10 ? 1 : 0).padStart(9);
    console.log(
      `  ${row.name.padEnd(52)} ${ns} ns   x ${(row.nsPerRun / rival.nsPerRun).toFixed(3)} of the rival`,
    );
  }
}

/** CPU time, so that a busy machine does not count; its resolution is a microsecond. */
function timedNs(loop: (times: number) => number, times: number): number {
  const before = process.cpuUsage();
  keep(loop(times));
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

let kept = 0;
/** Stores results where the compiler can't prove them unused. */
function keep(value: number): void {
  kept = (kept + value) | 0;
}
