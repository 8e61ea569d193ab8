/**
 * Guards against peers that make much work with few bytes. Each bound is in core/limits, and each guard that
 * is reached is reported by its name, under which its owner counts it.
 */
import { limits } from '../limits.js';

export const Guard = {
  /**
   * Streams that were reset: rapid resets (CVE-2023-44487), those that we are made to send (CVE-2025-8671).
   */
  RESETS: 0,
  /** Frames that carry nothing. */
  FRAMES: 1,
  /** A header block of too many frames or bytes (CVE-2024-27316). */
  BLOCK: 2,
  /** Header lists past their bound: HPACK bombs. */
  LISTS: 3,
  SETTINGS: 4,
  /** DATA past a window. */
  WINDOW: 5,
  /** Frames on streams that were reset. */
  CLOSED: 6,
  /** A peer that reads nothing while we answer. */
  OUTPUT: 7,
  /** A stream past the limit. */
  STREAMS: 8,
} as const;
export type Guard = (typeof Guard)[keyof typeof Guard];

/** The counter's reasons, by `Guard`. */
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

/** Something that may happen so often at once, and so often a second in the long run. */
export class Bucket {
  readonly #size: number;
  readonly #perSecond: number;
  #level = 0;
  #atUs = 0;

  constructor(size: number, perSecond: number) {
    this.#size = size;
    this.#perSecond = perSecond;
  }

  /** It happened. False: too often. */
  add(nowUs: number): boolean {
    const passedUs = nowUs - this.#atUs;
    if (passedUs > 0) {
      this.#level = Math.max(0, this.#level - (passedUs * this.#perSecond) / US_PER_SECOND);
      this.#atUs = nowUs;
    }
    this.#level++;
    return this.#level <= this.#size;
  }

  /** Something else happened by which `count` of them are earned. */
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
