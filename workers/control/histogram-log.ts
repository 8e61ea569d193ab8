/**
 * Writes the latencies of all threads to HdrHistogram logs, one interval after the other (core/hlog). It runs
 * on the control thread and reads shared memory; the data plane is not involved. An interval that can't be
 * written is counted and logged, and becomes part of the next one: no value is lost as long as a later write
 * succeeds.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { wallClockMs } from '../../core/clock.js';
import { intervalLine, logHeader } from '../../core/hlog/log-line.js';
import { LogMark } from '../../core/hlog/mark.js';
import { type Series, seriesOf } from '../../core/hlog/series.js';
import { Char } from '../../core/http/chars.js';
import type { HistogramsPlan } from '../../core/plan.js';
import { Histogram } from '../../core/record/histogram.js';
import type { HistogramLogCounts } from '../../core/report/control-counts.js';
import type { Observed } from '../../core/report/observed.js';

/** The memory of a mark, by the tag of its series. */
export interface KeptMark {
  readonly tag: string;
  readonly shared: SharedArrayBuffer;
}

export interface HistogramLogOptions {
  /** The marks of the previous control thread. */
  readonly kept: readonly KeptMark[];
  /** Called for a new mark, which the next control thread receives. */
  readonly keep: (mark: KeptMark) => void;
  readonly warn: (message: string) => void;
}

/** Time that a hanging disk may delay the end of the process, in milliseconds. */
const closeMs = 2000;

interface OpenSeries extends Series {
  readonly mark: LogMark;
  readonly written: Histogram;
}

export class HistogramLog {
  readonly counts: HistogramLogCounts = { lines: 0, errors: 0 };
  readonly #options: HistogramLogOptions;
  readonly #marks = new Map<string, LogMark>();
  readonly #startMs = wallClockMs();
  /** Start of the first interval of a new series. */
  #sinceMs = this.#startMs;
  /** Files with this process's header. */
  readonly #begun = new Set<string>();
  /** The last failure of each path. */
  readonly #failing = new Map<string, string>();
  #observed: Observed | null = null;
  #plan: HistogramsPlan | null = null;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(options: HistogramLogOptions) {
    this.#options = options;
    for (const { tag, shared } of options.kept) this.#marks.set(tag, new LogMark(shared));
  }

  /** `apply` applies a new plan with its blocks. */
  apply(observed: Observed): void {
    const before = this.#plan;
    const plan = observed.plan.histograms;
    if (before !== null && plan === null) this.#write();
    // Values from before logging was switched on belong to no interval.
    if (before === null && plan !== null && this.#observed !== null) this.#skip(observed);
    this.#observed = observed;
    this.#plan = plan;
    if (plan?.intervalMs === before?.intervalMs) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = plan === null ? null : setInterval(() => this.#write(), plan.intervalMs);
  }

  /** `close` writes the last interval. It resolves when the system has it, or when that takes too long. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#plan === null) return;
    const all = this.#writing.then(() => {
      this.#write();
      return this.#writing;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMs);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
  }

  /**
   * `#write` writes one interval of every series. While the disk is still writing the previous one it does
   * nothing, and the next interval begins where that one ended.
   */
  #write(): void {
    const [observed, plan] = [this.#observed, this.#plan];
    if (observed === null || plan === null || this.#busy) return;
    this.#busy = true;
    const byFile = new Map<string, OpenSeries[]>();
    for (const series of seriesOf(observed)) {
      const mark = this.#markOf(series.tag);
      const all = byFile.get(series.file) ?? [];
      all.push({ ...series, mark, written: mark.read() });
      byFile.set(series.file, all);
    }
    const atMs = wallClockMs();
    this.#writing = this.#writeFiles(plan.directory, byFile).finally(() => {
      this.#sinceMs = atMs;
      this.#busy = false;
    });
  }

  /**
   * Files are written one after the other, so that a hanging disk blocks one thread of Node's pool and not
   * all of them.
   */
  async #writeFiles(directory: string, byFile: ReadonlyMap<string, readonly OpenSeries[]>): Promise<void> {
    for (const [file, all] of byFile) {
      const path = join(directory, file);
      const endMs = wallClockMs();
      const now = all.map((series) => Histogram.read(series.blocks));
      const lines = all.map((series, i) => this.#line(series, now[i], endMs));
      try {
        await append(path, this.#begun.has(path) ? '' : logHeader(this.#startMs), lines.join(''));
        this.#begun.add(path);
        this.counts.lines += lines.filter((line) => line !== '').length;
        all.forEach((series, i) => {
          series.mark.set(now[i], endMs);
        });
        if (this.#failing.delete(path)) this.#options.warn(`the histogram log ${path} can be written again`);
      } catch (error) {
        this.#failed(path, (error as Error).message);
      }
    }
  }

  #line({ tag, mark, written }: OpenSeries, now: Histogram, endMs: number): string {
    const interval = now.subtract(written);
    // Lines of an idle version show that umbra is running. Lines of differences follow those of their
    // version.
    if (interval.count === 0 && tag.split(':').length > 2) return '';
    return intervalLine(tag, mark.endMs === 0 ? this.#sinceMs : mark.endMs, endMs, interval);
  }

  #failed(path: string, message: string): void {
    this.counts.errors++;
    if (this.#failing.get(path) === message) return;
    this.#failing.set(path, message);
    this.#options.warn(`the histogram log ${path} can't be written: ${message}`);
  }

  #skip(observed: Observed): void {
    const nowMs = wallClockMs();
    for (const { tag, blocks } of seriesOf(observed)) this.#markOf(tag).set(Histogram.read(blocks), nowMs);
  }

  #markOf(tag: string): LogMark {
    let mark = this.#marks.get(tag);
    if (mark === undefined) {
      const shared = new SharedArrayBuffer(LogMark.bytes);
      mark = new LogMark(shared);
      this.#marks.set(tag, mark);
      this.#options.keep({ tag, shared });
    }
    return mark;
  }
}

/**
 * `append` appends whole lines or nothing. It opens the file each time, so that a file that was moved or
 * removed is created again. A line that a crash cut short is terminated first.
 */
async function append(path: string, header: string, lines: string): Promise<void> {
  const file = await openOrMake(path);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    const torn = size > 0 && last[0] !== Char.LF;
    const head = size === 0 && header === '' ? logHeader(wallClockMs()) : header;
    const bytes = Buffer.from((torn ? '\n' : '') + head + lines);
    let written = 0;
    try {
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
    } catch (error) {
      // A partial line would be counted again with the complete one.
      if (written > 0) await file.truncate(size).catch(() => {});
      throw error;
    }
  } finally {
    await file.close().catch(() => {});
  }
}

async function openOrMake(path: string): ReturnType<typeof open> {
  try {
    return await open(path, 'a+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true });
    return open(path, 'a+');
  }
}
