/** `umbra check FILE`: every problem on stderr, one per line. */
import { availableParallelism } from 'node:os';
import { compilePlan } from './compile.js';
import { exitOk, exitUsage } from './exit-codes.js';
import { loadAll } from './load-all.js';
import { isPlanAddress } from './nats-address.js';
import { originOf, originOfPlan } from './origin.js';
import { formatProblem } from './problem.js';
import { MirrorSlots } from './slots.js';

/** The text behind a `nats-kv://` address, or why there is none. */
export type ReadPlanText = (address: string) => Promise<string | { readonly reason: string }>;

export interface Output {
  out(line: string): void;
  error(line: string): void;
}

/** `file` may be a directory, as for `run`. Returns the exit code: 0, or 2 when there is an error. Warnings are told and do not count. */
export async function checkFile(
  file: string,
  set: readonly string[],
  output: Output,
  readPlanText: ReadPlanText = async () => ({ reason: "can't be read here" }),
): Promise<number> {
  let origin = originOf(file, set);
  if (isPlanAddress(file)) {
    const text = await readPlanText(file);
    if (typeof text !== 'string') {
      output.error(text.reason);
      return exitUsage;
    }
    origin = originOfPlan(file, text, set);
  }
  const result = await loadAll({ origin, change: null, nowMs: 0, yaml: false });
  for (const problem of result.ok ? result.warnings : result.problems) output.error(formatProblem(problem));
  if (!result.ok) return exitUsage;
  const plan = compilePlan(result.config, 0, new MirrorSlots(), availableParallelism());
  const mirrors = plan.routes.reduce((count, route) => count + route.mirrors.length, 0);
  output.out(
    `${file}: ok (${counted(plan.versions.length, 'version')}, ${counted(plan.routes.length, 'route')}, ${counted(mirrors, 'mirror')})`,
  );
  return exitOk;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
