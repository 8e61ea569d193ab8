/** `umbra verdict`: may the shadow be released? Prints each check with its numbers, and says it in the exit code too. */
import type { CommandIo } from '../../config/commands/index.js';
import { exitFailure } from '../../config/exit-codes.js';
import { spanText } from '../../core/report/figures.js';
import { judge, type Outcome, type VerdictBounds } from '../../core/report/verdict.js';
import { verdictText } from '../../core/report/verdict-text.js';
import {
  diffsBetween,
  type FigureSource,
  type Figures,
  type FiguresPlace,
  figuresBetween,
  openFigures,
} from './figures.js';

export interface VerdictOptions extends FiguresPlace, VerdictBounds {
  /** Judges what happens from now on for so long; null: everything since umbra started. */
  readonly forMs: number | null;
}

const exitCodes: Readonly<Record<Outcome, number>> = { pass: 0, fail: 1, 'too-little-data': 3 };
/** Of the time watched: enough to see a primary that differs from itself, and each long enough for a p99 of its own. */
const partsWatched = 4;

/** Resolves with the exit code: 0 pass, 1 fail or no answer from umbra, 3 too little data. Never rejects. */
export async function verdictCommand(options: VerdictOptions, io: CommandIo): Promise<number> {
  let source: FigureSource | null = null;
  try {
    source = await openFigures(options);
    const looks = await watch(source, options, io);
    const [first, last] = [looks[0]!, looks[looks.length - 1]!];
    const since = options.forMs === null ? null : first;
    const reading = since === null ? last.reading : figuresBetween(since, last);
    const diffs = since === null ? last.diffs : diffsBetween(since, last);
    const parts = looks.slice(1).map((look, i) => figuresBetween(looks[i]!, look));
    for (const note of last.notes) io.err(`umbra verdict: ${note}`);
    const verdict = judge(reading, diffs, options, parts);
    const span = since === null ? 'since its start' : 'the window watched';
    io.out(verdictText(verdict, `${source.name}, ${span}: ${spanText(reading.uptimeS)}`).trimEnd());
    return exitCodes[verdict.outcome];
  } catch (error) {
    io.err(`umbra verdict: ${(error as Error).message}`);
    return exitFailure;
  } finally {
    await source?.close();
  }
}

/** Looks at the beginning, at the end, and between the parts of the time to be watched; without such a time once. */
async function watch(
  source: FigureSource,
  options: VerdictOptions,
  io: CommandIo,
): Promise<readonly Figures[]> {
  const looks = [await source.look(true)];
  if (options.forMs === null) return looks;
  io.err(`watching for ${spanText(options.forMs / 1000)}`);
  const startMs = performance.now();
  for (let part = 1; part <= partsWatched; part++) {
    const dueMs = startMs + (options.forMs * part) / partsWatched;
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    looks.push(await source.look(true));
  }
  return looks;
}
