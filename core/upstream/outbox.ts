import { limits } from '../limits.js';
import type { WriteArena } from './write-arena.js';

/** A connection, as an outbox writes to it. */
export interface WriteTarget {
  /** The socket holds bytes that the kernel has not taken: nothing may be written. */
  readonly writing: boolean;
  /** Writes `block[start, end)`. False: the block must stay as it is until `writing` is false again. */
  write(block: Buffer, start: number, end: number): boolean;
  /** Writes as much as the kernel takes now, and returns how much. */
  writeDirect(bytes: Uint8Array, start: number, end: number): number;
  /** `writeDirect` of `block[start, end)` and `piece` behind it. */
  writeBothDirect(block: Buffer, start: number, end: number, piece: Uint8Array): number;
  /** Takes a block that is still being written. */
  keepBlock(block: Buffer): void;
}

/**
 * The bytes of one request that its socket has not taken yet, in blocks of the thread's arena: all blocks but
 * the last are full. Empty most of the time; what is put in usually leaves with the `flush` after it, and
 * large pieces pass by it.
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

  /** Puts a wire string in. False: the arena has no block left, and the request can't go on. */
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

  /** Puts a copy of `bytes` in. False: the arena has no block left, and the request can't go on. */
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
   * Writes `piece` behind what is held, without a copy, as far as the kernel takes it, and puts in what is
   * left. Only while the connection is not `writing`. False: the arena has no block left, and the request
   * can't go on.
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

  /** Hands bytes to the socket until it holds on to some: then `flush` again when it has written them. */
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
   * Writes what the kernel takes at once, and leaves the rest here, in order, for `flush` or for the next
   * call.
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

  /** Gives the first block back if the socket has written all that is in it. */
  dropWritten(): void {
    if (this.#blocks.length === 0) return;
    if (this.heldBytes > 0 && this.#handed < limits.writeBlockBytes) return;
    this.#arena!.giveBack(this.#blocks.shift()!);
    this.#handed = 0;
    if (this.#blocks.length === 0) this.#filled = 0;
  }

  /** Forgets everything. A block that `connection` is still writing stays with it until it is done. */
  clear(connection: WriteTarget | null): void {
    if (this.#blocks.length === 0) return;
    if (connection?.writing) connection.keepBlock(this.#blocks.shift()!);
    for (const block of this.#blocks) this.#arena!.giveBack(block);
    this.#blocks.length = 0;
    this.#filled = 0;
    this.#handed = 0;
    this.heldBytes = 0;
  }

  /** The last block, if it has room, or a new one. */
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
