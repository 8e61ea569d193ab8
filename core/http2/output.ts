import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FRAME_HEAD_BYTES,
  FrameType,
  HeadAt,
  writeFrameHead,
  writeUint32,
} from './frame.js';

/** A source of blocks of one size, which the connections of a thread share. */
export interface BlockPool {
  /** Null: the thread's limit is reached. */
  take(): Buffer | null;
  giveBack(block: Buffer): void;
}

/** The socket of a connection, as its session sees it. */
export interface ByteTarget {
  /** The socket holds bytes that the kernel has not accepted. Nothing may be written until it has. */
  readonly writing: boolean;
  /** Writes `block[start, end)`. False: the block must not change until `writing` is false. */
  write(block: Buffer, start: number, end: number): boolean;
  /**
   * Writes as much of the parts as the kernel accepts now, and returns how much; 0 where a direct write is
   * not possible.
   */
  writeParts(parts: readonly Uint8Array[]): number;
}

/** Frames of one piece that are written with one system call; `heads` holds their heads meanwhile. */
const FRAMES_PER_CALL = 16;
const heads = Buffer.allocUnsafeSlow(FRAMES_PER_CALL * FRAME_HEAD_BYTES);
const word = Buffer.allocUnsafeSlow(4);

/**
 * `Output` collects the bytes that one connection sends, in blocks of the thread, so that all frames of a
 * turn leave in one write. It has no block while it holds no bytes.
 */
export class Output {
  /** Bytes that were not handed to the socket yet. */
  heldBytes = 0;
  /** The thread had no block left. Frames were lost, so the connection must end. */
  isBroken = false;
  readonly #pool: BlockPool;
  readonly #blocks: Buffer[] = [];
  /** End of the bytes in the last block. */
  #filled = 0;
  /** Bytes of the first block that were handed to the socket. */
  #handed = 0;
  /**
   * Position of the latest frame's head in the last block, with its stream; -1 when it has left the block.
   */
  #headAt = -1;
  #headStream = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  frameHead(length: number, type: number, flags: number, stream: number): void {
    const block = this.#room();
    this.#headAt = -1;
    if (block !== null && block.length - this.#filled >= FRAME_HEAD_BYTES) {
      if (canEnd(type, flags)) this.#headAt = this.#filled;
      this.#headStream = stream;
      this.#filled = writeFrameHead(block, this.#filled, length, type, flags, stream);
      this.heldBytes += FRAME_HEAD_BYTES;
    } else {
      writeFrameHead(heads, 0, length, type, flags, stream);
      this.bytes(heads, 0, FRAME_HEAD_BYTES);
    }
  }

  /**
   * Sets END_STREAM on the latest frame, if it is DATA or HEADERS of this stream and has not left. False:
   * the end needs a frame of its own.
   */
  endStream(stream: number): boolean {
    const at = this.#headAt;
    const first = this.#blocks.length === 1 ? this.#handed : 0;
    if (at < first || stream !== this.#headStream) return false;
    this.#blocks[this.#blocks.length - 1]![at + HeadAt.FLAGS]! |= Flag.END_STREAM;
    this.#headAt = -1;
    return true;
  }

  uint32(value: number): void {
    writeUint32(word, 0, value);
    this.bytes(word, 0, word.length);
  }

  /** Appends a copy of `bytes[start, end)`. */
  bytes(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      const block = this.#room();
      if (block === null) return;
      const count = Math.min(end - from, block.length - this.#filled);
      copy(bytes, from, block, this.#filled, count);
      this.#filled += count;
      this.heldBytes += count;
      from += count;
    }
  }

  /**
   * Writes the held bytes, then `piece[start, end)` as DATA frames, as far as the kernel accepts them. Only
   * the rest is copied. The last frame has `flags`.
   */
  pass(
    piece: Uint8Array,
    start: number,
    end: number,
    flags: number,
    stream: number,
    target: ByteTarget,
  ): void {
    let from = start;
    this.#headAt = -1;
    while (from < end) {
      const parts: Uint8Array[] = [];
      if (this.heldBytes > 0) parts.push(this.#blocks[0]!.subarray(this.#handed, this.#filled));
      for (let frame = 0; frame < FRAMES_PER_CALL && from < end; frame++) {
        const length = Math.min(FRAME_BYTES_DEFAULT, end - from);
        const head = frame * FRAME_HEAD_BYTES;
        writeFrameHead(
          heads,
          head,
          length,
          FrameType.DATA,
          from + length === end ? flags : Flag.NONE,
          stream,
        );
        parts.push(heads.subarray(head, head + FRAME_HEAD_BYTES), piece.subarray(from, from + length));
        from += length;
      }
      this.#writeParts(parts, target);
    }
  }

  /** Whether `pass` can write anything now. */
  canPass(target: ByteTarget | null): boolean {
    return target !== null && !target.writing && this.#blocks.length <= 1;
  }

  /** Hands bytes to the socket until the socket holds some of them. Flush again when it has written those. */
  flush(target: ByteTarget): void {
    this.#dropHanded(target);
    while (this.heldBytes > 0 && !target.writing) {
      const block = this.#blocks[0]!;
      const start = this.#handed;
      const end = this.#blocks.length === 1 ? this.#filled : block.length;
      this.#handed = end;
      this.heldBytes -= end - start;
      if (target.write(block, start, end)) this.#dropFirst();
    }
  }

  /** The socket is closed and reads no block any more: returns all blocks to the pool. */
  clear(): void {
    for (const block of this.#blocks) this.#pool.giveBack(block);
    this.#blocks.length = 0;
    this.heldBytes = 0;
    this.#filled = 0;
    this.#handed = 0;
    this.#headAt = -1;
  }

  #writeParts(parts: readonly Uint8Array[], target: ByteTarget): void {
    let held = this.heldBytes;
    let taken = this.canPass(target) ? target.writeParts(parts) : 0;
    for (const part of parts) {
      const gone = Math.min(taken, part.length);
      taken -= gone;
      if (held > 0) {
        // The first part is the held bytes.
        held = 0;
        this.#handed += gone;
        this.heldBytes -= gone;
        if (this.heldBytes === 0) this.#dropFirst();
      } else if (gone < part.length) {
        this.bytes(part, gone, part.length);
      }
    }
  }

  /** Returns the first block to the pool if the socket has written it. */
  #dropHanded(target: ByteTarget): void {
    if (target.writing || this.#blocks.length === 0) return;
    const end = this.#blocks.length === 1 ? this.#filled : this.#blocks[0]!.length;
    if (this.#handed === end) this.#dropFirst();
  }

  #dropFirst(): void {
    this.#pool.giveBack(this.#blocks.shift()!);
    this.#handed = 0;
    if (this.#blocks.length > 0) return;
    this.#filled = 0;
    this.#headAt = -1;
  }

  /** The last block, if it has room, or a new one. */
  #room(): Buffer | null {
    const { length } = this.#blocks;
    const last = this.#blocks[length - 1];
    if (last !== undefined && this.#filled < last.length) return last;
    if (this.isBroken) return null;
    const block = this.#pool.take();
    if (block === null) {
      this.isBroken = true;
      return null;
    }
    this.#blocks.push(block);
    this.#filled = 0;
    this.#headAt = -1;
    return block;
  }
}

/** CONTINUATION has no END_STREAM flag, so HEADERS with CONTINUATION behind it can't be changed. */
function canEnd(type: number, flags: number): boolean {
  return type === FrameType.DATA || (type === FrameType.HEADERS && (flags & Flag.END_HEADERS) !== 0);
}

/** Below this a loop beats a view of the bytes. */
const VIEWED_BYTES = 64;

function copy(from: Uint8Array, start: number, to: Buffer, at: number, count: number): void {
  if (count === from.length) to.set(from, at);
  else if (count >= VIEWED_BYTES) to.set(from.subarray(start, start + count), at);
  else for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
}
