/**
 * The rules by which `umbra replay` and `umbra shadow` compare contents: those of a mirror of a configuration
 * and its redaction, as a live mirror has them, and what the command line adds.
 */
import { availableParallelism } from 'node:os';
import { compilePlan } from '../../config/compile.js';
import { loadAll } from '../../config/load-all.js';
import { isPlanAddress } from '../../config/nats-address.js';
import { originOf, originOfPlan } from '../../config/origin.js';
import { formatProblem } from '../../config/problem.js';
import { MirrorSlots } from '../../config/slots.js';
import { wallClockMs } from '../../core/clock.js';
import { type ComparePlan, type Plan, type RedactPlan, targetName } from '../../core/plan.js';
import { planText } from './plan-address.js';

export interface CompareChoice {
  /** A configuration's path or address; null: only the command line has rules. */
  readonly config: string | null;
  /** `ROUTE` or `ROUTE/VERSION`; null: the only mirror that compares. */
  readonly mirror: string | null;
}

export interface CompareRules {
  readonly compare: ComparePlan;
  readonly redact: RedactPlan;
}

/** The plan of a configuration. Throws an Error with every problem that it has. */
export async function planOfConfig(config: string): Promise<Plan> {
  const loaded = await loadAll({
    origin: isPlanAddress(config) ? originOfPlan(config, await textOf(config), []) : originOf(config, []),
    change: null,
    nowMs: wallClockMs(),
    yaml: false,
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return compilePlan(loaded.config, 1, new MirrorSlots(), availableParallelism());
}

async function textOf(address: string): Promise<string> {
  const text = await planText(address);
  if (typeof text !== 'string') throw new Error(text.reason);
  return text;
}

/**
 * The rules of the mirror that `choice` names. `version`: the shadow, where it is one of the configuration;
 * without a mirror to it that compares there are no rules. Throws an Error where there is no such mirror, or
 * where several could be meant.
 */
export function rulesOf(
  plan: Plan,
  { config, mirror: wanted }: CompareChoice,
  version: string | null,
): CompareRules | null {
  const comparing = plan.routes.flatMap(({ name: route, mirrors }) =>
    mirrors
      .filter(({ compare }) => compare.structure !== null)
      .map((mirror) => ({ route, to: targetName(plan, mirror), compare: mirror.compare })),
  );
  const meant = comparing.filter(({ route, to }) =>
    wanted === null ? version === null || to === version : wanted === route || wanted === `${route}/${to}`,
  );
  const [first, second] = meant;
  if (first === undefined && wanted === null && version !== null) return null;
  const names = (mirrors: typeof comparing): string =>
    mirrors.map(({ route, to }) => `${route}/${to}`).join(', ');
  if (first === undefined)
    throw new Error(
      comparing.length === 0
        ? `${config} has no mirror that compares`
        : `${config} has no mirror ${wanted} that compares; mirrors: ${names(comparing)}`,
    );
  if (second !== undefined)
    throw new Error(`${config} has several mirrors that compare: name one with --mirror: ${names(meant)}`);
  return { compare: first.compare, redact: plan.redact };
}
