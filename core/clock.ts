/**
 * The only place in core/ that reads time. Every thread of the process sees one time line, so a stamp
 * that a proxy thread puts into a frame can be compared on a shadow thread.
 */

/**
 * `performance.now()` starts at zero in every thread; `process.hrtime()` does not. The difference is taken
 * once per thread, because `hrtime()` itself allocates and must stay off the data path.
 */
const [bootSeconds, bootNanoseconds] = process.hrtime();
const offsetUs = bootSeconds * 1e6 + bootNanoseconds / 1e3 - performance.now() * 1e3;

/** Microseconds on the process-wide monotonic time line, with fractions. About 50 ns; allocates nothing. */
export function nowUs(): number {
  return performance.now() * 1e3 + offsetUs;
}

/** Milliseconds since 1970, for what people read: log lines, start times. Never for intervals. */
export function wallClockMs(): number {
  return Date.now();
}

/** `2026-01-31T12:00:00.000Z` of a wall-clock time. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** A clock that can be handed in, so that tests own the time. Both return microseconds, monotonic. */
export type Clock = () => number;
