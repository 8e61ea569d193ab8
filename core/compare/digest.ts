/**
 * Checksums by which the responses of a pair are compared without keeping them: equal ones may be taken
 * for equal bytes but for one chance in 2^32. They are no protection against a version that wants to
 * deceive.
 */
import { crc32 } from 'node:zlib';
import type { ResponseHead } from '../http/response-head.js';

const fnvOffset = 0x811c9dc5 | 0;
const fnvPrime = 0x01000193;
/** Between values and between names: no field value holds it. */
const separator = 0;

/**
 * The checksum (CRC-32, native) of a body whose pieces so far have `digest`; a body begins with 0. Any
 * thread.
 */
export function digestBody(bytes: Uint8Array, digest: number): number {
  return crc32(bytes, digest);
}

/**
 * The hash (FNV-1a) of the values of `lowerNames` in a response head, repeats in order; one number for
 * all of them, below 2^32. Allocates nothing: a loop over a few dozen bytes beats the call into a native
 * checksum.
 */
export function digestFields(head: ResponseHead, lowerNames: readonly string[]): number {
  let hash = fnvOffset;
  const { bytes } = head;
  for (let i = 0; i < lowerNames.length; i++) {
    for (let row = 0; row < head.fieldCount; row++) {
      if (!head.nameIs(row, lowerNames[i])) continue;
      const end = head.valueEnd(row);
      for (let at = head.valueStart(row); at < end; at++) hash = Math.imul(hash ^ bytes[at], fnvPrime);
      hash = Math.imul(hash ^ separator, fnvPrime);
    }
    hash = Math.imul(hash ^ separator, fnvPrime) ^ i;
  }
  return hash >>> 0;
}
