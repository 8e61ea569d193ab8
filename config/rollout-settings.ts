/** The settings of one rollout as the admin API gets them: the keys of `routes[].rollout`. */
import type { RolloutPlan } from '../core/plan.js';
import { compileRollout } from './compile-rollout.js';
import { rollout } from './schema/rollout.js';

export type RolloutSettings =
  | { readonly ok: true; readonly plan: RolloutPlan }
  /** A line each. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** The keys of a configuration, by the fields of a plan that they decide. */
const keysOf: Readonly<Partial<Record<keyof RolloutPlan, string>>> = {
  onUndecided: 'onUndecided',
  watchMs: 'watch',
  errorsMax: 'maxErrors',
  pairs: 'pairs',
  onStep: 'onStep',
  onRollback: 'onRollback',
  onDone: 'onDone',
};
const boundKeys: Readonly<Record<keyof RolloutPlan['bounds'], string>> = {
  shift: 'maxShift',
  p99Delta: 'maxP99Delta',
  errorDelta: 'maxErrorDelta',
  diff: 'maxDiff',
};

/** `configured`: what the route says; it holds for every key that `given` does not have. */
export function rolloutSettings(
  given: Record<string, unknown>,
  configured: RolloutPlan | null,
): RolloutSettings {
  const parsed = rollout.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join('.')}: ${message}`,
    );
    return { ok: false, problems };
  }
  const to = parsed.data.to ?? configured?.to ?? '';
  if (to === '') return { ok: false, problems: ['to: is missing: the new version'] };
  const plan = compileRollout(parsed.data, to);
  return { ok: true, plan: configured === null ? plan : merged(plan, configured, given) };
}

function merged(plan: RolloutPlan, configured: RolloutPlan, given: Record<string, unknown>): RolloutPlan {
  const isGiven = (key: string): boolean => given[key] !== undefined;
  const whole: Record<string, unknown> = { ...plan };
  for (const [field, key] of Object.entries(keysOf))
    if (!isGiven(key)) whole[field] = configured[field as keyof RolloutPlan];
  const bounds: Record<string, unknown> = { ...plan.bounds };
  for (const [field, key] of Object.entries(boundKeys))
    if (!isGiven(key)) bounds[field] = configured.bounds[field as keyof RolloutPlan['bounds']];
  const steps = isGiven('steps') ? plan.steps : configured.steps;
  const requestsMin = isGiven('requests') ? plan.steps[0].requestsMin : configured.steps[0].requestsMin;
  return {
    ...(whole as unknown as RolloutPlan),
    bounds: bounds as unknown as RolloutPlan['bounds'],
    steps: steps.map((step) => ({ ...step, requestsMin })),
  };
}
