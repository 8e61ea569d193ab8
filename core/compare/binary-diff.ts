/** Where two byte strings differ. What they mean is not known, so the place is a window of bytes. */
import type { Difference } from './difference.js';
import { digestBody } from './digest.js';
import type { OnDifference } from './json-rules.js';

/**
 * Windows of one body; their size is a power of two, so that bodies of about one length have the same
 * ones.
 */
const windowsMax = 32;
const windowBytesMin = 64;
const shownBytes = 8;

/** The bytes are not equal. */
export function diffBinary(primary: Uint8Array, shadow: Uint8Array, on: OnDifference): void {
  const [a, b] = [asBuffer(primary), asBuffer(shadow)];
  if (a.length !== b.length) {
    on({ kind: 'binary', path: '', change: 'length', at: '', primary: a.length, shadow: b.length });
  }
  const shorter = Math.min(a.length, b.length);
  const windowBytes = 2 ** Math.ceil(Math.log2(Math.max(windowBytesMin, a.length / windowsMax)));
  for (let from = 0; from < shorter; from += windowBytes) {
    const to = Math.min(shorter, from + windowBytes);
    const [left, right] = [a.subarray(from, to), b.subarray(from, to)];
    if (left.equals(right)) continue;
    on(windowDifference(left, right, from, windowBytes));
    // Behind an insertion every window differs, and says no more than the first one.
    if (a.length !== b.length) return;
  }
}

function windowDifference(a: Buffer, b: Buffer, from: number, windowBytes: number): Difference {
  let at = 0;
  while (a[at] === b[at]) at++;
  return {
    kind: 'binary',
    path: `bytes ${from}-${from + windowBytes - 1}`,
    change: 'value',
    at: `byte ${from + at}`,
    primary: a.toString('hex', at, at + shownBytes),
    shadow: b.toString('hex', at, at + shownBytes),
    prints: [digestBody(a, 0), digestBody(b, 0)],
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
