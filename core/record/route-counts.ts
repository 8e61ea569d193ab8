/**
 * What clients got on each route, as one proxy thread counts it: responses by code, apart for those of a
 * version and those in umbra's own words, and how long clients waited for the last byte. One block holds a
 * row for every slot; memory of slots that are not used is never touched. A row is written by its thread
 * alone.
 *
 *   row   codes of versions, codes of umbra, buckets, sum of microseconds     f64 each
 */
import { limits } from '../limits.js';

/** Upper bounds of the buckets in seconds. */
export const ROUTE_BUCKETS_S = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;
const bucketsUs = ROUTE_BUCKETS_S.map((seconds) => seconds * 1e6);
const BUCKETS = bucketsUs.length + 1;

/** Registered codes, 499 of a client that left, and 101; any other counts as `other`. */
const listed = [
  0, 101, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401,
  402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424,
  425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
] as const;
const OTHER = listed.length;
const CODES = listed.length + 1;
const lastCode = 599;
const indexOf = Uint8Array.from({ length: lastCode + 1 }, (_, code) => {
  const at = listed.indexOf(code as 0);
  return at < 0 ? OTHER : at;
});

const OWN = CODES;
const BUCKET = 2 * CODES;
const SUM = BUCKET + BUCKETS;
const WORDS = SUM + 1;

/** The sum over threads for one route. */
export interface RouteCount {
  /** By code, `0` for a client that got none, and `other`; only codes that were seen. */
  readonly codes: ReadonlyMap<string, number>;
  readonly ownCodes: ReadonlyMap<string, number>;
  /** Not cumulative; the last one is above all bounds. */
  readonly buckets: readonly number[];
  readonly sumUs: number;
  readonly count: number;
}

export class RouteCounts {
  readonly #words: Float64Array;

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(limits.routeSlots * WORDS * Float64Array.BYTES_PER_ELEMENT);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Float64Array(shared);
  }

  /** `count` counts a request that is over. `isOwn`: umbra answered in its own words. Allocates nothing. */
  count(slot: number, status: number, isOwn: boolean, tookUs: number): void {
    const words = this.#words;
    const row = slot * WORDS;
    const code = status >= 0 && status <= lastCode ? indexOf[status]! : OTHER;
    words[row + (isOwn ? OWN : 0) + code]!++;
    let bucket = 0;
    while (bucket < bucketsUs.length && tookUs > bucketsUs[bucket]!) bucket++;
    words[row + BUCKET + bucket]!++;
    words[row + SUM]! += tookUs;
  }

  /** `read` returns the sum of one slot over the blocks of all threads. */
  static read(blocks: readonly RouteCounts[], slot: number): RouteCount {
    const row = new Float64Array(WORDS);
    for (const block of blocks) {
      const from = slot * WORDS;
      for (let word = 0; word < WORDS; word++) row[word]! += block.#words[from + word]!;
    }
    const buckets = Array.from(row.subarray(BUCKET, SUM));
    return {
      codes: codesOf(row.subarray(0, CODES)),
      ownCodes: codesOf(row.subarray(OWN, OWN + CODES)),
      buckets,
      sumUs: row[SUM]!,
      count: buckets.reduce((sum, count) => sum + count, 0),
    };
  }
}

function codesOf(counts: Float64Array): Map<string, number> {
  const codes = new Map<string, number>();
  counts.forEach((count, index) => {
    if (count > 0) codes.set(index === OTHER ? 'other' : String(listed[index]), count);
  });
  return codes;
}

/** `bucketOf` returns the index of the bucket of a time. */
export function bucketOf(tookUs: number): number {
  const at = bucketsUs.findIndex((bound) => tookUs <= bound);
  return at < 0 ? bucketsUs.length : at;
}
