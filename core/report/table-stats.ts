/** The part of `/api/stats` that follows from tables of counters. */
import type { CounterTable, Fields, HdrFigure, Row, SnapshotOf, StatsOf } from '../record/counter-table.js';
import type { Histogram } from '../record/histogram.js';

/** `statsOf` returns every row of `table` that has a stats key, at the path that the key names. */
export function statsOf<F extends Fields>(table: CounterTable<F>, counts: SnapshotOf<F>): StatsOf<F> {
  const stats: Record<string, unknown> = {};
  for (const row of table.rows) {
    if (row.stats === undefined) continue;
    const path = row.stats.split('.');
    const last = path.pop() as string;
    let place = stats;
    for (const part of path) {
      place[part] ??= {};
      place = place[part] as Record<string, unknown>;
    }
    place[last] = shownValue(row, counts[row.name]);
  }
  return stats as StatsOf<F>;
}

function shownValue({ kind, reasons, figures }: Row, value: unknown): unknown {
  if (kind === 'hdr')
    return Object.fromEntries(figures.map((figure) => [figure, figureOf[figure](value as Histogram)]));
  if (kind === 'reasons')
    return Object.fromEntries(reasons.map((reason, i) => [reason, (value as readonly number[])[i]]));
  if (kind === 'highest') return (value as number) < 0 ? null : value;
  return value;
}

const figureOf: Readonly<Record<HdrFigure, (histogram: Histogram) => number>> = {
  count: ({ count }) => count,
  mean: ({ meanUs }) => Math.round(meanUs * 10) / 10,
  p50: (histogram) => histogram.percentileUs(50),
  p90: (histogram) => histogram.percentileUs(90),
  p99: (histogram) => histogram.percentileUs(99),
  p999: (histogram) => histogram.percentileUs(99.9),
  max: ({ maxUs }) => maxUs,
};

/** `histogramFigures` returns all figures of a histogram, in microseconds. */
export function histogramFigures(histogram: Histogram): Record<string, number> {
  return Object.fromEntries(Object.entries(figureOf).map(([name, of]) => [name, of(histogram)]));
}
