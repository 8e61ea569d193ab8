/** What the control thread counts of its own work. Since its start: it begins at zero when the thread is replaced. */
export interface ControlCounts {
  readonly histogramLog: Readonly<HistogramLogCounts>;
}

export interface HistogramLogCounts {
  /** Intervals written. */
  lines: number;
  /** Writes to a histogram log that failed. */
  errors: number;
}

export const noControlCounts: ControlCounts = { histogramLog: { lines: 0, errors: 0 } };
