/** Reads the body of a PATCH on a route: new weights of its primaries. */
import type { RouteChange } from '../protocol/live-change.js';

const weightMax = 1_000_000;
const stepsPerUnit = 10_000;
/** The tolerance for decimal fractions stored as doubles, relative to the step. */
const stepTolerance = 1e-3;
const percentPattern = /^(\d{1,3}(?:\.\d{1,4})?)\s?%$/;
const whole = 100;

/**
 * `parseWeightsChange` returns the change, or a short description of the problem. It is strict, like mirrors.
 *
 *   { "primary": { "v1": 95 } }                  single weights
 *   { "primary": { "v1": "95%", "v2": "5%" } }   all of them
 *   { "reset": true }                            those of the configuration
 */
export function parseWeightsChange(text: string): RouteChange | string {
  const body = parseObject(text);
  if (typeof body === 'string') return body;
  const unknown = Object.keys(body).find((key) => key !== 'primary' && key !== 'reset');
  if (unknown !== undefined) return `unknown key ${JSON.stringify(unknown)}: expected primary or reset`;
  const { primary, reset } = body;
  if (reset !== undefined) {
    if (reset !== true) return 'reset must be true';
    return primary === undefined ? { weights: null } : 'reset excludes every other change';
  }
  if (!isObject(primary) || Object.keys(primary).length === 0)
    return 'expected { "primary": { VERSION: WEIGHT, … } }';
  return parseWeights(Object.entries(primary));
}

/** `parseReset` reads the body of a PATCH on all weights. It returns null, or what is wrong. */
export function parseReset(text: string): string | null {
  const body = parseObject(text);
  if (typeof body === 'string') return body;
  return Object.keys(body).length === 1 && body.reset === true ? null : 'expected { "reset": true }';
}

function parseWeights(given: readonly (readonly [string, unknown])[]): RouteChange | string {
  const percents = given.filter(([, weight]) => typeof weight === 'string');
  if (percents.length > 0 && percents.length < given.length)
    return 'expected weights or percentages, not both';
  const weights: [string, number][] = [];
  for (const [version, text] of given) {
    const percent = typeof text === 'string' ? percentPattern.exec(text) : null;
    const weight = typeof text === 'string' ? Number(percent?.[1]) : text;
    if (typeof text === 'string' && !(percent !== null && weight !== null && Number(weight) <= whole))
      return 'a percentage must be a text such as "5%", from 0% to 100% in steps of 0.0001';
    if (!isWeight(weight)) return `a weight must be a number from 0 to ${weightMax} in steps of 0.0001`;
    weights.push([version, Math.round(weight * stepsPerUnit) / stepsPerUnit]);
  }
  const change = { weights: Object.fromEntries(weights) };
  if (percents.length === 0) return change;
  const sum = weights.reduce((sum, [, weight]) => sum + Math.round(weight * stepsPerUnit), 0) / stepsPerUnit;
  return sum === whole ? { ...change, unnamed: 'zero' } : `the percentages add up to ${sum}%, not 100%`;
}

function parseObject(text: string): Record<string, unknown> | string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'the body is not JSON';
  }
  return isObject(body) ? body : 'the body must be a JSON object';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWeight(value: unknown): value is number {
  if (typeof value !== 'number' || !(value >= 0 && value <= weightMax)) return false;
  const steps = value * stepsPerUnit;
  return Math.abs(steps - Math.round(steps)) < stepTolerance;
}
