/** Medians and spread of a few rounds. Few samples: no mean, no deviation, which would claim more than is known. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** NaN for no values, so that nothing measured can't pass for zero. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function spread(values: readonly number[]): Spread {
  if (values.length === 0) return { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
