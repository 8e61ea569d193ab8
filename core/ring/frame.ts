/**
 * The frame: one record in a ring. What a payload means is the business of the codec that writes and reads
 * it; the ring knows only the header (diagram in `layout`).
 */

/** What a frame carries. 0 is no type, so that a ring of zeroes is never mistaken for frames. */
export const FrameType = {
  /** The head of a mirrored request. */
  HEAD: 1,
  /** A piece of its body. */
  BODY: 2,
  /** The body is complete. */
  END: 3,
  /** The mirrored request is given up; nothing follows. */
  ABORT: 4,
  /** What the primary's exchange came to. */
  OUTCOME: 5,
  /** A line for a log. */
  RECORD: 6,
  /** Fills the rest of the data area; written and skipped by the ring itself. */
  PAD: 7,
  /** The trailers of its body; the body's end follows. */
  TRAILERS: 8,
  /** The head of the primary's response to a mirrored request, where it is captured. */
  RESPONSE_HEAD: 9,
  /** A piece of its body. */
  RESPONSE_BODY: 10,
  /** Both responses of a pair, on their way to the analysts. */
  PAIR: 11,
  /** Outcomes and latencies of pairs, by endpoint. */
  ENDPOINTS: 12,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Word indexes in a frame. */
export const FrameWord = { LENGTH: 0, KIND: 1, EXCHANGE: 2, GENERATION: 3 } as const;

/** The second word: type in the lowest byte, then flags, then the mirror slot. */
export function packKind(type: number, flags: number, slot: number): number {
  return (type & 0xff) | ((flags & 0xff) << 8) | (slot << 16);
}

export function typeOf(kind: number): number {
  return kind & 0xff;
}

export function flagsOf(kind: number): number {
  return (kind >>> 8) & 0xff;
}

export function slotOf(kind: number): number {
  return kind >>> 16;
}
