/** `umbra verdict`: may the shadow be released? Prints each check with its numbers, and says it in the exit code too. */
import { between } from '../../core/report/between.js';
import { subtractDiffs } from '../../core/report/diffs.js';
import { spanText } from '../../core/report/figures.js';
import type { Reading } from '../../core/report/reading.js';
import { judge, type Outcome, type VerdictBounds } from '../../core/report/verdict.js';
import { verdictText } from '../../core/report/verdict-text.js';
import type { AdminPlace } from './admin-client.js';
import { readDiffs, readFigures } from './figures.js';
import type { CommandIo } from './mirror.js';

export interface VerdictOptions extends AdminPlace, VerdictBounds {
  /** Judges what happens from now on for so long; null: everything since umbra started. */
  readonly forMs: number | null;
}

const exitCodes: Readonly<Record<Outcome, number>> = { pass: 0, fail: 1, 'too-little-data': 3 };
const exitFailure = 1;

/** Resolves with the exit code: 0 pass, 1 fail or no answer from umbra, 3 too little data. Never rejects. */
export async function verdictCommand(options: VerdictOptions, io: CommandIo): Promise<number> {
  try {
    const before = options.forMs === null ? null : await look(options);
    if (options.forMs !== null) {
      io.err(`watching for ${spanText(options.forMs / 1000)}`);
      await new Promise((resolve) => setTimeout(resolve, options.forMs!));
    }
    const after = await look(options);
    const reading = before === null ? after.reading : between(before.reading, after.reading);
    const diffs =
      before?.diffs == null || after.diffs === null ? after.diffs : subtractDiffs(after.diffs, before.diffs);
    const verdict = judge(reading, diffs, options);
    const span = before === null ? 'since its start' : 'the window watched';
    io.out(verdictText(verdict, `${options.admin}, ${span}: ${spanText(reading.uptimeS)}`).trimEnd());
    return exitCodes[verdict.outcome];
  } catch (error) {
    io.err(`umbra verdict: ${(error as Error).message}`);
    return exitFailure;
  }
}

async function look(place: AdminPlace): Promise<{
  reading: Reading;
  diffs: Awaited<ReturnType<typeof readDiffs>>;
}> {
  const [reading, diffs] = await Promise.all([readFigures(place), readDiffs(place)]);
  return { reading, diffs };
}
