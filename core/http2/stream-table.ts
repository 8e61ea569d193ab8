import { limits } from '../limits.js';
import type { Stream } from './stream.js';

/** The streams of one connection that are open, and the latest that we have reset. */
export class StreamTable {
  readonly #open = new Map<number, Stream>();
  /** What the peer sends on these before it has read of the reset is no fault (RFC 9113, section 5.1). */
  readonly #reset = new Set<number>();

  get count(): number {
    return this.#open.size;
  }

  get(id: number): Stream | null {
    return this.#open.get(id) ?? null;
  }

  add(stream: Stream): void {
    this.#open.set(stream.id, stream);
  }

  /** False: it was removed before. */
  remove(stream: Stream): boolean {
    return this.#open.delete(stream.id);
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

  /** The open streams from the oldest on; they may be removed meanwhile. */
  all(): IterableIterator<Stream> {
    return this.#open.values();
  }
}
