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
export async function checkCommand({ file, set, output }: CheckOptions, io: CommandIo): Promise<number> {
  let origin = originOf(file, set);
  if (isPlanAddress(file)) {
    const text = await planText(file);
    if (typeof text !== 'string') {
      if (output === 'json') printJson(io, { file, ok: false, problems: [text.reason], warnings: [] });
      else io.err(text.reason);
      return exitUsage;
    }
    origin = originOfPlan(file, text, set);
  }
  const result = await loadAll({ origin, change: null, nowMs: 0, yaml: false });
  if (output === 'text')
    for (const problem of result.ok ? result.warnings : result.problems) io.err(formatProblem(problem));
  if (!result.ok) {
    if (output === 'json')
      printJson(io, { file, ok: false, problems: result.problems.map(formatProblem), warnings: [] });
    return exitUsage;
  }
  const plan = compilePlan(result.config, 0, new MirrorSlots(), availableParallelism());
  const mirrors = plan.routes.reduce((count, route) => count + route.mirrors.length, 0);
  if (output === 'json') {
    const [versions, routes] = [plan.versions.length, plan.routes.length];
    const warnings = result.warnings.map(formatProblem);
    printJson(io, { file, ok: true, problems: [], warnings, versions, routes, mirrors });
    return exitOk;
  }
  io.out(
    `${file}: ok (${counted(plan.versions.length, 'version')}, ${counted(plan.routes.length, 'route')}, ${counted(mirrors, 'mirror')})`,
  );
  return exitOk;
}

/** What `--output json` prints. Problems and warnings are the lines of the text. */
interface CheckResult {
  readonly file: string;
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly versions?: number;
  readonly routes?: number;
  readonly mirrors?: number;
}

function printJson(io: CommandIo, result: CheckResult): void {
  io.out(JSON.stringify(result, null, 2));
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
