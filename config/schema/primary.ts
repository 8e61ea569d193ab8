/** `primary` of a route: the version that answers, or several by weight. */
import { z } from 'zod';
import { parseName } from '../names.js';
import { Refusal } from '../units.js';
import { form, key, mappingExpected, name } from './values.js';

const weightMax = 1_000_000;
/** Weights have as many decimals as percentages. */
const stepsPerUnit = 10_000;
const weightExpected = `expected a weight from 0 to ${weightMax} in steps of 0.0001`;

const weightWritten = z
  .number({ error: weightExpected })
  .min(0, { error: weightExpected })
  .max(weightMax, { error: weightExpected })
  .refine((given) => Math.abs(given * stepsPerUnit - Math.round(given * stepsPerUnit)) < 1e-3, {
    error: weightExpected,
  });
const weight = form(weightWritten, (given) => Math.round(given * stepsPerUnit) / stepsPerUnit, Number);

export interface WeightedName {
  readonly version: string;
  readonly weight: number;
}

export const primary = z.union(
  [
    form(
      name,
      (version): WeightedName[] => [{ version, weight: 1 }],
      (all) => (all.length === 1 && all[0].weight === 1 ? all[0].version : new Refusal('has weights')),
    ),
    form(
      z.record(key(parseName), weight, { error: mappingExpected }),
      (weights): WeightedName[] | Refusal => {
        const given = Object.entries(weights).map(([version, weight]) => ({ version, weight }));
        return given.some(({ weight }) => weight > 0) ? given : new Refusal('expected a weight above 0');
      },
      (all) => Object.fromEntries(all.map(({ version, weight }) => [version, weight])),
    ),
  ],
  { error: 'expected a name, or a mapping of versions and their weights' },
);
