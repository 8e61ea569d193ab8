/**
 * `umbra verdict`: decides whether the shadow may be released, from figures of a running umbra or a fleet.
 */
import type { CommandIo } from '../../config/commands/index.js';
import type { VerdictOptions } from '../../config/commands/verdict.js';
import { exitFailure, exitOk, exitUndecided, exitUnreachable } from '../../config/exit-codes.js';
import { spanText } from '../../core/report/figures.js';
import { evidenceOf } from '../../core/verdict/evidence.js';
import { judge } from '../../core/verdict/judge.js';
import { junitXml } from '../../core/verdict/junit.js';
import type { Looks } from '../../core/verdict/looks.js';
import { needsOf, needsText } from '../../core/verdict/needs.js';
import type { Outcome, Verdict } from '../../core/verdict/verdict.js';
import { blocksText, verdictText } from '../../core/verdict/verdict-text.js';
import { type FigureSource, openFigures } from './figures.js';
import { type WatchedFigures, watchFigures } from './watched.js';

export const verdictExitCodes: Readonly<Record<Outcome, number>> = {
  pass: exitOk,
  fail: exitFailure,
  undecided: exitUndecided,
};
/**
 * A window is looked at so many times, but not more often than a block is long, nor less often than every few
 * seconds.
 */
const looksPerWindow = 60;
const stepMsMin = 250;
const stepMsMax = 5000;
const untilDecidedStepMsMax = 1000;

/** Resolves with the exit code: 0 pass, 1 fail, 3 undecided, 4 umbra can't be asked. Never rejects. */
export async function verdictCommand(options: VerdictOptions, io: CommandIo): Promise<number> {
  let source: FigureSource | null = null;
  try {
    source = await openFigures(options);
    const figures = await look(source, options, io);
    for (const note of figures.notes) io.err(`umbra verdict: ${note}`);
    const looks: Looks = options.untilDecided ? 'repeated' : 'once';
    const verdict = verdictOf(figures, options, looks);
    if (options.plan) {
      printNeeds(figures, verdict, options, io);
      return exitOk;
    }
    const isWindow = options.forMs !== null || options.untilDecided;
    const span = isWindow ? `the window watched: ${spanText(figures.reading.uptimeS)}` : sinceText(figures);
    print(verdict, `${source.name}, ${span}`, options, io);
    return verdictExitCodes[verdict.outcome];
  } catch (error) {
    io.err(`umbra verdict: ${(error as Error).message}`);
    return exitUnreachable;
  } finally {
    await source?.close();
  }
}

async function look(source: FigureSource, options: VerdictOptions, io: CommandIo): Promise<WatchedFigures> {
  const { forMs, untilDecided, atMostMs } = options;
  if (untilDecided) {
    io.err(`watching until it is decided, at most for ${spanText(atMostMs / 1000)}`);
    return watchFigures(
      source,
      atMostMs,
      (elapsedMs) => Math.min(untilDecidedStepMsMax, Math.max(stepMsMin, elapsedMs / looksPerWindow)),
      (soFar) => verdictOf(soFar, options, 'repeated').outcome !== 'undecided',
    );
  }
  if (forMs !== null) {
    io.err(`watching for ${spanText(forMs / 1000)}`);
    const stepMs = Math.min(stepMsMax, Math.max(stepMsMin, forMs / looksPerWindow));
    return watchFigures(source, forMs, () => stepMs);
  }
  return source.look(true);
}

function verdictOf({ reading, diffs }: WatchedFigures, options: VerdictOptions, looks: Looks): Verdict {
  return judge(evidenceOf(reading), diffs, options, looks);
}

function print(verdict: Verdict, about: string, { output }: VerdictOptions, io: CommandIo): void {
  if (output === 'json') io.out(JSON.stringify(verdict, null, 2));
  else if (output === 'junit') io.out(junitXml(verdict).trimEnd());
  else io.out(verdictText(verdict, about).trimEnd());
}

function printNeeds(
  { reading }: WatchedFigures,
  { mirrors }: Verdict,
  { output, samplesMin }: VerdictOptions,
  io: CommandIo,
): void {
  const evidence = evidenceOf(reading);
  const needs = mirrors.map((mirror, i) => needsOf(mirror, evidence[i].blocks, samplesMin));
  if (output === 'json') io.out(JSON.stringify(needs, null, 2));
  else if (needs.length === 0) io.out('no mirror is switched on, so there is nothing to judge');
  else io.out(needs.map(needsText).join('\n\n'));
}

function sinceText({ reading }: WatchedFigures): string {
  const blocks = evidenceOf(reading).map((mirror) => mirror.blocks);
  const longest = blocks.reduce((a, b) => (b.length > a.length ? b : a), []);
  return `since its start: ${blocksText(longest)} with traffic`;
}
