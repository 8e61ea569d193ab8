/** Prints the reading of one mirror at the end of a command: a report, and a verdict. */
import { writeFile } from 'node:fs/promises';
import type { CommandIo } from '../../config/commands/index.js';
import { exitOk } from '../../config/exit-codes.js';
import { isoTime, wallClockMs } from '../../core/clock.js';
import type { DiffsView } from '../../core/report/diffs.js';
import type { Reading } from '../../core/report/reading.js';
import { reportOfReading } from '../../core/report/report.js';
import { reportHtml } from '../../core/report/report-html.js';
import { reportText } from '../../core/report/report-text.js';
import { stats } from '../../core/report/stats.js';
import { evidenceOf } from '../../core/verdict/evidence.js';
import { judge } from '../../core/verdict/judge.js';
import type { VerdictBounds } from '../../core/verdict/verdict.js';
import { verdictText } from '../../core/verdict/verdict-text.js';
import { verdictExitCodes } from './verdict.js';

export interface PrintOptions extends VerdictBounds {
  /** Origin of the requests, as the report names it. */
  readonly source: string;
  /** Sentences that the report has beside its figures. */
  readonly notes?: readonly string[];
  /** Null and `-` print text on standard output, `json` a JSON object; else the path of an HTML page. */
  readonly output: string | null;
  /** Whether the exit code is that of the verdict. */
  readonly verdict: boolean;
}

/**
 * Returns the exit code. `diffs`: what the comparison of contents found; null where none was compared.
 * `versus` names the two sides of the verdict. `facts`: figures of the command, which JSON has beside the
 * report's.
 */
export async function printReading(
  reading: Reading,
  diffs: DiffsView | null,
  options: PrintOptions,
  versus: string,
  io: CommandIo,
  facts: Readonly<Record<string, unknown>> = {},
): Promise<number> {
  const [mirror] = reading.mirrors;
  const { source, output, verdict: judges } = options;
  const report = reportOfReading(reading, {
    source,
    madeAt: isoTime(wallClockMs()),
    diffs,
    verdict: null,
    config: null,
    rollouts: [],
    notes: options.notes ?? [],
  });
  if (output === 'json') {
    const verdict = judge(evidenceOf(reading), diffs, options, 'once');
    io.out(JSON.stringify({ ...facts, stats: stats(reading), diffs, verdict }));
    return judges ? verdictExitCodes[verdict.outcome] : exitOk;
  }
  if (output !== null && output !== '-') {
    await writeFile(output, reportHtml(report));
    io.out(`wrote ${output}`);
  } else io.out(reportText(report).trimEnd());
  if (mirror.counts.paired === 0 && !judges) return exitOk;
  const verdict = judge(evidenceOf(reading), diffs, options, 'once');
  io.out(verdictText(verdict, versus).trimEnd());
  return judges ? verdictExitCodes[verdict.outcome] : exitOk;
}
