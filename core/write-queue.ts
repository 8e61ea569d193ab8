/** A source of blocks of one size, which the connections of a thread share. */
export interface BlockPool {
  /** Null: the thread's limit is reached. */
  take(): Buffer | null;
  giveBack(block: Buffer): void;
}

/** A socket, as its queue sees it. */
export interface WriteTarget {
  /** The socket holds bytes that the kernel has not accepted. Nothing may be written until it has. */
  readonly writing: boolean;
  /** `writeParts` may write something: the socket is connected, and does not encrypt. */
  readonly isDirect: boolean;
  /** Writes `block[start, end)`. False: the block must not change until `writing` is false. */
  write(block: Buffer, start: number, end: number): boolean;
  /** Writes as much of the parts as the kernel accepts now in one call, and returns how much. */
  writeParts(parts: readonly Uint8Array[]): number;
}

/**
 * The bytes that one socket has not taken yet, in blocks of the thread. All blocks but the last are full. It
 * is empty most of the time, and has no block then.
 *
 * A large piece of a body is not copied into a block. `borrow` notes its place between the bytes of the
 * block, and `settle` writes the block and the pieces with one system call. Only what the kernel does not
 * take is copied.
 */
export class WriteQueue {
  /** Bytes that were not handed to the socket yet. */
  heldBytes = 0;
  /** The last block, filled up to `filled`; null while there is none. */
  protected last: Buffer | null = null;
  protected filled = 0;
  /** A position in `last` that a subclass has marked; -1 once `last` has changed or moved. */
  protected mark = -1;
  protected pool: BlockPool | null;
  readonly #blocks: Buffer[] = [];
  /** Bytes of the first block that were handed to the socket. */
  #handed = 0;
  /** Borrowed pieces, and how far the only block was filled before each. */
  readonly #pieces: Uint8Array[] = [];
  readonly #places: number[] = [];

  constructor(pool: BlockPool | null) {
    this.pool = pool;
  }

  /** `append` adds a copy of `bytes[start, end)`. False: the pool has no block left, and bytes are lost. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    let from = start;
    while (from < end) {
      const block = this.room();
      if (block === null) return false;
      const count = Math.min(end - from, block.length - this.filled);
      copy(bytes, from, block, this.filled, count);
      this.filled += count;
      this.heldBytes += count;
      from += count;
    }
    return true;
  }

  /** Whether `borrow` spares a copy now. */
  canBorrow(target: WriteTarget): boolean {
    return target.isDirect && !target.writing && this.#blocks.length <= 1;
  }

  /**
   * `borrow` adds `piece` without a copy. Its bytes must not change before `settle`. Call it only where
   * `canBorrow`. True: it is the first one, and `settle` is owed from now on.
   */
  borrow(piece: Uint8Array): boolean {
    this.#places.push(this.filled);
    this.heldBytes += piece.length;
    return this.#pieces.push(piece) === 1;
  }

  /** Pieces are held by reference. */
  get borrows(): boolean {
    return this.#pieces.length > 0;
  }

  /**
   * `settle` writes borrowed pieces, with all bytes around them, as far as the kernel takes them. False: the
   * rest could not be copied, because the pool has no block left.
   */
  settle(target: WriteTarget): boolean {
    if (this.#pieces.length === 0) return true;
    const parts = this.#parts();
    return this.#keep(parts, this.canBorrow(target) ? target.writeParts(parts) : 0);
  }

  /** `flush` hands bytes to the socket until it holds some. Flush again when it has written those. */
  flush(target: WriteTarget): boolean {
    const isWhole = this.settle(target);
    this.#dropHanded(target);
    while (this.heldBytes > 0 && !target.writing) {
      const block = this.#blocks[0]!;
      const start = this.#handed;
      const end = this.#blocks.length === 1 ? this.filled : block.length;
      this.#handed = end;
      this.heldBytes -= end - start;
      if (target.write(block, start, end)) this.#dropFirst();
    }
    return isWhole;
  }

  /** `flushDirect` writes what the kernel takes at once. The rest stays, for `flush` or the next call. */
  flushDirect(target: WriteTarget): void {
    this.settle(target);
    while (this.heldBytes > 0 && target.isDirect && !target.writing) {
      const block = this.#blocks[0]!;
      const end = this.#blocks.length === 1 ? this.filled : block.length;
      const count = target.writeParts([block.subarray(this.#handed, end)]);
      this.#handed += count;
      this.heldBytes -= count;
      if (this.#handed < end) return;
      this.#dropFirst();
    }
  }

  /** `clear` discards everything. Returns the block that `target` is still writing; null: none. */
  clear(target: WriteTarget | null): Buffer | null {
    const blocks = this.#blocks;
    if (blocks.length === 0 && !this.borrows) return null;
    this.#return();
    const written = target?.writing && blocks.length > 0 ? blocks.shift()! : null;
    for (const block of blocks) this.pool!.giveBack(block);
    blocks.length = 0;
    this.heldBytes = 0;
    this.filled = 0;
    this.#handed = 0;
    this.#moved();
    return written;
  }

  /** `room` returns the last block, if it has room, or a new one; null: the pool has none left. */
  protected room(): Buffer | null {
    const { last } = this;
    if (last !== null && this.filled < last.length) return last;
    // Borrowed pieces lie between the bytes of one block alone.
    if (this.#pieces.length > 0) return this.#keep(this.#parts(), 0) ? this.room() : null;
    const block = this.pool!.take();
    if (block === null) return null;
    this.#blocks.push(block);
    this.filled = 0;
    this.#moved();
    return block;
  }

  /** Whether what lies at `position` of the last block has not left. */
  protected isHeld(position: number): boolean {
    return position >= (this.#blocks.length === 1 ? this.#handed : 0);
  }

  /** `#parts` returns everything that is held, in order. */
  #parts(): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let from = this.#handed;
    for (const [i, piece] of this.#pieces.entries()) {
      const place = this.#places[i]!;
      if (place > from) parts.push(this.last!.subarray(from, place));
      parts.push(piece);
      from = place;
    }
    if (this.filled > from) parts.push(this.last!.subarray(from, this.filled));
    return parts;
  }

  /** `#keep` copies all `parts` behind the first `taken` bytes to new blocks, which replace the only one. */
  #keep(parts: readonly Uint8Array[], taken: number): boolean {
    const block = this.#blocks.pop();
    this.#return();
    this.heldBytes = 0;
    this.filled = 0;
    this.#handed = 0;
    this.#moved();
    let left = taken;
    let isWhole = true;
    for (const part of parts) {
      const gone = Math.min(left, part.length);
      left -= gone;
      if (gone < part.length) isWhole = this.append(part, gone, part.length) && isWhole;
    }
    if (block !== undefined) this.pool!.giveBack(block);
    return isWhole;
  }

  #return(): void {
    // To set the length of an array is a call into the runtime, and most requests borrow nothing.
    if (!this.borrows) return;
    this.#pieces.length = 0;
    this.#places.length = 0;
  }

  /** `#dropHanded` returns the first block to the pool if the socket has written it. */
  #dropHanded(target: WriteTarget): void {
    if (target.writing || this.#blocks.length === 0) return;
    const end = this.#blocks.length === 1 ? this.filled : this.#blocks[0]!.length;
    if (this.#handed === end) this.#dropFirst();
  }

  #dropFirst(): void {
    this.pool!.giveBack(this.#blocks.shift()!);
    this.#handed = 0;
    if (this.#blocks.length > 0) return;
    this.filled = 0;
    this.#moved();
  }

  #moved(): void {
    this.last = this.#blocks[this.#blocks.length - 1] ?? null;
    this.mark = -1;
  }
}

/** Below this a loop beats a view of the bytes. */
const VIEWED_BYTES = 64;

function copy(from: Uint8Array, start: number, to: Buffer, at: number, count: number): void {
  if (count === from.length) to.set(from, at);
  else if (count >= VIEWED_BYTES) to.set(from.subarray(start, start + count), at);
  else for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
}
