/** How requests are chosen: at random, or by a key that always gives the same result. */
import type { SamplePlan } from '../../core/plan.js';
import { isToken } from '../fields.js';
import { Refusal } from '../units.js';
import { text } from './values.js';

const sampleExpected = 'expected random, client, header:NAME or cookie:NAME';

function parseSample(sample: string): SamplePlan | Refusal {
  if (sample === 'random' || sample === 'client') return { by: sample };
  const [by, name] = sample.split(/:(.*)/s, 2);
  if ((by !== 'header' && by !== 'cookie') || name === undefined || !isToken(name))
    return new Refusal(sampleExpected);
  return { by, name: by === 'header' ? name.toLowerCase() : name };
}

function formatSample(sample: SamplePlan): string {
  return 'name' in sample ? `${sample.by}:${sample.name}` : sample.by;
}

export const sample = text(sampleExpected, parseSample, formatSample);
