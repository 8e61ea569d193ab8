/** `umbra check FILE`: every problem on stderr, one per line. */
import { availableParallelism } from 'node:os';
import type { CheckOptions } from '../../config/commands/check.js';
import type { CommandIo } from '../../config/commands/index.js';
import { compilePlan } from '../../config/compile.js';
import { exitOk, exitUsage } from '../../config/exit-codes.js';
import { loadAll } from '../../config/load-all.js';
import { isPlanAddress } from '../../config/nats-address.js';
import { originOf, originOfPlan } from '../../config/origin.js';
import { formatProblem } from '../../config/problem.js';
import { MirrorSlots } from '../../config/slots.js';
import { planText } from './plan-address.js';

/** Returns the exit code: 0, or 2 when there is an error. Warnings are printed and do not count. */
export async function checkCommand({ file, set }: CheckOptions, io: CommandIo): Promise<number> {
  let origin = originOf(file, set);
  if (isPlanAddress(file)) {
    const text = await planText(file);
    if (typeof text !== 'string') {
      io.err(text.reason);
      return exitUsage;
    }
    origin = originOfPlan(file, text, set);
  }
  const result = await loadAll({ origin, change: null, nowMs: 0, yaml: false });
  for (const problem of result.ok ? result.warnings : result.problems) io.err(formatProblem(problem));
  if (!result.ok) return exitUsage;
  const plan = compilePlan(result.config, 0, new MirrorSlots(), availableParallelism());
  const mirrors = plan.routes.reduce((count, route) => count + route.mirrors.length, 0);
  io.out(
    `${file}: ok (${counted(plan.versions.length, 'version')}, ${counted(plan.routes.length, 'route')}, ${counted(mirrors, 'mirror')})`,
  );
  return exitOk;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
