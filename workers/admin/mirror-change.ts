import type { MirrorSetting } from '../protocol/live-change.js';

/** A share is kept in millionths, so a percentage has four decimals. */
const STEPS_PER_PERCENT = 10_000;
/** The tolerance for decimal fractions stored as doubles, relative to the step. */
const STEP_TOLERANCE = 1e-6;

type Key = 'percent' | 'enabled' | 'reset';

/**
 * `parseMirrorChange` reads the body of a PATCH on mirrors. It returns the change, null for
 * `{ "reset": true }`, or a short description of the problem. It is strict: a misspelt key must not look like
 * a successful change.
 */
export function parseMirrorChange(text: string, allowed: readonly Key[]): MirrorSetting | null | string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'the body is not JSON';
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return 'the body must be a JSON object';
  const given = body as Record<string, unknown>;
  const unknown = Object.keys(given).find((key) => !(allowed as readonly string[]).includes(key));
  if (unknown !== undefined)
    return `unknown key ${JSON.stringify(unknown)}: expected ${allowed.join(' or ')}`;

  const { percent, enabled, reset } = given;
  if (reset !== undefined) {
    if (reset !== true) return 'reset must be true';
    return Object.keys(given).length > 1 ? 'reset excludes every other change' : null;
  }
  if (percent === undefined && enabled === undefined)
    return `nothing to change: expected ${allowed.join(' or ')}`;
  if (percent !== undefined && !isPercent(percent))
    return 'percent must be a number from 0 to 100 in steps of 0.0001';
  if (enabled !== undefined && typeof enabled !== 'boolean') return 'enabled must be true or false';
  return { ...(percent !== undefined && { percent }), ...(enabled !== undefined && { enabled }) };
}

function isPercent(value: unknown): value is number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 100)) return false;
  const steps = value * STEPS_PER_PERCENT;
  return Math.abs(steps - Math.round(steps)) < STEP_TOLERANCE;
}
