/** Prints the reading of one mirror at the end of a command: a report, and a verdict. */
import { writeFile } from 'node:fs/promises';
import type { CommandIo } from '../../config/commands/index.js';
import { exitOk } from '../../config/exit-codes.js';
import { isoTime, wallClockMs } from '../../core/clock.js';
import type { Reading } from '../../core/report/reading.js';
import { reportOfReading } from '../../core/report/report.js';
import { reportHtml } from '../../core/report/report-html.js';
import { reportText } from '../../core/report/report-text.js';
import { evidenceOf } from '../../core/verdict/evidence.js';
import { judge } from '../../core/verdict/judge.js';
import type { VerdictBounds } from '../../core/verdict/verdict.js';
import { verdictText } from '../../core/verdict/verdict-text.js';
import { verdictExitCodes } from './verdict.js';

export interface PrintOptions extends VerdictBounds {
  /** Origin of the requests, as the report names it. */
  readonly source: string;
  /** Path of the HTML page; null prints text on standard output. */
  readonly output: string | null;
  /** Whether the exit code is that of the verdict. */
  readonly verdict: boolean;
}

/** Returns the exit code. `versus` names the two sides of the verdict. */
export async function printReading(
  reading: Reading,
  options: PrintOptions,
  versus: string,
  io: CommandIo,
): Promise<number> {
  const [mirror] = reading.mirrors;
  const { source, output, verdict: judges } = options;
  const report = reportOfReading(reading, {
    source,
    madeAt: isoTime(wallClockMs()),
    diffs: null,
    verdict: null,
    config: null,
    notes: [],
  });
  if (output !== null) {
    await writeFile(output, reportHtml(report));
    io.out(`wrote ${output}`);
  } else io.out(reportText(report).trimEnd());
  if (mirror.counts.paired === 0 && !judges) return exitOk;
  const verdict = judge(evidenceOf(reading), null, options, 'once');
  io.out(verdictText(verdict, versus).trimEnd());
  return judges ? verdictExitCodes[verdict.outcome] : exitOk;
}
