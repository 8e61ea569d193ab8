/**
 * The random numbers of `sample: random`: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2021), a few nanoseconds a number. Each thread has its own generator. The caller seeds
 * it from the system's source, because core/ has no randomness of its own. Not for secrets.
 */

/**
 * `seededRandom` returns a generator of uniform numbers from 0 to 2^32 - 1. `seed` is four 32-bit words, not
 * all zero: a generator whose state is zero never leaves it.
 */
export function seededRandom(seed: Uint32Array): () => number {
  if (seed.length !== 4 || seed.every((word) => word === 0)) {
    throw new RangeError('a seed is four words, not all of them zero');
  }
  // Signed integers: V8 keeps their state out of the heap.
  let [a, b, c, d] = Int32Array.from(seed) as unknown as [number, number, number, number];
  return () => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return result;
  };
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
