/** Formats numbers for people, in the same way in every report. Pure. */

const US_PER_MS = 1e3;
const US_PER_S = 1e6;

/** `durationText` has three digits: `850 us`, `4.27 ms`, `1.02 s`. */
export function durationText(us: number): string {
  if (!Number.isFinite(us)) return 'none';
  const magnitude = Math.abs(us);
  if (magnitude < US_PER_MS) return `${Math.round(us)} us`;
  if (magnitude < US_PER_S) return `${threeDigits(us / US_PER_MS)} ms`;
  return `${threeDigits(us / US_PER_S)} s`;
}

/** `shareText` formats a fraction as a percentage: `0.12 %`. */
export function shareText(fraction: number): string {
  if (Number.isNaN(fraction)) return 'none';
  const percent = fraction * 100;
  if (percent !== 0 && Math.abs(percent) < 0.0001) return '<0.0001 %';
  return `${Number(percent.toPrecision(3))} %`;
}

/** `countText` formats `1 234 567`, which is not a fraction in any locale. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

/** `bytesText` formats `850 B`, `4.27 MiB`. */
export function bytesText(bytes: number): string {
  const { value, unit } = inBinaryUnit(bytes);
  return `${unit === 'B' ? countText(value) : threeDigits(value)} ${unit}`;
}

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `inBinaryUnit` uses the largest unit in which the value is at least 1. */
export function inBinaryUnit(bytes: number): { readonly value: number; readonly unit: string } {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < binaryUnits.length - 1; unit++) value /= 1024;
  return { value, unit: binaryUnits[unit]! };
}

/** `spanText` formats the two largest units: `1 d 2 h`, `3 min 4 s`, `5.6 s`. */
export function spanText(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

function threeDigits(value: number): string {
  const magnitude = Math.abs(value);
  return value.toFixed(magnitude < 10 ? 2 : magnitude < 100 ? 1 : 0);
}
