/**
 * What the ring's tests share: frames that know what they must contain, and a handler that keeps what it saw.
 */
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing, FRAME_HEADER_BYTES } from '../../../core/ring/layout.js';
import type { FrameHandler } from '../../../core/ring/reader.js';
import { type ReadFrame, RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';

export const HEADER = FRAME_HEADER_BYTES;

export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly slot: number;
  readonly exchangeId: number;
  readonly generation: number;
  readonly payload: string;
  readonly start: number;
}

export class Collector implements FrameHandler {
  readonly frames: SeenFrame[] = [];

  onFrame({ type, flags, slot, exchangeId, generation, bytes, start, end }: ReadFrame): void {
    const payload = bytes.toString('latin1', start, end);
    this.frames.push({ type, flags, slot, exchangeId, generation, payload, start });
  }

  payloads(): string[] {
    return this.frames.map((frame) => frame.payload);
  }
}

export interface Ring {
  readonly shared: SharedArrayBuffer;
  readonly doorbell: Doorbell;
  readonly writer: RingWriter;
  readonly reader: RingReader;
}

export function newRing(bytes: number, startPosition = 0): Ring {
  const shared = createRing(bytes, startPosition);
  const doorbell = new Doorbell(createDoorbell());
  return { shared, doorbell, writer: new RingWriter(shared, doorbell), reader: new RingReader(shared) };
}

/** Claims a frame that carries `payload`, and returns what `claim` did. */
export function offer(
  writer: RingWriter,
  type: number,
  payload: string,
  exchangeId = 0,
  generation = 0,
): number {
  const start = writer.claim(type, 0, 0, exchangeId, generation, payload.length);
  if (start >= 0) writer.bytes.write(payload, start, 'latin1');
  return start;
}

/** A payload that only this frame can have: its length and every byte follow from `seed`. */
export function fillPayload(bytes: Buffer, start: number, payloadBytes: number, seed: number): void {
  for (let i = 0; i < payloadBytes; i++) bytes[start + i] = byteAt(seed, i);
}

/** Whether the bytes are what `fillPayload` wrote for this seed. */
export function payloadIsWhole(bytes: Buffer, start: number, end: number, seed: number): boolean {
  for (let i = 0; i < end - start; i++) if (bytes[start + i] !== byteAt(seed, i)) return false;
  return true;
}

/** A length from 0 to `bytesMax` that follows from `seed`. */
export function payloadBytesOf(seed: number, bytesMax: number): number {
  return (Math.imul(seed + 1, 0x9e3779b1) >>> 0) % (bytesMax + 1);
}

/** What a consumer thread counts: indexes into an Int32Array over shared memory. */
export const Tally = { FRAMES: 0, SPOILT: 1, OUT_OF_ORDER: 2, LAST_ID: 3, WORDS: 4 } as const;

function byteAt(seed: number, i: number): number {
  return (Math.imul(seed ^ 0x5bd1e995, 0x01000193) + Math.imul(i, 0x85ebca6b)) >>> 24;
}
