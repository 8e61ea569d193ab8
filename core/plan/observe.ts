/** What umbra reports of itself beside its figures: its log, and traces. */

/** `logLevels` are ordered from the most to the least detailed. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ['auto', 'text', 'json', 'journal'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogPlan {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export interface TracingPlan {
  /** The whole URL that spans are posted to. */
  readonly url: string;
  /** The share of requests without a trace context that are traced. */
  readonly shareMillionths: number;
  readonly service: string;
}
