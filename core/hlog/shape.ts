/**
 * The slots of any HdrHistogram (Gil Tene, public domain). core/record/hdr-layout has the one shape that
 * umbra records in, but logs of other tools may have others. Values reach 2^63, so this is arithmetic of
 * doubles; slot bounds are exact up to 2^53.
 */

/**
 * Decides where slots begin: the smallest difference that is distinguished, and the significant digits (1 to
 * 5).
 */
export interface HdrShape {
  readonly lowest: number;
  readonly digits: number;
}

export const umbraShape: HdrShape = { lowest: 1, digits: 3 };

export function sameShape(a: HdrShape, b: HdrShape): boolean {
  return unitMagnitude(a) === unitMagnitude(b) && a.digits === b.digits;
}

/** `lowestIn` returns the smallest value that is counted in `slot`. */
export function lowestIn(shape: HdrShape, slot: number): number {
  const halfMagnitude = subBucketMagnitude(shape) - 1;
  const half = 2 ** halfMagnitude;
  const bucket = Math.max(0, Math.floor(slot / half) - 1);
  return (slot - bucket * half) * 2 ** (bucket + unitMagnitude(shape));
}

/**
 * `highestIn` returns the largest value that is counted in `slot`, which is reported for a percentile in the
 * slot.
 */
export function highestIn(shape: HdrShape, slot: number): number {
  return lowestIn(shape, slot + 1) - 1;
}

/** `slotFor` returns the slot of `value`, which is not negative. */
export function slotFor(shape: HdrShape, value: number): number {
  const halfMagnitude = subBucketMagnitude(shape) - 1;
  const units = Math.floor(value / 2 ** unitMagnitude(shape));
  const bucket = Math.max(0, Math.floor(Math.log2(Math.max(1, units))) - halfMagnitude);
  return bucket * 2 ** halfMagnitude + Math.floor(units / 2 ** bucket);
}

function unitMagnitude({ lowest }: HdrShape): number {
  return Math.floor(Math.log2(Math.max(1, lowest)));
}

/**
 * `subBucketMagnitude` returns the exponent of the first power of two that holds twice the digits, so that
 * the upper half of every bucket resolves them.
 */
function subBucketMagnitude({ digits }: HdrShape): number {
  return Math.ceil(Math.log2(2 * 10 ** digits));
}
