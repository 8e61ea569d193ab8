/** Why a stream or a connection was ended (RFC 9113, section 7). */
export const ErrorCode = {
  /** Not on the wire: the connection ended, and nobody said why. */
  LOST: -1,
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  /** The stream was not processed at all: it may be sent once more (section 8.7). */
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;
/** A code as it came from a peer may be any unsigned number of 32 bits: unknown ones mean INTERNAL_ERROR. */
export type ErrorCode = number;

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]));

/** `PROTOCOL_ERROR`, for lines of a log. */
export function errorName(code: ErrorCode): string {
  return names.get(code) ?? `error ${code}`;
}
