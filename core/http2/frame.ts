/**
 * The layout of HTTP/2 frames (RFC 9113, section 4.1). Other files import these names.
 *
 *   byte 0               3       4       5                          9
 *   +-------------------+-------+-------+--------------------------+- - - - - - -+
 *   | length u24        | type  | flags | reserved bit, stream u31 | payload     |
 *   +-------------------+-------+-------+--------------------------+- - - - - - -+
 *
 * The length is that of the payload. With the flag PADDED, the payload begins with one byte for the length
 * of the padding at its end. With the flag PRIORITY, five bytes of priority follow in HEADERS.
 */

export const FRAME_HEAD_BYTES = 9;

/** Offsets of the parts of a frame head. */
export const HeadAt = { LENGTH: 0, TYPE: 3, FLAGS: 4, STREAM: 5 } as const;

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frames of higher types are ignored (RFC 9113, section 5.5). */
export const LAST_KNOWN_TYPE = FrameType.CONTINUATION;

/** Flags as bits. ACK and END_STREAM share a bit, because they belong to different types. */
export const Flag = { NONE: 0, ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** The first bytes of a client (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const PRIORITY_BYTES = 5;
export const RESET_BYTES = 4;
export const SETTING_BYTES = 6;
export const PING_BYTES = 8;
export const GOAWAY_BYTES_MIN = 8;
export const WINDOW_UPDATE_BYTES = 4;

/** The largest stream identifier, and the largest window. */
export const INT31_MAX = 2 ** 31 - 1;

/** The payload size that every peer accepts, and the most that umbra accepts (SETTINGS_MAX_FRAME_SIZE). */
export const FRAME_BYTES_DEFAULT = 16 * 1024;
/** The largest SETTINGS_MAX_FRAME_SIZE. */
export const FRAME_BYTES_MAX = 2 ** 24 - 1;

/** Writes a frame head at `at`. Returns where its payload begins. */
export function writeFrameHead(
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + HeadAt.TYPE] = type;
  bytes[at + HeadAt.FLAGS] = flags;
  return writeUint32(bytes, at + HeadAt.STREAM, stream);
}

export function readUint24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

/** `readUint31` masks the reserved bit. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 0x7f) << 24) | readUint24(bytes, at + 1);
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | readUint24(bytes, at + 1)) >>> 0;
}

/** Returns the position after the written bytes. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}
