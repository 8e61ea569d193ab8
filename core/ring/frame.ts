/**
 * A frame is one record in a ring. The codec that writes and reads a payload knows what it means; the ring
 * knows only the header (diagram in `layout`).
 */

/** What a frame carries. 0 is not a type, so that a ring of zeros is never mistaken for frames. */
export const FrameType = {
  /** The head of a mirrored request. */
  HEAD: 1,
  /** A piece of the request's body. */
  BODY: 2,
  /** The body is complete. */
  END: 3,
  /** The mirrored request was aborted; no further frame follows. */
  ABORT: 4,
  /** The outcome of the primary's exchange. */
  OUTCOME: 5,
  /** A line for the access log. */
  RECORD: 6,
  /** Fills the rest of the data area. Only the ring itself writes and skips it. */
  PAD: 7,
  /** The trailers of the request; its END frame follows. */
  TRAILERS: 8,
  /** The head of the primary's response to a mirrored request, if the response is captured. */
  RESPONSE_HEAD: 9,
  /** A piece of the body of the primary's response. */
  RESPONSE_BODY: 10,
  /** Both responses of a pair, for the analysts. */
  PAIR: 11,
  /** Outcomes and latencies of pairs, counted by endpoint. */
  ENDPOINTS: 12,
  /** The trailers of the primary's response, if the response is captured. */
  RESPONSE_TRAILERS: 13,
  /** Spans of a traced request or copy, for the control thread. */
  SPAN: 14,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Word indexes in a frame. */
export const FrameWord = { LENGTH: 0, KIND: 1, EXCHANGE: 2, GENERATION: 3 } as const;

/** `packKind` returns the second word: the type in the lowest byte, then the flags, then the mirror slot. */
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
