/**
 * Where everything lies in a ring: one SharedArrayBuffer between exactly one producer thread and exactly one
 * consumer thread. The algorithms are in `writer` and `reader`; this file only names the places.
 *
 *   byte 0        4                                            128
 *   +------------+---------------------------------------------+
 *   | TAIL   i32 | unused: keeps the next field off this line  |  written by the producer
 *   +------------+---------------------------------------------+ 128
 *   | HEAD   i32 | unused                                      |  written by the consumer
 *   +------------+---------------------------------------------+ 256
 *   | CURSOR i32 | unused                                      |  written by the consumer
 *   +------------+---------------------------------------------+ 384
 *   | data area: a power of two of bytes, frames on multiples of 8
 *   +----------------------------------------------------------+ 384 + capacity
 *
 * One frame (words in the machine's byte order: it never leaves the machine):
 *
 *   byte 0           4       5        6               8             12              16
 *   +---------------+-------+--------+---------------+-------------+---------------+---------+- - - -+
 *   | total length  | type  | flags  | mirror slot   | exchange id | generation    | payload | unused |
 *   | u32           | u8    | u8     | u16           | u32         | u32, the plan |         | to x 8 |
 *   +---------------+-------+--------+---------------+-------------+---------------+---------+- - - -+
 *
 * The total length counts the header and the payload, not the unused bytes behind it. A frame never wraps: a
 * PAD frame fills the rest of the data area. That rest can be 8 bytes, so a PAD has only the first two words.
 *
 * Positions are byte counts since the ring's start and run free in 32 bits, so that a full ring and an empty
 * one differ and nothing is ever reset: used = (TAIL - HEAD) | 0, offset = position & (capacity - 1). Always
 * CURSOR - HEAD >= 0 while the consumer is inside a batch, and TAIL - CURSOR >= 0.
 */

/** 128 and not 64: common processors fetch cache lines in pairs. */
const FIELD_BYTES = 128;
const INT32_BYTES = 4;

/** Indexes into the control block as an Int32Array. */
export const Control = {
  /** End of what is published. */
  TAIL: 0,
  /** End of what the consumer has given back to the producer. */
  HEAD: FIELD_BYTES / INT32_BYTES,
  /** End of what the consumer has begun to handle; a consumer that takes over starts here. */
  CURSOR: (2 * FIELD_BYTES) / INT32_BYTES,
} as const;

export const CONTROL_BYTES = 3 * FIELD_BYTES;

export const FRAME_ALIGNMENT_BYTES = 8;
export const FRAME_HEADER_BYTES = 16;

/**
 * A frame may take an eighth of the ring. So frame and padding together take at most a quarter, and an offer
 * that is refused for want of room is accepted as soon as the consumer catches up.
 */
const LARGEST_FRAME_DIVISOR = 8;

const RING_BYTES_MIN = 1024;
/** The difference of two positions must fit into a positive Int32. */
const RING_BYTES_MAX = 2 ** 30;

/**
 * A new, empty ring; any thread. `bytes` is the data area, a power of two from 1 KiB to 1 GiB, else it
 * throws. `startPosition` is where the positions begin: tests put it just before a wrap of 32 bits.
 */
export function createRing(bytes: number, startPosition = 0): SharedArrayBuffer {
  checkCapacity(bytes);
  if (startPosition % FRAME_ALIGNMENT_BYTES !== 0) {
    throw new RangeError(
      `a ring's start position is a multiple of ${FRAME_ALIGNMENT_BYTES}, not ${startPosition}`,
    );
  }
  const ring = new SharedArrayBuffer(CONTROL_BYTES + bytes);
  const control = new Int32Array(ring, 0, CONTROL_BYTES / INT32_BYTES);
  control[Control.TAIL] = startPosition;
  control[Control.HEAD] = startPosition;
  control[Control.CURSOR] = startPosition;
  return ring;
}

/** The parts of one ring, as its two ends use them. */
export interface RingView {
  readonly capacity: number;
  readonly control: Int32Array;
  /** The data area in words, for frame headers. */
  readonly words: Int32Array;
  /** The data area, for payloads. */
  readonly bytes: Buffer;
  readonly frameBytesMax: number;
}

/** Looks at a ring that `createRing` made; throws when the buffer can't be one. */
export function openRing(ring: SharedArrayBuffer): RingView {
  const capacity = ring.byteLength - CONTROL_BYTES;
  checkCapacity(capacity);
  return {
    capacity,
    control: new Int32Array(ring, 0, CONTROL_BYTES / INT32_BYTES),
    words: new Int32Array(ring, CONTROL_BYTES, capacity / INT32_BYTES),
    bytes: Buffer.from(ring, CONTROL_BYTES, capacity),
    frameBytesMax: capacity / LARGEST_FRAME_DIVISOR,
  };
}

/** Bytes that a frame takes in the ring: its total length, rounded up to the alignment. */
export function alignedBytes(frameBytes: number): number {
  return (frameBytes + FRAME_ALIGNMENT_BYTES - 1) & -FRAME_ALIGNMENT_BYTES;
}

/**
 * Bytes that are published and not yet given back, for a thread that is neither end. The two loads are not
 * one: the answer is a little old, but always between 0 and the capacity.
 */
export function usedBytes(view: RingView): number {
  // HEAD first: it only follows TAIL, so the difference can't come out negative.
  const head = Atomics.load(view.control, Control.HEAD);
  const tail = Atomics.load(view.control, Control.TAIL);
  return Math.min((tail - head) | 0, view.capacity);
}

function checkCapacity(bytes: number): void {
  const powerOfTwo = Number.isInteger(bytes) && bytes > 0 && Number.isInteger(Math.log2(bytes));
  if (!powerOfTwo || bytes < RING_BYTES_MIN || bytes > RING_BYTES_MAX) {
    throw new RangeError(
      `a ring's data area is a power of two from ${RING_BYTES_MIN} to ${RING_BYTES_MAX} bytes, not ${bytes}`,
    );
  }
}
