/**
 * Guards against peers that cause much work with few bytes. Each bound is in core/limits. When a guard is
 * reached, the session reports it to its owner, which counts it by name.
 */
import { limits } from '../limits.js';

export const Guard = {
  /**
   * Reset streams: rapid resets (CVE-2023-44487), and resets that the peer provokes (CVE-2025-8671).
   */
  RESETS: 0,
  /** Frames that transport no request or body. */
  FRAMES: 1,
  /** A header block with too many frames or bytes (CVE-2024-27316). */
  BLOCK: 2,
  /** Header lists above their limit: HPACK bombs. */
  LISTS: 3,
  SETTINGS: 4,
  /** DATA beyond a window. */
  WINDOW: 5,
  /** DATA and header blocks on closed streams. */
  CLOSED: 6,
  /** A peer that does not read our answers. */
  OUTPUT: 7,
  /** A stream above the limit of concurrent streams. */
  STREAMS: 8,
} as const;
export type Guard = (typeof Guard)[keyof typeof Guard];

/** Names by `Guard`, for the reasons of a counter. */
export const guardNames = [
  'resets',
  'frames',
  'block',
  'lists',
  'settings',
  'window',
  'closed',
  'output',
  'streams',
] as const;

const US_PER_SECOND = 1e6;

/** `Bucket` allows a burst of events, and a rate of them in the long run. */
class Bucket {
  readonly #size: number;
  readonly #perSecond: number;
  #level = 0;
  #atUs = 0;

  constructor(size: number, perSecond: number) {
    this.#size = size;
    this.#perSecond = perSecond;
  }

  /** Adds an event. False: the burst is exceeded. */
  add(nowUs: number): boolean {
    const passedUs = nowUs - this.#atUs;
    if (passedUs > 0) {
      this.#level = Math.max(0, this.#level - (passedUs * this.#perSecond) / US_PER_SECOND);
      this.#atUs = nowUs;
    }
    this.#level++;
    return this.#level <= this.#size;
  }

  /** Allows `count` more events. */
  forgive(count: number): void {
    this.#level = Math.max(0, this.#level - count);
  }
}

/** The buckets of one connection. */
export class Floods {
  readonly resets = new Bucket(limits.http2Resets, limits.http2ResetsPerSecond);
  readonly frames = new Bucket(limits.http2EmptyFrames, limits.http2EmptyFramesPerSecond);
  readonly lists = new Bucket(limits.http2LargeLists, limits.http2LargeListsPerSecond);
}
