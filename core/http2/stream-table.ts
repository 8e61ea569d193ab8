import { limits } from '../limits.js';
import type { Stream } from './stream.js';

/** Buckets of a new table; they double when there are more streams than buckets. */
const FIRST_BUCKETS = 16;

/**
 * The open streams of one connection, and the streams that we reset most recently. Streams are chained in
 * buckets by themselves: a Map that a stream enters and leaves allocates for each of them.
 */
export class StreamTable {
  /** Open streams. */
  count = 0;
  #buckets: (Stream | null)[] = new Array<Stream | null>(FIRST_BUCKETS).fill(null);
  /** Frames on these are no error: the peer may not have read our reset yet (RFC 9113, section 5.1). */
  readonly #reset = new Set<number>();

  get(id: number): Stream | null {
    let stream: Stream | null = this.#buckets[this.#bucketOf(id)]!;
    while (stream !== null && stream.id !== id) stream = stream.chained;
    return stream;
  }

  /** Adds a stream, which is not in the table. */
  add(stream: Stream): void {
    if (this.count === this.#buckets.length) this.#grow();
    this.#chain(stream);
    this.count++;
  }

  /** Returns false if the stream was removed before. */
  remove(stream: Stream): boolean {
    const bucket = this.#bucketOf(stream.id);
    let before: Stream | null = null;
    let at: Stream | null = this.#buckets[bucket]!;
    while (at !== null && at !== stream) {
      before = at;
      at = at.chained;
    }
    if (at === null) return false;
    if (before === null) this.#buckets[bucket] = stream.chained;
    else before.chained = stream.chained;
    stream.chained = null;
    this.count--;
    return true;
  }

  rememberReset(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size <= limits.http2ResetStreams) return;
    for (const oldest of this.#reset) {
      this.#reset.delete(oldest);
      break;
    }
  }

  wasReset(id: number): boolean {
    return this.#reset.has(id);
  }

  /** Returns the streams that are open now, in the order of their identifiers. For rare events. */
  all(): Stream[] {
    const streams: Stream[] = [];
    for (const first of this.#buckets) {
      for (let stream = first; stream !== null; stream = stream.chained) streams.push(stream);
    }
    return streams.sort((a, b) => a.id - b.id);
  }

  /** All identifiers of one side are odd, or all are even. */
  #bucketOf(id: number): number {
    return (id >>> 1) & (this.#buckets.length - 1);
  }

  #chain(stream: Stream): void {
    const bucket = this.#bucketOf(stream.id);
    stream.chained = this.#buckets[bucket]!;
    this.#buckets[bucket] = stream;
  }

  #grow(): void {
    const streams = this.all();
    this.#buckets = new Array<Stream | null>(this.#buckets.length * 2).fill(null);
    for (const stream of streams) this.#chain(stream);
  }
}
