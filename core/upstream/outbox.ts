import { limits } from '../limits.js';
import type { WriteArena } from './write-arena.js';

/** A connection as an outbox writes to it. */
export interface WriteTarget {
  /** The socket holds bytes that the kernel has not taken. Nothing may be written. */
  readonly writing: boolean;
  /** Writes `block[start, end)`. False: the block must not change until `writing` is false again. */
  write(block: Buffer, start: number, end: number): boolean;
  /** Writes as much as the kernel takes now and returns the number of bytes. */
  writeDirect(bytes: Uint8Array, start: number, end: number): number;
  /** Does the same for `block[start, end)` followed by `piece`. */
  writeBothDirect(block: Buffer, start: number, end: number, piece: Uint8Array): number;
  /** Keeps a block that is still being written. */
  keepBlock(block: Buffer): void;
}

/**
 * The bytes of one request that its socket has not taken yet, in blocks of the thread's arena. All blocks but
 * the last are full. It is empty most of the time: bytes usually leave with the next `flush`, and large
 * pieces bypass it.
 */
export class Outbox {
  /** Bytes that were not handed to the socket yet. */
  heldBytes = 0;
  #arena: WriteArena | null = null;
  readonly #blocks: Buffer[] = [];
  /** End of the bytes in the last block. */
  #filled = 0;
  /** Bytes of the first block that were handed to the socket. */
  #handed = 0;

  begin(arena: WriteArena): void {
    this.#arena = arena;
  }

  /** `putText` adds a wire string. False: the arena has no block left, and the request can't continue. */
  putText(text: string): boolean {
    let done = 0;
    while (done < text.length) {
      const block = this.#room();
      if (block === null) return false;
      const count = Math.min(text.length - done, block.length - this.#filled);
      block.write(done === 0 ? text : text.slice(done), this.#filled, count, 'latin1');
      this.#filled += count;
      this.heldBytes += count;
      done += count;
    }
    return true;
  }

  /**
   * `putBytes` adds a copy of `bytes`. False: the arena has no block left, and the request can't continue.
   */
  putBytes(bytes: Uint8Array): boolean {
    let done = 0;
    while (done < bytes.length) {
      const block = this.#room();
      if (block === null) return false;
      const count = Math.min(bytes.length - done, block.length - this.#filled);
      const part = count === bytes.length ? bytes : bytes.subarray(done, done + count);
      block.set(part, this.#filled);
      this.#filled += count;
      this.heldBytes += count;
      done += count;
    }
    return true;
  }

  /**
   * `passBytes` writes `piece` behind the held bytes without a copy as far as the kernel takes it, and adds
   * the rest. It must not be called while the connection is `writing`. False: the arena has no block left,
   * and the request can't continue.
   */
  passBytes(piece: Uint8Array, connection: WriteTarget): boolean {
    if (this.#blocks.length > 1) return this.putBytes(piece);
    const { heldBytes } = this;
    const taken =
      heldBytes === 0
        ? connection.writeDirect(piece, 0, piece.length)
        : connection.writeBothDirect(this.#blocks[0]!, this.#handed, this.#filled, piece);
    const ofHeld = Math.min(taken, heldBytes);
    this.#handed += ofHeld;
    this.heldBytes -= ofHeld;
    if (ofHeld > 0) this.dropWritten();
    const ofPiece = taken - ofHeld;
    if (ofPiece === piece.length) return true;
    return this.putBytes(ofPiece === 0 ? piece : piece.subarray(ofPiece));
  }

  /**
   * `flush` hands bytes to the socket until it holds some. Call it again when the socket has written them.
   */
  flush(connection: WriteTarget): void {
    while (this.heldBytes > 0 && !connection.writing) {
      const block = this.#blocks[0]!;
      const start = this.#handed;
      const end = this.#blocks.length === 1 ? this.#filled : block.length;
      this.#handed = end;
      this.heldBytes -= end - start;
      if (connection.write(block, start, end)) this.dropWritten();
    }
  }

  /**
   * `flushDirect` writes what the kernel takes at once. The rest stays here, in order, for `flush` or the
   * next call.
   */
  flushDirect(connection: WriteTarget): void {
    while (this.heldBytes > 0 && !connection.writing) {
      const block = this.#blocks[0]!;
      const end = this.#blocks.length === 1 ? this.#filled : block.length;
      const count = connection.writeDirect(block, this.#handed, end);
      this.#handed += count;
      this.heldBytes -= count;
      if (this.#handed < end) return;
      this.dropWritten();
    }
  }

  /** `dropWritten` returns the first block to the arena if the socket has written all of it. */
  dropWritten(): void {
    if (this.#blocks.length === 0) return;
    if (this.heldBytes > 0 && this.#handed < limits.writeBlockBytes) return;
    this.#arena!.giveBack(this.#blocks.shift()!);
    this.#handed = 0;
    if (this.#blocks.length === 0) this.#filled = 0;
  }

  /** `clear` discards everything. `connection` keeps a block that it is still writing. */
  clear(connection: WriteTarget | null): void {
    if (this.#blocks.length === 0) return;
    if (connection?.writing) connection.keepBlock(this.#blocks.shift()!);
    for (const block of this.#blocks) this.#arena!.giveBack(block);
    this.#blocks.length = 0;
    this.#filled = 0;
    this.#handed = 0;
    this.heldBytes = 0;
  }

  /** `#room` returns the last block if it has room, or a new one. */
  #room(): Buffer | null {
    const { length } = this.#blocks;
    if (length > 0 && this.#filled < limits.writeBlockBytes) return this.#blocks[length - 1]!;
    const block = this.#arena!.take();
    if (block === null) return null;
    this.#blocks.push(block);
    this.#filled = 0;
    return block;
  }
}
