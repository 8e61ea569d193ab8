/** A reading of one mirror at the end of a command: as a report, and judged. */
import { writeFile } from 'node:fs/promises';
import { exitOk } from '../../config/exit-codes.js';
import { isoTime, wallClockMs } from '../../core/clock.js';
import type { Reading } from '../../core/report/reading.js';
import { reportOfReading } from '../../core/report/report.js';
import { reportHtml } from '../../core/report/report-html.js';
import { reportText } from '../../core/report/report-text.js';
import { judge, type Outcome, type VerdictBounds } from '../../core/report/verdict.js';
import { verdictText } from '../../core/report/verdict-text.js';
import type { CommandIo } from './mirror.js';

const verdictCodes: Readonly<Record<Outcome, number>> = { pass: 0, fail: 1, 'too-little-data': 3 };

export interface TellOptions extends VerdictBounds {
  /** Where the requests came from. */
  readonly source: string;
  /** Path of the page; null is text on standard output. */
  readonly output: string | null;
  /** The exit code is the verdict's. */
  readonly verdict: boolean;
}

/** `versus`: who is judged against whom. The exit code. */
export async function tellReading(
  reading: Reading,
  options: TellOptions,
  versus: string,
  io: CommandIo,
): Promise<number> {
  const [mirror] = reading.mirrors;
  const { source, output, verdict: judges } = options;
  const report = reportOfReading(reading, {
    source,
    madeAt: isoTime(wallClockMs()),
    diffs: null,
    config: null,
    notes: [],
  });
  if (output !== null) {
    await writeFile(output, reportHtml(report));
    io.out(`wrote ${output}`);
  } else io.out(reportText(report).trimEnd());
  if (mirror.counts.paired === 0 && !judges) return exitOk;
  const verdict = judge(reading, null, options);
  io.out(verdictText(verdict, versus).trimEnd());
  return judges ? verdictCodes[verdict.outcome] : exitOk;
}
