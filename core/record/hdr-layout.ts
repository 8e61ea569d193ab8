/**
 * The index arithmetic of HdrHistogram (Gil Tene, public domain) for one fixed shape: values from 0 us to 60
 * s, three significant digits. Counts in these slots can be merged with every other HdrHistogram of that
 * shape.
 *
 *   value    0 .. 2047    2048 .. 4095    4096 .. 8191    ...   33554432 .. 67108863
 *   step     1            2               4                     32768
 *   slot     0 .. 2047    2048 .. 3071    3072 .. 4095    ...   16384 .. 17407
 *
 * Above 2047 the eleven highest bits of a value choose its slot, so no slot is wider than a thousandth of its
 * value.
 */

/** The smallest difference that is distinguished. */
export const LOWEST_US = 1;
/** The largest value that is recorded exactly. */
export const HIGHEST_US = 60_000_000;
export const SIGNIFICANT_DIGITS = 3;

/** 2^11 is the first power of two that holds 2 x 10^3 values, which three digits need at a step of 1. */
const SUB_BUCKET_BITS = 11;
const HALF_BITS = SUB_BUCKET_BITS - 1;
const HALF = 1 << HALF_BITS;
const SUB_BUCKET_MASK = (1 << SUB_BUCKET_BITS) - 1;
/** `Math.clz32` of every value of the first bucket after the mask is set in it. */
const FIRST_BUCKET_ZEROS = 32 - SUB_BUCKET_BITS;
const BUCKETS = bucketOf(HIGHEST_US) + 1;

/** The number of slots. The first bucket has two halves, every later one only its upper half. */
export const SLOTS = (BUCKETS + 1) * HALF;

/** `slotOf` returns the slot of `valueUs`, an integer from 0 to `HIGHEST_US`. */
export function slotOf(valueUs: number): number {
  const bucket = bucketOf(valueUs);
  return (bucket << HALF_BITS) + (valueUs >>> bucket);
}

/** `lowestInSlot` returns the smallest value that is counted in `slot`. */
export function lowestInSlot(slot: number): number {
  const bucket = bucketOfSlot(slot);
  return (slot - (bucket << HALF_BITS)) << bucket;
}

/**
 * `highestInSlot` returns the largest value that is counted in `slot`, which HdrHistogram reports for a
 * percentile in the slot.
 */
export function highestInSlot(slot: number): number {
  return lowestInSlot(slot) + (1 << bucketOfSlot(slot)) - 1;
}

function bucketOf(valueUs: number): number {
  return FIRST_BUCKET_ZEROS - Math.clz32(valueUs | SUB_BUCKET_MASK);
}

function bucketOfSlot(slot: number): number {
  return slot < HALF ? 0 : (slot >>> HALF_BITS) - 1;
}
