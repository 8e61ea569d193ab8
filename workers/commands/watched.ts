/**
 * The figures of a stretch of time, with their pairs by blocks, from look to look at one umbra or a fleet.
 */
import { wallClockMs } from '../../core/clock.js';
import type { DiffsView } from '../../core/report/diffs.js';
import type { MirrorReading, Reading } from '../../core/report/reading.js';
import { BlockSeries } from '../../core/verdict/block-series.js';
import { pairsOf } from '../../core/verdict/pair-counts.js';
import { AdminError } from './admin-client.js';
import { diffsBetween, type FigureSource, type Figures, figuresBetween } from './figures.js';

/** So long umbra may not answer within a window. */
const unreachableMsMax = 10_000;
const retryMs = 200;

/** What happened in the time watched. */
export interface WatchedFigures {
  readonly reading: Reading;
  readonly diffs: DiffsView | null;
  readonly notes: readonly string[];
}

/**
 * Looks after each `stepMs` milliseconds, until `forMs` are over or `isEnough` says so. Throws where umbra
 * can't be asked, or was restarted meanwhile.
 */
export async function watchFigures(
  source: FigureSource,
  forMs: number,
  stepMs: (elapsedMs: number) => number,
  isEnough: (soFar: WatchedFigures) => boolean = () => false,
): Promise<WatchedFigures> {
  const first = await source.look(true);
  const startMs = performance.now();
  const series = new Map<string, BlockSeries>();
  let last = first;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    const dueMs = Math.min(forMs, elapsedMs + stepMs(elapsedMs));
    await new Promise((resolve) => setTimeout(resolve, dueMs - elapsedMs));
    const next = await patientLook(source);
    addPairs(series, figuresBetween(last, next));
    last = next;
    const soFar = watched(first, last, series);
    if (dueMs >= forMs || isEnough(soFar)) return soFar;
  }
}

/** A control thread that is replaced is back in well under a second, so a window continues behind the gap. */
async function patientLook(source: FigureSource): Promise<Figures> {
  const endMs = performance.now() + unreachableMsMax;
  for (;;) {
    try {
      return await source.look(true);
    } catch (error) {
      const isGone = error instanceof AdminError && error.status === 0;
      if (!isGone || performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

function addPairs(series: Map<string, BlockSeries>, { mirrors }: Reading): void {
  const nowMs = wallClockMs();
  for (const mirror of mirrors) {
    if (mirror.isSink) continue;
    const key = keyOf(mirror);
    if (!series.has(key)) series.set(key, new BlockSeries());
    series.get(key)!.add(nowMs, pairsOf(mirror.counts));
  }
}

function watched(first: Figures, last: Figures, series: ReadonlyMap<string, BlockSeries>): WatchedFigures {
  const reading = figuresBetween(first, last);
  return {
    reading: {
      ...reading,
      mirrors: reading.mirrors.map((mirror) => ({
        ...mirror,
        blocks: series.get(keyOf(mirror))?.blocks ?? [],
      })),
    },
    diffs: diffsBetween(first, last),
    notes: last.notes,
  };
}

function keyOf({ route, to, baselineOf }: MirrorReading): string {
  return JSON.stringify([route, to, baselineOf]);
}
