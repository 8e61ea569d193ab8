/** Times in UTC as `strftime` writes them, with Envoy's `%f` and `%3f` for fractions of a second. */
import { isoTime, type UtcTime, utcTime } from '../clock.js';

/** Its message names the fault. */
export class TimeFormatError extends Error {}

type Part = (time: UtcTime) => string;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** Digits of a fraction of a second. umbra's clock has a resolution of a millisecond. */
const fractionDigits = 9;

const specifiers: Readonly<Record<string, Part>> = {
  Y: ({ year }) => String(year),
  y: ({ year }) => padded(year % 100, 2),
  m: ({ month }) => padded(month, 2),
  d: ({ day }) => padded(day, 2),
  e: ({ day }) => String(day).padStart(2, ' '),
  H: ({ hour }) => padded(hour, 2),
  I: ({ hour }) => padded(hour % 12 || 12, 2),
  M: ({ minute }) => padded(minute, 2),
  S: ({ second }) => padded(second, 2),
  p: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  j: ({ dayOfYear }) => padded(dayOfYear, 3),
  b: ({ month }) => months[month - 1]!,
  a: ({ weekday }) => days[weekday]!,
  F: ({ wallMs }) => isoTime(wallMs).slice(0, 10),
  T: ({ wallMs }) => isoTime(wallMs).slice(11, 19),
  s: ({ wallMs }) => String(Math.floor(wallMs / 1000)),
  z: () => '+0000',
  Z: () => 'UTC',
  f: (time) => fraction(time, fractionDigits),
  '%': () => '%',
};

/**
 * `compileTimeFormat` throws a `TimeFormatError` for an unknown specifier. The result takes milliseconds
 * since 1970.
 */
export function compileTimeFormat(format: string): (wallMs: number) => string {
  const parts: (string | Part)[] = [];
  for (let at = 0; at < format.length; at++) {
    if (format[at] !== '%') {
      parts.push(format[at]!);
      continue;
    }
    const specifier = format[++at] ?? '';
    if (/^[1-9]$/.test(specifier) && format[at + 1] === 'f') {
      at++;
      parts.push((time) => fraction(time, Number(specifier)));
      continue;
    }
    const part = Object.hasOwn(specifiers, specifier) ? specifiers[specifier] : undefined;
    if (part === undefined) throw new TimeFormatError(`has the unknown time specifier %${specifier}`);
    parts.push(part);
  }
  return (wallMs) => {
    const time = utcTime(wallMs);
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part(time);
    return text;
  };
}

function fraction({ wallMs }: UtcTime, digits: number): string {
  return padded(wallMs % 1000, 3)
    .padEnd(fractionDigits, '0')
    .slice(0, digits);
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
