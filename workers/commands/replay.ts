/** `umbra replay`: plays recordings to a server, and reports the result as live figures are reported. */

import type { CommandIo } from '../../config/commands/index.js';
import type { ReplayOptions } from '../../config/commands/replay.js';
import { exitFailure } from '../../config/exit-codes.js';
import type { Plan } from '../../core/plan.js';
import type { DiffsView } from '../../core/report/diffs.js';
import { spanText } from '../../core/report/figures.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import type { Reading } from '../../core/report/reading.js';
import { PairAnalysts } from '../replay/pair-analysts.js';
import { openRecordings, type RecordingFile } from '../replay/recording-file.js';
import { planOfConfig, rulesOf } from './compare-rules.js';
import { oneMirror, serverAsVersion } from './one-mirror.js';
import { printReading } from './print-reading.js';
import { ProgressLine } from './progress-line.js';
import { ReplayRun } from './replay-run.js';
import { SkippedRecords } from './skipped-records.js';

const lateNote =
  'umbra itself sent requests late, because this machine was too busy for the load: latencies are too long';
/** A replay whose p99 of lateness is above this has measured its own machine, too. */
const lateUsMax = 10_000;

/**
 * Resolves with the exit code: 1 where nothing could be played, or by the verdict where it is asked for.
 * Never rejects.
 */
export async function replayCommand(options: ReplayOptions, commandIo: CommandIo): Promise<number> {
  const io = new ProgressLine(commandIo);
  try {
    const plan = await planOf(options);
    const skipped = new SkippedRecords((line) => io.err(line));
    const files = await opened(options.files, skipped);
    const others = await opened(
      options.learn !== null && 'path' in options.learn ? [options.learn.path] : [],
    );
    const pairs = new PairAnalysts(plan, options.baseline !== null || options.learn !== null);
    const replay = new ReplayRun({
      options,
      plan,
      pairs,
      files,
      io,
      onSkipped: (path, record) => skipped.add(path, record),
    });
    const { reading, learned } = await replay.run(others);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of [...files, ...others]) file.close();
    await pairs.idle();
    const diffs = parseDiffs(pairs.diffs());
    await pairs.close();
    const facts = { bytes, ...(learned === null ? {} : { learned }) };
    return await report(options, reading, diffs.mirrors.length === 0 ? null : diffs, skipped, facts, io);
  } catch (error) {
    io.err(`umbra replay: ${(error as Error).message}`);
    return exitFailure;
  }
}

/** Without `skipped`, entries that can't be played are not reported. */
function opened(paths: readonly string[], skipped?: SkippedRecords): Promise<RecordingFile[]> {
  return openRecordings(paths, (path, record) => skipped?.add(path, record, 'entry'));
}

/**
 * The mirror that the replay is counted as: from the recording, or the first server, to the one under test.
 */
async function planOf(options: ReplayOptions): Promise<Plan> {
  const { to, connections, timeoutMs, inFlight, ignore, config } = options;
  const server = to[to.length - 1];
  const version = serverAsVersion('replay', server, connections, Math.max(inFlight, connections), timeoutMs);
  const rules = config === null ? null : rulesOf(await planOfConfig(config), options, null);
  return oneMirror('replay', to.length === 1 ? 'recording' : 'primary', version, ignore, rules);
}

/** `facts`: figures that JSON has beside the report's. */
async function report(
  options: ReplayOptions,
  reading: Reading,
  diffs: DiffsView | null,
  skipped: SkippedRecords,
  facts: { readonly bytes: number; readonly learned?: number },
  io: CommandIo,
): Promise<number> {
  const { eligible, queue } = reading.mirrors[0].counts;
  if (eligible === 0) {
    io.err('umbra replay: there was nothing to play');
    return exitFailure;
  }
  const { to, files, output, pace } = options;
  const lateUs = { p50: queue.percentileUs(50), p99: queue.percentileUs(99), max: queue.maxUs };
  if (output !== 'json') {
    const perSecond = Math.round(eligible / Math.max(reading.uptimeS, 1e-3));
    if (facts.learned !== undefined) io.out(`learned noise from ${facts.learned} pairs`);
    io.out(
      `played ${eligible} requests in ${spanText(reading.uptimeS)}, ${perSecond} a second, from ${facts.bytes} bytes`,
    );
    if (pace.kind !== 'max')
      io.out(
        `sent late by umbra itself, in no latency: p50 ${lateUs.p50} us, p99 ${lateUs.p99} us, at most ${lateUs.max} us`,
      );
  }
  const isLate = pace.kind !== 'max' && lateUs.p99 > lateUsMax;
  const [primary, shadow] = to.length === 1 ? ['the recording', to[0]] : to;
  return printReading(
    reading,
    diffs,
    { ...options, source: files.join(', '), notes: [...skipped.notes, ...(isLate ? [lateNote] : [])] },
    `${new URL(shadow).host} against ${to.length === 1 ? primary : new URL(primary).host}`,
    io,
    { played: eligible, ...facts, skipped: skipped.count, skippedByReason: skipped.byReason, lateUs },
  );
}
