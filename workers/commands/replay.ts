/** `umbra replay`: plays recordings to a server and tells what came of it, as live figures are told. */

import { closeSync, fstatSync, openSync } from 'node:fs';
import type { CommandIo } from '../../config/commands/index.js';
import type { ReplayOptions } from '../../config/commands/replay.js';
import { exitFailure } from '../../config/exit-codes.js';
import { nowUs } from '../../core/clock.js';
import type { Plan } from '../../core/plan.js';
import { MirrorField } from '../../core/record/mirror-counters.js';
import type { Skipped } from '../../core/recording/recorded.js';
import { Player } from '../../core/replay/player.js';
import { ReplayCounters } from '../../core/replay/replay-counters.js';
import { spanText } from '../../core/report/figures.js';
import type { Reading } from '../../core/report/reading.js';
import { unitMs } from '../../core/verdict/block-series.js';
import { ReplaySource } from '../replay/source.js';
import { oneMirror, openPool, serverAsVersion, targetsOf } from './one-mirror.js';
import { printReading } from './print-reading.js';

/** Told one by one up to here, then as a number. */
const skippedTold = 5;
const barIntervalMs = 200;
const eraseLine = '\r\x1b[K';

/** Resolves with the exit code: 1 where nothing could be played, or by the verdict where it is asked for. Never rejects. */
export async function replayCommand(options: ReplayOptions, io: CommandIo): Promise<number> {
  try {
    const plan = planOf(options);
    const files = options.files.map((path) => new RecordingFile(path));
    const skipped = new SkippedCount(io);
    const reading = await play(options, plan, files, skipped);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) file.close();
    skipped.tellRest();
    return await tell(options, reading, plan, bytes, io);
  } catch (error) {
    io.err(`umbra replay: ${(error as Error).message}`);
    return exitFailure;
  }
}

async function play(
  options: ReplayOptions,
  plan: Plan,
  files: readonly RecordingFile[],
  skipped: SkippedCount,
): Promise<Reading> {
  const [, version] = plan.versions;
  const pool = openPool(version, await targetsOf(version));
  const counters = new ReplayCounters();
  const { pace, loop, filters, order, keepHost, timeoutMs } = options;
  const host = keepHost ? null : version.endpoints[0].authority;
  let failed!: (error: Error) => void;
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  /** When the first requests were at hand: what a thread and a file take to start is nothing of the time to play. */
  let startUs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    startUs = nowUs();
    if (options.forMs !== null) timer = setTimeout(stop, options.forMs);
  };
  const source = new ReplaySource(
    { files, pace, loop, filters, order },
    {
      onMore: () => {
        if (startUs === undefined) begin();
        player.more();
      },
      onSkipped: (path, offset, reason) => skipped.add(path, { offset, reason }),
      onError: failed,
    },
  );
  const player = new Player({
    source,
    pool,
    counters,
    clock: nowUs,
    host,
    atOnce: pace.kind === 'max',
    timeoutMs,
    inFlightMax: pace.kind === 'max' ? options.connections : options.inFlight,
  });
  const stop = (): void => player.stop();
  const looks = setInterval(() => counters.look(), unitMs);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const endBar = process.stderr.isTTY ? showBar(counters, source) : undefined;
  try {
    await Promise.race([player.done, failure]);
  } finally {
    endBar?.();
    clearTimeout(timer);
    clearInterval(looks);
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    pool.close();
    await source.close();
  }
  return counters.reading(plan, startUs ?? nowUs(), nowUs());
}

class RecordingFile {
  readonly path: string;
  readonly bytes: number;
  readonly descriptor: number;

  constructor(path: string) {
    this.path = path;
    try {
      this.descriptor = openSync(path, 'r');
      const stat = fstatSync(this.descriptor);
      if (!stat.isFile()) throw new Error('it is not a file');
      this.bytes = stat.size;
    } catch (error) {
      throw new Error(`can't read ${path}: ${(error as Error).message}`);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

class SkippedCount {
  readonly #io: CommandIo;
  #count = 0;
  /** A loop meets the same ones again. */
  readonly #told = new Set<string>();

  constructor(io: CommandIo) {
    this.#io = io;
  }

  add(path: string, { offset, reason }: Skipped): void {
    const line = `${path}:${offset}: skipped: ${reason}`;
    if (this.#told.has(line)) return;
    if (++this.#count > skippedTold) return;
    this.#told.add(line);
    this.#io.err(line);
  }

  tellRest(): void {
    if (this.#count > skippedTold) this.#io.err(`${this.#count - skippedTold} more records were skipped`);
  }
}

/** A live mirror of the recording, as a configuration would have it: its version is whom the requests are sent to. */
function planOf({ to, connections, timeoutMs, inFlight }: ReplayOptions): Plan {
  const version = serverAsVersion('replay', to, connections, Math.max(inFlight, connections), timeoutMs);
  return oneMirror('replay', 'recording', version);
}

async function tell(
  options: ReplayOptions,
  reading: Reading,
  plan: Plan,
  bytes: number,
  io: CommandIo,
): Promise<number> {
  const [mirror] = reading.mirrors;
  const { eligible, queue } = mirror.counts;
  if (eligible === 0) {
    io.err('umbra replay: there was nothing to play');
    return exitFailure;
  }
  const perSecond = Math.round(eligible / Math.max(reading.uptimeS, 1e-3));
  io.out(
    `played ${eligible} requests in ${spanText(reading.uptimeS)}, ${perSecond} a second, from ${bytes} bytes`,
  );
  if (options.pace.kind !== 'max')
    io.out(
      `sent behind their time: p50 ${queue.percentileUs(50)} us, p99 ${queue.percentileUs(99)} us, at most ${queue.maxUs} us`,
    );
  return printReading(
    reading,
    { ...options, source: options.files.join(', ') },
    `${plan.versions[1].endpoints[0].authority} against the recording`,
    io,
  );
}

function showBar(counters: ReplayCounters, source: ReplaySource): () => void {
  const width = 30;
  const draw = (): void => {
    const full = Math.round(source.share * width);
    const { mirror } = counters;
    const bar = `[${'='.repeat(full)}${' '.repeat(width - full)}]`;
    process.stderr.write(
      `${eraseLine}${bar} ${mirror.get(MirrorField.completed)} answered, ${mirror.totalOf(MirrorField.failed)} failed, ${mirror.get(MirrorField.inFlight)} under way`,
    );
  };
  const timer = setInterval(draw, barIntervalMs);
  return () => {
    clearInterval(timer);
    process.stderr.write(eraseLine);
  };
}
