/**
 * Pairs on their way from a shadow thread to the control thread, through a ring of their own: nobody is
 * pushed back, a full ring drops the pair, and either thread may be replaced. One pair is one or more
 * PAIR frames.
 *
 *   first payload  0  f64  wall clock, ms
 *                  8  u32  primary's status   12  u32  shadow's status
 *                 16  u32  bit 0: the primary's body is cut, bit 1: the shadow's
 *                 20  u32  text bytes         24  u32  primary's head    28  u32  primary's body
 *                 32  u32  shadow's head      36  u32  shadow's body
 *                 40  text (id LF method LF target), heads and bodies, continuing in the frames behind
 */
import { wallClockMs } from '../clock.js';
import { FrameType } from '../ring/frame.js';
import { alignedBytes, FRAME_HEADER_BYTES } from '../ring/layout.js';
import type { FrameHandler, ReadFrame } from '../ring/reader.js';
import type { RingWriter } from '../ring/writer.js';
import type { PairCapture } from './capture.js';
import {
  EndpointBatch,
  type EndpointCounter,
  type EndpointLoss,
  type EndpointPair,
  readEndpointBatch,
} from './endpoint-batch.js';

const fixedBytes = 40;

/** Flags of PAIR frames. */
const PairFlag = { FIRST: 1, LAST: 2 } as const;

/** The shadow thread's end. */
export class PairPort {
  readonly #writer: RingWriter;
  readonly #requestFlush: () => void;
  readonly #endpoints = new EndpointBatch();

  /** `requestFlush` asks for `flush` at the end of this turn of the loop. */
  constructor(writer: RingWriter, requestFlush: () => void) {
    this.#writer = writer;
    this.#requestFlush = requestFlush;
  }

  /** False: there is no room, and nothing was written. */
  offer(slot: number, generation: number, pair: PairCapture): boolean {
    const { primary, shadow } = pair;
    const text = Buffer.from(`${pair.id}\n${pair.method}\n${pair.target}`, 'latin1');
    const fixed = Buffer.alloc(fixedBytes);
    fixed.writeDoubleLE(wallClockMs(), 0);
    fixed.writeUInt32LE(primary.status, 8);
    fixed.writeUInt32LE(shadow.status, 12);
    fixed.writeUInt32LE((primary.truncated ? 1 : 0) | (shadow.truncated ? 2 : 0), 16);
    fixed.writeUInt32LE(text.length, 20);
    fixed.writeUInt32LE(primary.head.length, 24);
    fixed.writeUInt32LE(primary.bodyBytes, 28);
    fixed.writeUInt32LE(shadow.head.length, 32);
    fixed.writeUInt32LE(shadow.bodyBytes, 36);
    const parts = [fixed, text, primary.head, ...primary.pieces, shadow.head, ...shadow.pieces];
    return this.#write(slot, generation, parts);
  }

  /** Counts a pair by its endpoint, as `EndpointBatch.add` does; `sendEndpoints` sends it on. */
  countPair(slot: number, loss: EndpointLoss, method: string, target: string, pair: EndpointPair): void {
    const batch = this.#endpoints;
    batch.add(slot, loss, method, target, pair);
    if (batch.isFull) this.sendEndpoints();
  }

  /** Sends the pairs that were counted by endpoint. Called once a second, and before the thread leaves. */
  sendEndpoints(): void {
    const batch = this.#endpoints;
    if (batch.isEmpty) return;
    const writer = this.#writer;
    const at = writer.claim(FrameType.ENDPOINTS, 0, 0, 0, 0, batch.bytes);
    if (at < 0) batch.lose();
    else {
      batch.writeTo(writer.bytes, at);
      this.#requestFlush();
    }
    batch.clear();
  }

  flush(): void {
    this.#writer.publish();
  }

  #write(slot: number, generation: number, parts: readonly Buffer[]): boolean {
    const writer = this.#writer;
    const totalBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const frames = Math.ceil(totalBytes / writer.payloadBytesMax);
    const neededBytes = totalBytes + frames * alignedBytes(FRAME_HEADER_BYTES + 1);
    // The padding at the end of the ring may cost as much as the largest frame. As much is left to pairs by
    // endpoint, which are small and many.
    const frameBytesMax = alignedBytes(writer.payloadBytesMax + FRAME_HEADER_BYTES);
    if (writer.usedBytes() + neededBytes + 2 * frameBytesMax > writer.capacity) return false;
    let part = 0;
    let partFrom = 0;
    let left = totalBytes;
    for (let frame = 0; frame < frames; frame++) {
      const frameBytes = Math.min(left, writer.payloadBytesMax);
      left -= frameBytes;
      const flags = (frame === 0 ? PairFlag.FIRST : 0) | (left === 0 ? PairFlag.LAST : 0);
      let at = writer.claim(FrameType.PAIR, flags, slot, 0, generation, frameBytes);
      if (at < 0) throw new Error('a ring had less room than it reported');
      const end = at + frameBytes;
      while (at < end) {
        const source = parts[part];
        const taken = Math.min(source.length - partFrom, end - at);
        writer.bytes.set(source.subarray(partFrom, partFrom + taken), at);
        at += taken;
        partFrom += taken;
        while (part < parts.length && partFrom === parts[part].length) {
          part++;
          partFrom = 0;
        }
      }
    }
    this.#requestFlush();
    return true;
  }
}

/** One response as an analyst gets it. */
export interface PairSide {
  readonly status: number;
  /** `200 OK CRLF name: value CRLF …`. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  /** The body is longer than what is here. */
  readonly truncated: boolean;
}

/** A pair as it leaves the ring. Its bytes are views of `bytes`, which belongs to it alone. */
export interface Pair {
  readonly slot: number;
  readonly generation: number;
  readonly wallMs: number;
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly primary: PairSide;
  readonly shadow: PairSide;
  readonly bytes: ArrayBuffer;
}

/** The control thread's end: puts pairs together from frames. */
export class PairFrames implements FrameHandler {
  readonly #onPair: (pair: Pair) => void;
  readonly #counterOf: (slot: number, name: string) => EndpointCounter | null;
  /** The pieces of the pair that is not complete yet; empty between pairs. */
  #pieces: Buffer[] = [];

  /** `counterOf` counts pairs by endpoint (`readEndpointBatch`). */
  constructor(
    onPair: (pair: Pair) => void,
    counterOf: (slot: number, name: string) => EndpointCounter | null = () => null,
  ) {
    this.#onPair = onPair;
    this.#counterOf = counterOf;
  }

  onFrame({ type, flags, slot, generation, bytes, start, end }: ReadFrame): void {
    if (type === FrameType.ENDPOINTS) readEndpointBatch(bytes, start, this.#counterOf);
    if (type !== FrameType.PAIR) return;
    if ((flags & PairFlag.FIRST) !== 0) this.#pieces = [];
    // A reader that was replaced within a pair finds the rest of it: passed over up to the next first frame.
    else if (this.#pieces.length === 0) return;
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    if ((flags & PairFlag.LAST) === 0) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#onPair(readPair(slot, generation, pieces));
  }
}

function readPair(slot: number, generation: number, pieces: readonly Buffer[]): Pair {
  const totalBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = new ArrayBuffer(totalBytes);
  const whole = Buffer.from(bytes);
  let to = 0;
  for (const piece of pieces) to += piece.copy(whole, to);
  let at = fixedBytes;
  const next = (offset: number): Uint8Array => {
    const from = at;
    at += whole.readUInt32LE(offset);
    return new Uint8Array(bytes, from, at - from);
  };
  const cut = whole.readUInt32LE(16);
  const [id, method, target] = Buffer.from(next(20)).toString('latin1').split('\n', 3);
  return {
    slot,
    generation,
    wallMs: whole.readDoubleLE(0),
    id,
    method,
    target,
    primary: { status: whole.readUInt32LE(8), head: next(24), body: next(28), truncated: (cut & 1) !== 0 },
    shadow: { status: whole.readUInt32LE(12), head: next(32), body: next(36), truncated: (cut & 2) !== 0 },
    bytes,
  };
}
