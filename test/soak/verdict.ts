/** What a soak must come to. */
import { gapOf, openOf, sum } from '../support/umbra.js';
import type { SoakResult } from './soak.js';

/** Each broken promise in a line; none is what is wanted. */
export function verdictOf({ clientErrors, answered, stats: accounts }: SoakResult): string[] {
  const problems: string[] = [];
  if (answered === 0) problems.push('no request was answered');
  if (clientErrors.length > 0) problems.push(`${clientErrors.length} errors at clients`);
  for (const mirror of accounts.flatMap(({ mirrors }) => mirrors)) {
    const name = `${mirror.route} to ${mirror.to}`;
    const gap = gapOf(mirror);
    const unfinished = mirror.sent - mirror.completed - sum(mirror.failed) - mirror.inFlight;
    if (gap !== 0) problems.push(`${name}: eligible is not sent and dropped, by ${gap}`);
    if (unfinished !== 0)
      problems.push(`${name}: sent is not completed, failed and in flight, by ${unfinished}`);
    if (mirror.inFlight !== 0) problems.push(`${name}: ${mirror.inFlight} in flight at rest`);
  }
  const open = accounts.reduce((total, stats) => total + openOf(stats), 0);
  if (open !== 0) problems.push(`${open} exchanges have neither a response nor a failure`);
  return problems;
}
