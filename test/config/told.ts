/** Loads a text and returns its problems, as a person would see them. */

import { formatProblem, type LoadedConfig, type LoadOptions, loadConfig } from '../../config/load.js';
import { loadAll } from '../../config/load-all.js';
import { originOf } from '../../config/origin.js';
import type { Plan } from '../../core/plan.js';

/** `line:column: message` of every problem; empty when the configuration is good. */
export function told(text: string, options: LoadOptions = {}): string[] {
  const result = loadConfig(text, 'f', options);
  return (result.ok ? result.warnings : result.problems).map((problem) =>
    formatProblem(problem).replace(/^f:/, ''),
  );
}

export function loaded(text: string, options: LoadOptions = {}): LoadedConfig {
  const result = loadConfig(text, 'f', options);
  if (result.ok) return result.config;
  throw new Error(result.problems.map(formatProblem).join('\n'));
}

/** Loads a file, or a directory with an umbra.yaml, as the product does. */
export function loadedFrom(path: string) {
  return loadAll({ origin: originOf(path, []), change: null, nowMs: 0, yaml: false });
}

/**
 * `plan` without the text of its configuration, which two configurations of one plan may write in two ways.
 */
export function withoutText(plan: Plan): Omit<Plan, 'effective'> {
  const { effective, ...rest } = plan;
  return rest;
}

/** The least that is a configuration, with `lines` in front. */
export function minimal(lines = ''): string {
  return `${lines}versions: { v1: "http://127.0.0.1:1" }\nroutes: [ { primary: v1 } ]\n`;
}

/** One route with one mirror from v1 to v2, and one key of the mirror in the fourth line. */
export function mirrored(key: string): string {
  return `versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2" }\nroutes:\n- primary: v1\n  mirrors: [ { to: v2, ${key} } ]\n`;
}
