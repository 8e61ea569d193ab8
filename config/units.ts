/**
 * Durations, sizes, rates and shares as users write them, and the numbers that umbra uses. Every `parse` is
 * exact or refuses, and every `format` returns a text that parses to the same number.
 */

/** Why a text was refused, as the end of a message. */
export class Refusal {
  readonly reason: string;
  /** Path of the fault in the refused value; empty for the whole value. */
  readonly path: readonly string[];
  constructor(reason: string, path: readonly string[] = []) {
    this.reason = reason;
    this.path = path;
  }
}

/** Node's timers hold 31 bits of milliseconds, and fire at once above that. */
export const durationMsMax = 2 ** 31 - 1;
/** 100 % in millionths. */
export const shareMillionthsAll = 1_000_000;

const millisecondsPer: ReadonlyMap<string, number> = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]);
const bytesPer: ReadonlyMap<string, number> = new Map([
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
]);
const millionthsPerPercent = 10_000;

export const durationPattern = /^(\d+)(ms|s|m|h)$/;
export const sizePattern = /^(\d+)(B|KiB|MiB|GiB)$/;
export const ratePattern = /^(\d+)\/s$/;
export const percentPattern = /^(\d{1,3})(?:\.(\d{1,4}))?%?$/;

const durationExpected = 'expected a duration such as 250ms, 15s, 5m or 1h';
const sizeExpected = 'expected a size such as 500B, 64KiB, 1MiB or 1GiB';
const rateExpected = 'expected a rate such as 5000/s';
const percentExpected = 'expected a percentage from 0 to 100 in steps of 0.0001, such as 25, 0.5 or 1%';

/** `parseDuration` returns milliseconds. */
export function parseDuration(text: string): number | Refusal {
  const found = durationPattern.exec(text);
  if (found === null) return new Refusal(durationExpected);
  const ms = Number(found[1]) * millisecondsPer.get(found[2])!;
  if (ms > durationMsMax) return new Refusal('is too long: the longest duration is 24 days (596h)');
  return ms;
}

export function formatDuration(ms: number): string {
  return formatUnit(ms, millisecondsPer, 's');
}

/** `parseSize` returns bytes. */
export function parseSize(text: string): number | Refusal {
  const found = sizePattern.exec(text);
  if (found === null) {
    const decimal = /^\d+\s*[kmg]b?$/i.test(text);
    return new Refusal(decimal ? `${sizeExpected} (units are powers of 1024: KiB, MiB, GiB)` : sizeExpected);
  }
  const bytes = Number(found[1]) * bytesPer.get(found[2])!;
  return Number.isSafeInteger(bytes) ? bytes : new Refusal(sizeExpected);
}

export function formatSize(bytes: number): string {
  return formatUnit(bytes, bytesPer, 'B');
}

/** `parseRate` returns a number per second. */
export function parseRate(text: string): number | Refusal {
  const found = ratePattern.exec(text);
  const rate = found === null ? 0 : Number(found[1]);
  if (rate < 1 || !Number.isSafeInteger(rate)) return new Refusal(rateExpected);
  return rate;
}

export function formatRate(perSecond: number): string {
  return `${perSecond}/s`;
}

/**
 * `parseShare` returns millionths. A text is read digit by digit, and a number is compared with the double
 * nearest to its four decimals, so binary fractions cause no rounding: 0.0001 is 1, 0.07 is 700.
 */
export function parseShare(percent: string | number): number | Refusal {
  const millionths = typeof percent === 'number' ? shareOfNumber(percent) : shareOfText(percent);
  const known = millionths !== null && millionths >= 0 && millionths <= shareMillionthsAll;
  return known ? millionths : new Refusal(percentExpected);
}

/** `percentOfShare` returns the percentage with at most four decimals. */
export function percentOfShare(millionths: number): number {
  return millionths / millionthsPerPercent;
}

function shareOfNumber(percent: number): number | null {
  const millionths = Math.round(percent * millionthsPerPercent);
  // Division is rounded correctly, so equality means that the number has at most four decimals.
  return millionths / millionthsPerPercent === percent ? millionths + 0 : null;
}

function shareOfText(text: string): number | null {
  const found = percentPattern.exec(text);
  if (found === null) return null;
  return Number(found[1]) * millionthsPerPercent + Number((found[2] ?? '').padEnd(4, '0'));
}

function formatUnit(value: number, units: ReadonlyMap<string, number>, unitOfZero: string): string {
  if (value === 0) return `0${unitOfZero}`;
  for (const [unit, size] of units) if (value % size === 0) return `${value / size}${unit}`;
  throw new RangeError(`${value} is not a whole number`);
}
