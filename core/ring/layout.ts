/**
 * The layout of a ring: one SharedArrayBuffer between exactly one producer thread and exactly one consumer
 * thread. The algorithms are in `writer` and `reader`.
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
 * Positions are byte counts since the ring's start. They are 32-bit and wrap freely, so that a full and an
 * empty ring differ and nothing is ever reset: used = (TAIL - HEAD) | 0, offset = position & (capacity - 1).
 * CURSOR - HEAD >= 0 holds while the consumer is inside a batch, and TAIL - CURSOR >= 0 always.
 */

/** 128 rather than 64: common processors fetch cache lines in pairs. */
const FIELD_BYTES = 128;
const INT32_BYTES = 4;

/** Indexes into the control block as an Int32Array. */
export const Control = {
  /** End of the published frames. */
  TAIL: 0,
  /** End of the frames whose space the consumer has released to the producer. */
  HEAD: FIELD_BYTES / INT32_BYTES,
  /** End of the frames that the consumer has begun to handle. A consumer that takes over starts here. */
  CURSOR: (2 * FIELD_BYTES) / INT32_BYTES,
} as const;

export const CONTROL_BYTES = 3 * FIELD_BYTES;

export const FRAME_ALIGNMENT_BYTES = 8;
export const FRAME_HEADER_BYTES = 16;

/**
 * A frame takes at most an eighth of the ring, and with its padding at most a quarter. So a frame that does
 * not fit now is accepted once the consumer catches up.
 */
const LARGEST_FRAME_DIVISOR = 8;

const RING_BYTES_MIN = 1024;
/** The difference of two positions must fit into a positive Int32. */
const RING_BYTES_MAX = 2 ** 30;

/**
 * `createRing` returns an empty ring; any thread may call it. `bytes` is the size of the data area. It throws
 * a RangeError unless that is a power of two from 1 KiB to 1 GiB. `startPosition` is where positions begin:
 * tests set it just before the 32-bit wrap.
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

/** Views of one ring, as its two ends use them. */
export interface RingView {
  readonly capacity: number;
  readonly control: Int32Array;
  /** The data area as words, for frame headers. */
  readonly words: Int32Array;
  /** The data area as bytes, for payloads. */
  readonly bytes: Buffer;
  readonly frameBytesMax: number;
}

/**
 * `openRing` returns views of a ring that `createRing` made. It throws a RangeError if the buffer can't be a
 * ring.
 */
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

/**
 * `alignedBytes` returns the bytes that a frame takes in the ring: its total length, rounded up to the
 * alignment.
 */
export function alignedBytes(frameBytes: number): number {
  return (frameBytes + FRAME_ALIGNMENT_BYTES - 1) & -FRAME_ALIGNMENT_BYTES;
}

/**
 * `usedBytes` returns the bytes that are published and not yet released, for a thread that is neither end.
 * The two loads are not atomic together: the result may be slightly out of date, but is always between 0 and
 * the capacity.
 */
export function usedBytes(view: RingView): number {
  // HEAD is loaded first: it only follows TAIL, so the difference can't be negative.
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
