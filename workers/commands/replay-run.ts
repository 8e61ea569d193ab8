/** The passes of an `umbra replay`: one that learns noise, where that is asked for, and one that compares. */
import type { NoiseSource, ReplayOptions } from '../../config/commands/replay.js';
import { nowUs } from '../../core/clock.js';
import type { Plan } from '../../core/plan.js';
import { MirrorField } from '../../core/record/mirror-counters.js';
import type { VersionCounters } from '../../core/record/version-counters.js';
import type { SkippedRecord } from '../../core/recording/recorded.js';
import type { ReplayServer } from '../../core/replay/replay-call.js';
import { type PlayCounters, ReplayCounters } from '../../core/replay/replay-counters.js';
import type { ReplayServers } from '../../core/replay/replayed-request.js';
import type { ResponsePair, ResponsePairs } from '../../core/replay/response-pairs.js';
import { SessionTokens } from '../../core/replay/session-tokens.js';
import type { Reading } from '../../core/report/reading.js';
import type { VersionPool } from '../../core/upstream/pool.js';
import { unitMs } from '../../core/verdict/block-series.js';
import { learnFromRecordings } from '../replay/learning.js';
import type { PairAnalysts } from '../replay/pair-analysts.js';
import { Pass } from '../replay/pass.js';
import type { RecordingFile } from '../replay/recording-file.js';
import type { ReplaySource } from '../replay/source.js';
import { openPool, serverAsVersion, targetsOf } from './one-mirror.js';
import type { ProgressLine } from './progress-line.js';

export interface ReplayRunParts {
  readonly options: ReplayOptions;
  readonly plan: Plan;
  readonly pairs: PairAnalysts;
  readonly files: readonly RecordingFile[];
  readonly io: ProgressLine;
  /** A record can't be played. */
  onSkipped(path: string, skipped: SkippedRecord): void;
}

export class ReplayRun {
  readonly #parts: ReplayRunParts;
  readonly #counters = new ReplayCounters();
  #pass: Pass | null = null;
  #stopped = false;

  constructor(parts: ReplayRunParts) {
    this.#parts = parts;
  }

  /**
   * `others`: a second recording, to learn noise from; empty where there is none. `learned`: the pairs by
   * which noise was learned beforehand; null where that was not asked for.
   */
  async run(others: readonly RecordingFile[]): Promise<{ reading: Reading; learned: number | null }> {
    const { plan, options } = this.#parts;
    const { learn, baseline } = options;
    const counters = this.#counters;
    const stop = (): void => {
      this.#stopped = true;
      this.#pass?.stop();
    };
    const looks = setInterval(() => counters.look(), unitMs);
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    try {
      const learned = learn === null ? null : await this.#learn(learn, others);
      const startUs = this.#stopped ? nowUs() : await this.#compare();
      const hasBaseline = baseline !== null || (learn !== null && 'url' in learn);
      return { reading: counters.reading(plan, startUs, nowUs(), hasBaseline), learned };
    } finally {
      clearInterval(looks);
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    }
  }

  /** Returns the number of pairs. */
  async #learn(from: NoiseSource, others: readonly RecordingFile[]): Promise<number> {
    const { pairs, files, options, io } = this.#parts;
    if ('path' in from) {
      const endProgress = io.show(() => `learning noise from ${from.path}`);
      return learnFromRecordings(files, others, options.filters, pairs, () => this.#stopped).finally(
        endProgress,
      );
    }
    const counters = this.#counters;
    const shadow = { url: from.url, counters: counters.baseline };
    const asBaseline = { take: (pair: ResponsePair) => pairs.take({ ...pair, isBaseline: true }) };
    const learning = { ...options, loop: false };
    await this.#play(learning, { shadow, primary: null, baseline: null }, counters.learning, asBaseline);
    await pairs.idle();
    return counters.baselineMirror.get(MirrorField.handedToAnalysts);
  }

  /** Returns when the first requests were at hand. */
  #compare(): Promise<number> {
    const { options, pairs } = this.#parts;
    const { to, baseline } = options;
    const counters = this.#counters;
    const [primary, shadow] = to.length === 1 ? [null, to[0]] : to;
    const servers = {
      shadow: { url: shadow, counters: counters.played },
      primary: primary === null ? null : { url: primary, counters: counters.recorded },
      baseline: baseline === null ? null : { url: baseline, counters: counters.baseline },
    };
    return this.#play(options, servers, counters, pairs);
  }

  async #play(
    options: ReplayOptions,
    asked: AskedServers,
    counters: PlayCounters,
    pairs: ResponsePairs,
  ): Promise<number> {
    const { files, plan, io, onSkipped } = this.#parts;
    const { pace, connections, inFlight, loop } = options;
    const { servers, close } = await openServers(options, asked);
    const pass = new Pass({
      ...options,
      files,
      servers,
      counters,
      compare: plan.routes[0].mirrors[0].compare,
      pairs,
      inFlightMax: pace.kind === 'max' ? connections : inFlight,
      // The pass that learns would report them twice.
      onSkipped: counters === this.#counters ? onSkipped : () => {},
    });
    this.#pass = pass;
    if (this.#stopped) pass.stop();
    const what = counters === this.#counters ? '' : 'learning noise: ';
    const endProgress = io.show(() => what + barText(counters, pass.source, loop));
    try {
      await pass.done();
    } finally {
      endProgress();
      close();
    }
    return pass.startUs ?? nowUs();
  }
}

interface AskedServer {
  readonly url: string;
  readonly counters: VersionCounters;
}

interface AskedServers {
  readonly shadow: AskedServer;
  readonly primary: AskedServer | null;
  readonly baseline: AskedServer | null;
}

/** Pools of the servers that are asked, and how to close them. */
async function openServers(
  { keepHost, connections, inFlight, timeoutMs, sessions }: ReplayOptions,
  asked: AskedServers,
): Promise<{ servers: ReplayServers; close(): void }> {
  const pools: VersionPool[] = [];
  const open = async ({ url, counters }: AskedServer): Promise<ReplayServer> => {
    const version = serverAsVersion('server', url, connections, Math.max(inFlight, connections), timeoutMs);
    const targets = await targetsOf(version);
    const pool = openPool(version, targets);
    // Without requests it opens no connection.
    const grpcPool = openPool({ ...version, protocol: 'http2' }, targets);
    pools.push(pool, grpcPool);
    return {
      pool,
      grpcPool,
      counters,
      host: keepHost ? null : version.endpoints[0].authority,
      tokens: sessions.length === 0 ? null : new SessionTokens(sessions),
    };
  };
  const { shadow, primary, baseline } = asked;
  return {
    servers: {
      shadow: await open(shadow),
      primary: primary === null ? null : await open(primary),
      baseline: baseline === null ? null : await open(baseline),
    },
    close: () => {
      for (const pool of pools) pool.close();
    },
  };
}

function barText({ mirror }: PlayCounters, { requests, indexedShare }: ReplaySource, loop: boolean): string {
  const width = 30;
  const bar = (share: number): string => {
    const full = Math.round(Math.min(1, share) * width);
    return `[${'='.repeat(full)}${' '.repeat(width - full)}]`;
  };
  if (requests === 0) return `${bar(indexedShare)} reading the recording`;
  const played = loop ? '' : `${bar(mirror.get(MirrorField.eligible) / requests)} `;
  return `${played}${mirror.get(MirrorField.completed)} answered, ${mirror.totalOf(MirrorField.failed)} failed, ${mirror.get(MirrorField.inFlight)} under way`;
}
