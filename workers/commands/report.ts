/**
 * `umbra report`: the versions compared on one page or as text, from a running umbra or from histogram logs.
 */
import { writeFile } from 'node:fs/promises';
import type { CommandIo } from '../../config/commands/index.js';
import type { ReportOptions } from '../../config/commands/report.js';
import { exitFailure, exitOk, exitUnreachable } from '../../config/exit-codes.js';
import { isoTime, wallClockMs } from '../../core/clock.js';
import { rollCallFacts } from '../../core/fleet/roll-call.js';
import { Histogram } from '../../core/record/histogram.js';
import { type Report, reportOfLogs, reportOfReading } from '../../core/report/report.js';
import { reportHtml } from '../../core/report/report-html.js';
import { reportText } from '../../core/report/report-text.js';
import { histogramFigures } from '../../core/report/table-stats.js';
import { evidenceOf } from '../../core/verdict/evidence.js';
import { judge } from '../../core/verdict/judge.js';
import { defaultBounds } from '../../core/verdict/verdict.js';
import { askAdmin } from './admin-client.js';
import { type FiguresPlace, openFigures } from './figures.js';
import { readHlogFiles } from './hlog-files.js';

/**
 * Resolves with the exit code: 1 where there is nothing to report or no place to write it, 4 where umbra
 * can't be asked. Never rejects.
 */
export async function reportCommand(options: ReportOptions, io: CommandIo): Promise<number> {
  const fail = (error: unknown, code: number): number => {
    io.err(`umbra report: ${(error as Error).message}`);
    return code;
  };
  const isOfLogs = options.hlog.length > 0;
  let report: Report;
  try {
    report = isOfLogs ? await ofLogs(options.hlog) : await ofRunning(options);
  } catch (error) {
    return fail(error, isOfLogs ? exitFailure : exitUnreachable);
  }
  try {
    for (const note of report.notes) io.err(`umbra report: ${note}`);
    if (report.versions.length === 0 && report.mirrors.length === 0)
      throw new Error('there is nothing to report');
    if (options.output === 'json') io.out(JSON.stringify(jsonOf(report), null, 2));
    else if (options.output === '-') {
      io.out(reportText(report).trimEnd());
    } else {
      await writeFile(options.output, reportHtml(report));
      io.out(`wrote ${options.output}`);
    }
    return exitOk;
  } catch (error) {
    return fail(error, exitFailure);
  }
}

/** Figures of histograms alone, and maps as objects, because JSON has neither. */
function jsonOf(report: Report): unknown {
  return JSON.parse(
    JSON.stringify(report, (_key, value: unknown) => {
      if (value instanceof Histogram) return histogramFigures(value);
      return value instanceof Map ? Object.fromEntries(value) : value;
    }),
  );
}

async function ofRunning(place: FiguresPlace): Promise<Report> {
  const source = await openFigures(place);
  try {
    const [{ reading, diffs, members, rollouts, notes }, config] = await Promise.all([
      source.look(true),
      place.fleet === undefined ? askAdmin(place, 'api/config') : null,
    ]);
    const verdict = judge(evidenceOf(reading), diffs, defaultBounds, 'repeated');
    const madeAt = isoTime(wallClockMs());
    const about = { source: source.name, madeAt, diffs, config, rollouts, notes, verdict };
    const report = reportOfReading(reading, about);
    return members === null ? report : { ...report, facts: [...report.facts, ...rollCallFacts(members)] };
  } finally {
    await source.close();
  }
}

async function ofLogs(paths: readonly string[]): Promise<Report> {
  const { byTag, notes } = await readHlogFiles(paths);
  const source = paths.length === 1 ? paths[0] : `${paths.length} histogram logs`;
  return reportOfLogs(byTag, { source, madeAt: isoTime(wallClockMs()), notes }, isoTime);
}
