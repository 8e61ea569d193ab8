/** `umbra replay`: plays recordings to a server, and reports the result as live figures are reported. */

import type { CommandIo } from '../../config/commands/index.js';
import type { ReplayOptions } from '../../config/commands/replay.js';
import { exitFailure } from '../../config/exit-codes.js';
import { nowUs } from '../../core/clock.js';
import type { Plan } from '../../core/plan.js';
import { MirrorField } from '../../core/record/mirror-counters.js';
import type { VersionCounters } from '../../core/record/version-counters.js';
import { Player } from '../../core/replay/player.js';
import type { ReplayServer } from '../../core/replay/replay-call.js';
import { ReplayCounters } from '../../core/replay/replay-counters.js';
import type { ReplayServers } from '../../core/replay/replayed-request.js';
import { SessionTokens } from '../../core/replay/session-tokens.js';
import type { DiffsView } from '../../core/report/diffs.js';
import { spanText } from '../../core/report/figures.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import type { Reading } from '../../core/report/reading.js';
import type { VersionPool } from '../../core/upstream/pool.js';
import { unitMs } from '../../core/verdict/block-series.js';
import { PairAnalysts } from '../replay/pair-analysts.js';
import { openRecordings, type RecordingFile } from '../replay/recording-file.js';
import { ReplaySource } from '../replay/source.js';
import { oneMirror, openPool, serverAsVersion, targetsOf } from './one-mirror.js';
import { printReading } from './print-reading.js';

/** Records that are named one by one; further ones are counted. */
const skippedReported = 5;
const barIntervalMs = 200;
const eraseLine = '\r\x1b[K';

/**
 * Resolves with the exit code: 1 where nothing could be played, or by the verdict where it is asked for.
 * Never rejects.
 */
export async function replayCommand(options: ReplayOptions, io: CommandIo): Promise<number> {
  try {
    const plan = planOf(options);
    const skipped = new SkippedCount(io);
    const files = await openRecordings(options.files, (path, { offset, reason }) =>
      skipped.add(`${path}: entry ${offset}: skipped: ${reason}`),
    );
    const pairs = new PairAnalysts(plan, options.baseline !== null);
    const reading = await play(options, plan, files, pairs, skipped);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) file.close();
    await pairs.idle();
    const diffs = parseDiffs(pairs.diffs());
    await pairs.close();
    skipped.reportRest();
    return await report(
      options,
      reading,
      diffs.mirrors.length === 0 ? null : diffs,
      bytes,
      skipped.count,
      io,
    );
  } catch (error) {
    io.err(`umbra replay: ${(error as Error).message}`);
    return exitFailure;
  }
}

/** Pools of the servers that are asked, and how to close them. */
async function openServers(
  { to, baseline, keepHost, connections, inFlight, timeoutMs, sessions }: ReplayOptions,
  counters: ReplayCounters,
): Promise<{ servers: ReplayServers; close(): void }> {
  const pools: VersionPool[] = [];
  const open = async (
    url: string | null | undefined,
    counts: VersionCounters,
  ): Promise<ReplayServer | null> => {
    if (url == null) return null;
    const version = serverAsVersion('server', url, connections, Math.max(inFlight, connections), timeoutMs);
    const pool = openPool(version, await targetsOf(version));
    pools.push(pool);
    return {
      pool,
      counters: counts,
      host: keepHost ? null : version.endpoints[0].authority,
      tokens: sessions.length === 0 ? null : new SessionTokens(sessions),
    };
  };
  const [primary, shadow] = to.length === 1 ? [null, to[0]] : to;
  const servers = {
    shadow: (await open(shadow, counters.played))!,
    primary: await open(primary, counters.recorded),
    baseline: await open(baseline, counters.baseline),
  };
  return {
    servers,
    close: () => {
      for (const pool of pools) pool.close();
    },
  };
}

async function play(
  options: ReplayOptions,
  plan: Plan,
  files: readonly RecordingFile[],
  pairs: PairAnalysts,
  skipped: SkippedCount,
): Promise<Reading> {
  const counters = new ReplayCounters();
  const { pace, loop, filters, order, edits, timeoutMs, baseline, sessions } = options;
  const { servers, close } = await openServers(options, counters);
  let failed!: (error: Error) => void;
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  /**
   * When the first requests were at hand: the time in which files are read for their order is not part of the
   * replay.
   */
  let startUs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    startUs = nowUs();
    if (options.forMs !== null) timer = setTimeout(stop, options.forMs);
  };
  const source = new ReplaySource(
    { files, pace, loop, filters, order, edits },
    {
      onMore: () => {
        if (startUs === undefined) begin();
        player.more();
      },
      onSkipped: (path, offset, reason) => skipped.add(`${path}:${offset}: skipped: ${reason}`),
      onError: failed,
    },
  );
  const player = new Player({
    source,
    servers,
    pairs,
    tokenSources: sessions,
    counters,
    clock: nowUs,
    atOnce: pace.kind === 'max',
    timeoutMs,
    inFlightMax: pace.kind === 'max' ? options.connections : options.inFlight,
  });
  const stop = (): void => player.stop();
  const looks = setInterval(() => counters.look(), unitMs);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const endBar = process.stderr.isTTY ? showBar(counters, source, loop) : undefined;
  try {
    await Promise.race([player.done, failure]);
  } finally {
    endBar?.();
    clearTimeout(timer);
    clearInterval(looks);
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    close();
    await source.close();
  }
  return counters.reading(plan, startUs ?? nowUs(), nowUs(), baseline !== null);
}

class SkippedCount {
  readonly #io: CommandIo;
  count = 0;

  constructor(io: CommandIo) {
    this.#io = io;
  }

  add(line: string): void {
    if (++this.count <= skippedReported) this.#io.err(line);
  }

  reportRest(): void {
    if (this.count > skippedReported)
      this.#io.err(`${this.count - skippedReported} more records were skipped`);
  }
}

/**
 * The mirror that the replay is counted as: from the recording, or the first server, to the one under test.
 */
function planOf({ to, connections, timeoutMs, inFlight, ignore }: ReplayOptions): Plan {
  const server = to[to.length - 1];
  const version = serverAsVersion('replay', server, connections, Math.max(inFlight, connections), timeoutMs);
  return oneMirror('replay', to.length === 1 ? 'recording' : 'primary', version, ignore);
}

async function report(
  options: ReplayOptions,
  reading: Reading,
  diffs: DiffsView | null,
  bytes: number,
  skipped: number,
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
    io.out(
      `played ${eligible} requests in ${spanText(reading.uptimeS)}, ${perSecond} a second, from ${bytes} bytes`,
    );
    if (pace.kind !== 'max')
      io.out(
        `sent late by umbra itself, in no latency: p50 ${lateUs.p50} us, p99 ${lateUs.p99} us, at most ${lateUs.max} us`,
      );
  }
  const [primary, shadow] = to.length === 1 ? ['the recording', to[0]] : to;
  return printReading(
    reading,
    diffs,
    { ...options, source: files.join(', ') },
    `${new URL(shadow).host} against ${to.length === 1 ? primary : new URL(primary).host}`,
    io,
    { played: eligible, bytes, skipped, lateUs },
  );
}

function showBar({ mirror }: ReplayCounters, source: ReplaySource, loop: boolean): () => void {
  const width = 30;
  const bar = (share: number): string => {
    const full = Math.round(Math.min(1, share) * width);
    return `[${'='.repeat(full)}${' '.repeat(width - full)}]`;
  };
  const draw = (): void => {
    const { requests, indexedShare } = source;
    const text =
      requests === 0
        ? `${bar(indexedShare)} reading the recording`
        : `${loop ? '' : `${bar(mirror.get(MirrorField.eligible) / requests)} `}${mirror.get(MirrorField.completed)} answered, ${mirror.totalOf(MirrorField.failed)} failed, ${mirror.get(MirrorField.inFlight)} under way`;
    process.stderr.write(eraseLine + text);
  };
  const timer = setInterval(draw, barIntervalMs);
  return () => {
    clearInterval(timer);
    process.stderr.write(eraseLine);
  };
}
