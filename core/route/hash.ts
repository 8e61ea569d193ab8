/**
 * The hash of sampling keys: FNV-1a with 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv) over the bytes of the
 * key, then the finaliser of MurmurHash3. FNV-1a is one xor and one multiplication a byte and can go on from
 * a stored state, so the salt is hashed once; but its high bits hardly depend on the last bytes of short
 * keys, which the finaliser mends. Not cryptographic: who knows the salt can choose a key that is in the
 * sample, or is not.
 *
 * The values are part of umbra's behaviour: instances of several releases must choose the same keys. A test
 * pins them.
 */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The FNV-1a state after the bytes of `wire` (char codes below 256), going on from `state`. A signed Int32.
 */
export function hashed(wire: string, state: number = FNV_OFFSET | 0): number {
  let hash = state;
  for (let i = 0; i < wire.length; i++) hash = Math.imul(hash ^ wire.charCodeAt(i), FNV_PRIME);
  return hash;
}

/** The same of `wire` from `from` to `to`, without a slice. */
export function hashedSlice(wire: string, from: number, to: number): number {
  let hash = FNV_OFFSET | 0;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ wire.charCodeAt(i), FNV_PRIME);
  return hash;
}

/**
 * Spreads every bit of a state over all 32 (MurmurHash3's fmix32, a bijection). An unsigned 32-bit number.
 */
export function mixed(state: number): number {
  let hash = state;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
