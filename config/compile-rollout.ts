/** Compiles the settings of a rollout. */
import type { HookPlan, RolloutPlan } from '../core/plan.js';
import type { HookConfig, RolloutConfig } from './schema/rollout.js';

const whole = 1_000_000;

/** `to`: the new version. */
export function compileRollout(config: RolloutConfig, to: string): RolloutPlan {
  const { steps, requests, onUndecided, watch, maxErrors, pairs } = config;
  const fraction = (millionths: number | null): number | null =>
    millionths === null ? null : millionths / whole;
  return {
    to,
    steps: steps.map((step) => ({ ...step, requestsMin: requests })),
    onUndecided,
    watchMs: watch,
    bounds: {
      shift: fraction(config.maxShift),
      p99Delta: fraction(config.maxP99Delta),
      errorDelta: fraction(config.maxErrorDelta),
      diff: fraction(config.maxDiff),
    },
    errorsMax: maxErrors / whole,
    pairs,
    onStep: compileHook(config.onStep),
    onRollback: compileHook(config.onRollback),
    onDone: compileHook(config.onDone),
  };
}

function compileHook(hook: HookConfig | undefined): HookPlan | null {
  if (hook === undefined) return null;
  const { command, url, timeout: timeoutMs } = hook;
  return command === undefined
    ? { kind: 'http', url: url!, timeoutMs }
    : { kind: 'command', command, timeoutMs };
}
