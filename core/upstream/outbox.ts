import { currentRead } from '../current-read.js';
import { type BlockPool, WriteQueue, type WriteTarget } from '../write-queue.js';

/** A connection as an outbox writes to it. */
export interface OutboxTarget extends WriteTarget {
  /** Keeps a block that is still being written. */
  keepBlock(block: Buffer): void;
}

/** The bytes of one request of HTTP/1.1 that its socket has not taken yet. */
export class Outbox extends WriteQueue {
  constructor() {
    super(null);
  }

  begin(pool: BlockPool): void {
    this.pool = pool;
  }

  /** `putText` adds a wire string. False: the arena has no block left, and the request can't continue. */
  putText(text: string): boolean {
    let done = 0;
    while (done < text.length) {
      const block = this.room();
      if (block === null) return false;
      const count = Math.min(text.length - done, block.length - this.filled);
      block.write(done === 0 ? text : text.slice(done), this.filled, count, 'latin1');
      this.filled += count;
      this.heldBytes += count;
      done += count;
    }
    return true;
  }

  /**
   * `passBytes` writes `piece` behind the held bytes without a copy as far as the kernel takes it: at the end
   * of the current read, or at once where there is none. False: the arena has no block left for the rest, and
   * the request can't continue.
   */
  passBytes(piece: Uint8Array, target: WriteTarget): boolean {
    if (!this.canBorrow(target)) return this.append(piece, 0, piece.length);
    this.borrow(piece);
    return currentRead.isOpen || this.settle(target);
  }

  /** `discard` discards everything. `target` keeps a block that it is still writing. */
  discard(target: OutboxTarget | null): void {
    const written = this.clear(target);
    if (written !== null) target!.keepBlock(written);
  }
}
