import { limits } from '../limits.js';
import type { Stream } from './stream.js';

/** The open streams of one connection, and the streams that we reset most recently. */
export class StreamTable {
  readonly #open = new Map<number, Stream>();
  /** Frames on these are no error: the peer may not have read our reset yet (RFC 9113, section 5.1). */
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

  /** Returns false if the stream was removed before. */
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

  /** The open streams, oldest first; streams may be removed during the iteration. */
  all(): IterableIterator<Stream> {
    return this.#open.values();
  }
}
