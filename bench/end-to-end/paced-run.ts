/** A run of paced.ts in a process of its own. */
import { beside, Child } from './child.js';
import type { PacedResult } from './paced.js';
import type { Bench } from './verdict.js';

const generatorPath = beside('paced.js', import.meta.url);

/** `rate` requests a second; `bodyBytes`: of a POST, 0 for GETs. */
export async function runPaced(
  url: string,
  rate: number,
  bodyBytes: number,
  { options, placement }: Pick<Bench, 'options' | 'placement'>,
): Promise<PacedResult> {
  const numbers = [rate, options.connections, options.seconds, bodyBytes].map(String);
  const args = [generatorPath, url, ...numbers];
  return JSON.parse(
    await new Child(process.execPath, args, { cpus: placement.rest }).output(),
  ) as PacedResult;
}
