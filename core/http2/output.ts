import { type BlockPool, WriteQueue, type WriteTarget } from '../write-queue.js';
import { Flag, FRAME_HEAD_BYTES, FrameType, HeadAt, writeFrameHead, writeUint32 } from './frame.js';

const scratch = Buffer.allocUnsafeSlow(FRAME_HEAD_BYTES);

/** `Output` collects the frames that one connection sends: all frames of a turn leave in one write. */
export class Output extends WriteQueue {
  /** The thread had no block left. Frames were lost, so the connection must end. */
  isBroken = false;
  /** The stream of the frame head at `mark`. */
  #markedStream = 0;

  constructor(pool: BlockPool) {
    super(pool);
  }

  frameHead(length: number, type: number, flags: number, stream: number): void {
    if (this.isBroken) return;
    const block = this.room();
    this.mark = -1;
    if (block !== null && block.length - this.filled >= FRAME_HEAD_BYTES) {
      if (canEnd(type, flags)) this.mark = this.filled;
      this.#markedStream = stream;
      this.filled = writeFrameHead(block, this.filled, length, type, flags, stream);
      this.heldBytes += FRAME_HEAD_BYTES;
    } else {
      writeFrameHead(scratch, 0, length, type, flags, stream);
      this.bytes(scratch, 0, FRAME_HEAD_BYTES);
    }
  }

  /**
   * Sets END_STREAM on the latest frame, if it is DATA or HEADERS of this stream and has not left. False:
   * the end needs a frame of its own.
   */
  endStream(stream: number): boolean {
    const at = this.mark;
    if (at < 0 || stream !== this.#markedStream || !this.isHeld(at)) return false;
    this.last![at + HeadAt.FLAGS]! |= Flag.END_STREAM;
    this.mark = -1;
    return true;
  }

  uint32(value: number): void {
    writeUint32(scratch, 0, value);
    this.bytes(scratch, 0, 4);
  }

  override settle(target: WriteTarget): boolean {
    if (!super.settle(target)) this.isBroken = true;
    return !this.isBroken;
  }

  /** Appends a copy of `bytes[start, end)`. */
  bytes(bytes: Uint8Array, start: number, end: number): void {
    if (!this.isBroken && !this.append(bytes, start, end)) this.isBroken = true;
  }
}

/** CONTINUATION has no END_STREAM flag, so HEADERS with CONTINUATION behind it can't be changed. */
function canEnd(type: number, flags: number): boolean {
  return type === FrameType.DATA || (type === FrameType.HEADERS && (flags & Flag.END_HEADERS) !== 0);
}
