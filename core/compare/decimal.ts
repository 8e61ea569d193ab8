/**
 * Decimal numbers of any length, compared exactly: doubles would call two identifiers of 20 digits
 * equal.
 */
import type { Tolerance } from '../plan.js';
import { withoutLeading, withoutTrailing } from '../trim.js';

/** digits x 10^exponent. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/**
 * Numbers whose exponents are further apart are not brought to one exponent: they are as different as
 * numbers get.
 */
const spreadMax = 400;
/** Digits of a number that is worked with; a longer one is compared as text. */
const digitsMax = 4000;
const zero = 0n;
const numberParts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

export const exact: Tolerance = { relative: false, value: '0' };

/**
 * Whether two numbers as JSON writes them are the same value, or as near as `tolerance` allows. `1`,
 * `1.0` and `10e-1` are the same. A relative tolerance is a percentage of the larger of the two
 * magnitudes.
 */
export function sameNumber(a: string, b: string, tolerance: Tolerance): boolean {
  if (a === b) return true;
  if (a.length > digitsMax || b.length > digitsMax) return false;
  const [x, y] = [read(a), read(b)];
  if (x.digits === zero && y.digits === zero) return true;
  if (Math.abs(x.exponent - y.exponent) > spreadMax) return false;
  const exponent = Math.min(x.exponent, y.exponent);
  const [left, right] = [at(x, exponent), at(y, exponent)];
  const distance = magnitude(left - right);
  if (distance === zero) return true;
  const bound = read(tolerance.value);
  if (bound.digits === zero) return false;
  if (!tolerance.relative) return isAtMost({ digits: distance, exponent }, bound);
  const larger = magnitude(left) > magnitude(right) ? magnitude(left) : magnitude(right);
  const part = { digits: larger * bound.digits, exponent: exponent + bound.exponent - 2 };
  return isAtMost({ digits: distance, exponent }, part);
}

function read(text: string): Decimal {
  const found = numberParts.exec(text);
  if (found === null) throw new RangeError('not a number of JSON');
  const [, sign, whole, fraction = '', power = '0'] = found;
  const digits = withoutTrailing(whole + fraction, '0');
  const exponent = Number(power) + whole.length - digits.length;
  return { digits: digits === '' ? zero : BigInt(sign + digits), exponent: digits === '' ? 0 : exponent };
}

/** The digits at a smaller exponent. */
function at({ digits, exponent }: Decimal, smaller: number): bigint {
  return digits * 10n ** BigInt(exponent - smaller);
}

function isAtMost(a: Decimal, b: Decimal): boolean {
  if (Math.abs(a.exponent - b.exponent) > spreadMax) return a.exponent < b.exponent;
  const exponent = Math.min(a.exponent, b.exponent);
  return at(a, exponent) <= at(b, exponent);
}

function magnitude(value: bigint): bigint {
  return value < zero ? -value : value;
}

/** One text for numbers that are equal: `1.0`, `10e-1` and `1`. */
export function canonicalNumber(text: string): string {
  const [, sign, whole, fraction = '', power = '0'] = numberParts.exec(text)!;
  const digits = withoutLeading(whole + fraction, '0');
  const trimmed = withoutTrailing(digits, '0');
  if (trimmed === '') return '0';
  return `${sign}${trimmed}e${Number(power) - fraction.length + digits.length - trimmed.length}`;
}
