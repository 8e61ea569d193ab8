import { limits } from '../limits.js';

/**
 * The blocks in which a thread's request bytes lie on their way to upstream sockets. A block is taken,
 * filled, written, and given back once the kernel has its bytes: on a socket that keeps up this happens
 * within one call, so one block serves the whole thread. A slow upstream keeps its blocks until it reads, and
 * what is held is counted and bounded.
 *
 * Rejected: a buffer per write (work for the garbage collector), and leaving the caller's bytes with a socket
 * without a copy (they die with the call, and the kernel may take them later). What the kernel takes within
 * the call needs no block: large pieces go past them.
 */
export class WriteArena {
  /** Bytes of the blocks that are out. */
  heldBytes = 0;
  readonly #heldBytesMax: number;
  readonly #spare: Buffer[] = [];

  constructor(heldBytesMax: number = limits.upstreamHeldBytes) {
    this.#heldBytesMax = heldBytesMax;
  }

  /** A block of `limits.writeBlockBytes`, or null when the thread holds as much as it may. */
  take(): Buffer | null {
    if (this.heldBytes + limits.writeBlockBytes > this.#heldBytesMax) return null;
    this.heldBytes += limits.writeBlockBytes;
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(limits.writeBlockBytes);
  }

  /** Last given back, first taken: it is warm in the cache. */
  giveBack(block: Buffer): void {
    this.heldBytes -= limits.writeBlockBytes;
    if (this.#spare.length < limits.spareWriteBlocks) this.#spare.push(block);
  }
}
