/** Reads the body of a PATCH on a route: new weights of its primaries. */
const weightMax = 1_000_000;
const stepsPerUnit = 10_000;
/** The tolerance for decimal fractions stored as doubles, relative to the step. */
const stepTolerance = 1e-3;

/**
 * `parseWeightsChange` returns the weights by version, or a short description of the problem. It is strict,
 * like mirrors.
 */
export function parseWeightsChange(text: string): Record<string, number> | string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'the body is not JSON';
  }
  if (!isObject(body)) return 'the body must be a JSON object';
  const unknown = Object.keys(body).find((key) => key !== 'primary');
  if (unknown !== undefined) return `unknown key ${JSON.stringify(unknown)}: expected primary`;
  const { primary } = body;
  if (!isObject(primary) || Object.keys(primary).length === 0)
    return 'expected { "primary": { VERSION: WEIGHT, … } }';
  const weights: [string, number][] = [];
  for (const [version, weight] of Object.entries(primary)) {
    if (!isWeight(weight)) return `a weight must be a number from 0 to ${weightMax} in steps of 0.0001`;
    weights.push([version, Math.round(weight * stepsPerUnit) / stepsPerUnit]);
  }
  return Object.fromEntries(weights);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWeight(value: unknown): value is number {
  if (typeof value !== 'number' || !(value >= 0 && value <= weightMax)) return false;
  const steps = value * stepsPerUnit;
  return Math.abs(steps - Math.round(steps)) < stepTolerance;
}
