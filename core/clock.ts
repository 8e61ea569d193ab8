/**
 * The only place in core/ that reads time. Every thread of the process sees one time line, so a stamp
 * that a proxy thread puts into a frame can be compared on a shadow thread.
 */

const offsetTries = 16;

/**
 * `performance.now()` starts at zero in every thread; `process.hrtime()` does not. The difference is taken
 * once per thread, because `hrtime()` itself allocates and must stay off the data path.
 */
const offsetUs = measuredOffsetUs();

/**
 * The two clocks are read one after the other, and a thread may lose its core in between: of several tries
 * the least late one counts.
 */
function measuredOffsetUs(): number {
  let offset = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < offsetTries; i++) {
    const [seconds, nanoseconds] = process.hrtime();
    offset = Math.max(offset, seconds * 1e6 + nanoseconds / 1e3 - performance.now() * 1e3);
  }
  return offset;
}

/** Microseconds on the process-wide monotonic time line, with fractions. About 50 ns; allocates nothing. */
export function nowUs(): number {
  return performance.now() * 1e3 + offsetUs;
}

/**
 * `wallOffsetUs` returns what to add to a time of `nowUs` for microseconds since 1970. It changes when the
 * wall clock is set.
 */
export function wallOffsetUs(): number {
  return Date.now() * 1e3 - nowUs();
}

/** Milliseconds since 1970, for what people read: log lines, start times. Never for intervals. */
export function wallClockMs(): number {
  return Date.now();
}

/** `2026-01-31T12:00:00.000Z` of a wall-clock time. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** The parts of a wall-clock time in UTC. */
export interface UtcTime {
  readonly wallMs: number;
  readonly year: number;
  /** Month, day and day of the year are counted from 1. */
  readonly month: number;
  readonly day: number;
  readonly dayOfYear: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const msPerDay = 86_400_000;

export function utcTime(wallMs: number): UtcTime {
  const time = new Date(wallMs);
  const year = time.getUTCFullYear();
  return {
    wallMs,
    year,
    month: time.getUTCMonth() + 1,
    day: time.getUTCDate(),
    dayOfYear: Math.floor((wallMs - Date.UTC(year, 0)) / msPerDay) + 1,
    weekday: time.getUTCDay(),
    hour: time.getUTCHours(),
    minute: time.getUTCMinutes(),
    second: time.getUTCSeconds(),
  };
}

/** Milliseconds since 1970 of such a text; NaN: it is none. */
export function msOfIsoTime(text: string): number {
  return Date.parse(text);
}

/** A clock that can be handed in, so that tests own the time. Both return microseconds, monotonic. */
export type Clock = () => number;
