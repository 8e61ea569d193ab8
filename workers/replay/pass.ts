/** One pass of a replay over its recordings: a thread reads them, this one sends, until it is over. */
import { nowUs } from '../../core/clock.js';
import type { ComparePlan } from '../../core/plan.js';
import type { SkippedRecord } from '../../core/recording/recorded.js';
import type { Pace } from '../../core/replay/pace.js';
import { Player } from '../../core/replay/player.js';
import type { PlayCounters } from '../../core/replay/replay-counters.js';
import type { ReplayServers } from '../../core/replay/replayed-request.js';
import type { ResponsePairs } from '../../core/replay/response-pairs.js';
import type { TokenSource } from '../../core/replay/session-tokens.js';
import type { ReadJob } from './reading.js';
import { ReplaySource } from './source.js';

/** A pass with a time ends when its files give nothing, not even progress, for so long. */
const silenceMs = 30_000;

export interface PassSettings extends ReadJob {
  readonly servers: ReplayServers;
  readonly counters: PlayCounters;
  readonly compare: ComparePlan;
  readonly pairs: ResponsePairs;
  readonly sessions: readonly TokenSource[];
  readonly timeoutMs: number;
  readonly inFlightMax: number;
  /** Null: until the recordings end. */
  readonly forMs: number | null;
  onSkipped(path: string, skipped: SkippedRecord): void;
}

export class Pass {
  readonly source: ReplaySource;
  readonly #player: Player;
  readonly #failure: Promise<never>;
  readonly #forMs: number | null;
  /** Ends the pass: before the first requests where nothing is read, then at the end of its time. */
  #timer: NodeJS.Timeout | undefined;
  /**
   * When the first requests were at hand; null before. The time in which files are read for the order of
   * their requests is not part of the replay.
   */
  startUs: number | null = null;

  constructor(settings: PassSettings) {
    const { files, pace, loop, filters, order, edits, sessions, forMs } = settings;
    let failed!: (error: Error) => void;
    this.#failure = new Promise((_, reject) => {
      failed = reject;
    });
    this.source = new ReplaySource(
      { files, pace, loop, filters, order, edits },
      {
        onMore: () => this.#more(),
        onProgress: () => this.#timer?.refresh(),
        onSkipped: settings.onSkipped,
        onError: failed,
      },
    );
    this.#player = new Player({
      ...settings,
      source: this.source,
      tokenSources: sessions,
      clock: nowUs,
      atOnce: pace.kind === 'max',
      messagePace: { speed: speedOf(pace), longStreams: 'extend' },
    });
    this.#forMs = forMs;
    if (forMs !== null) this.#stopAfter(Math.max(forMs, silenceMs));
  }

  /** Resolves when all that was sent is over; rejects where the recordings can't be read. */
  async done(): Promise<void> {
    try {
      await Promise.race([this.#player.done, this.#failure]);
    } finally {
      clearTimeout(this.#timer);
      await this.source.close();
    }
  }

  /** Sends nothing more. */
  stop(): void {
    this.#player.stop();
  }

  /** A message that comes when all is over may begin the time once more: that keeps no process alive. */
  #stopAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), ms).unref();
  }

  #more(): void {
    if (this.startUs === null) {
      this.startUs = nowUs();
      if (this.#forMs !== null) this.#stopAfter(this.#forMs);
    }
    this.#player.more();
  }
}

/** The multiple of the recorded speed at which the messages of a stream are sent. */
function speedOf(pace: Pace): number {
  if (pace.kind === 'max') return Number.POSITIVE_INFINITY;
  return pace.kind === 'rate' ? 1 : pace.speed;
}
