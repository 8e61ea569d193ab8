/**
 * The hash of sampling keys: FNV-1a with 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv) over the bytes of the
 * key, then the finaliser of MurmurHash3. FNV-1a takes one xor and one multiplication per byte and can
 * continue from a stored state, so the salt is hashed once. Its high bits hardly depend on the last bytes of
 * short keys, which the finaliser corrects. The hash is not cryptographic: someone who knows the salt can
 * choose a key that is in the sample, or one that is not.
 *
 * The values are part of umbra's behaviour, because instances of several releases must choose the same keys.
 * A test pins them.
 */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * `hashed` returns the FNV-1a state, a signed Int32, after the bytes of `wire` (char codes below 256),
 * continuing from `state`.
 */
export function hashed(wire: string, state: number = FNV_OFFSET | 0): number {
  let hash = state;
  for (let i = 0; i < wire.length; i++) hash = Math.imul(hash ^ wire.charCodeAt(i), FNV_PRIME);
  return hash;
}

/** `hashedSlice` hashes `wire` from `from` to `to` without making a slice. */
export function hashedSlice(wire: string, from: number, to: number): number {
  let hash = FNV_OFFSET | 0;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ wire.charCodeAt(i), FNV_PRIME);
  return hash;
}

/**
 * `mixed` spreads every bit of a state over all 32 (MurmurHash3's fmix32, a bijection). It returns an
 * unsigned 32-bit number.
 */
export function mixed(state: number): number {
  let hash = state;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
