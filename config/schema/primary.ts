/** `primary` of a route: the version that answers, or several by weight. */
import { z } from 'zod';
import { parseName } from '../names.js';
import { key, mappingExpected, name } from './values.js';

const weightMax = 1_000_000;
/** Weights have as many decimals as percentages. */
const stepsPerUnit = 10_000;
const weightExpected = `expected a weight from 0 to ${weightMax} in steps of 0.0001`;

const weight = z
  .number({ error: weightExpected })
  .min(0, { error: weightExpected })
  .max(weightMax, { error: weightExpected })
  .refine((given) => Math.abs(given * stepsPerUnit - Math.round(given * stepsPerUnit)) < 1e-3, {
    error: weightExpected,
  })
  .transform((given) => Math.round(given * stepsPerUnit) / stepsPerUnit);

export interface WeightedName {
  readonly version: string;
  readonly weight: number;
}

export const primary = z.union(
  [
    name.transform((version): WeightedName[] => [{ version, weight: 1 }]),
    z
      .record(key(parseName), weight, { error: mappingExpected })
      .transform((weights, context): WeightedName[] => {
        const given = Object.entries(weights).map(([version, weight]) => ({ version, weight }));
        if (given.every(({ weight }) => weight === 0)) {
          context.issues.push({ code: 'custom', message: 'expected a weight above 0', input: weights });
        }
        return given;
      }),
  ],
  { error: 'expected a name, or a mapping of versions and their weights' },
);
