import { limits } from '../limits.js';
import type { BlockPool } from '../write-queue.js';

/**
 * The blocks that hold a thread's request bytes on their way to upstream sockets. A block is taken, filled,
 * written, and returned when the kernel has its bytes. With a socket that keeps up, this happens within one
 * call, so one block serves the whole thread. A slow upstream keeps its blocks until it reads; their bytes
 * are counted and bounded.
 *
 * Rejected: a buffer per write, which is work for the garbage collector, and writing the caller's bytes
 * without a copy, because they are valid during the call only and the kernel may take them later. Bytes that
 * the kernel takes within the call need no block: large pieces bypass the arena.
 */
export class WriteArena implements BlockPool {
  /** Bytes of the blocks in use. */
  heldBytes = 0;
  readonly #heldBytesMax: number;
  readonly #spare: Buffer[] = [];

  constructor(heldBytesMax: number = limits.upstreamHeldBytes) {
    this.#heldBytesMax = heldBytesMax;
  }

  /** `take` returns a block of `limits.writeBlockBytes`, or null when the thread holds as much as it may. */
  take(): Buffer | null {
    if (this.heldBytes + limits.writeBlockBytes > this.#heldBytesMax) return null;
    this.heldBytes += limits.writeBlockBytes;
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(limits.writeBlockBytes);
  }

  /**
   * `giveBack` returns a block to the arena. The last one returned is reused first, because it is in the
   * cache.
   */
  giveBack(block: Buffer): void {
    this.heldBytes -= limits.writeBlockBytes;
    if (this.#spare.length < limits.spareWriteBlocks) this.#spare.push(block);
  }
}
