/** Why a stream or a connection was ended (RFC 9113, section 7). */
export const ErrorCode = {
  /** Never sent: the connection ended without a code. */
  LOST: -1,
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  /** The request was not processed, so it may be sent again (section 8.7). */
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;
/** A code from a peer may be any unsigned 32-bit number; unknown codes mean INTERNAL_ERROR. */
export type ErrorCode = number;

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]));

/** Returns the name of a code for log lines: `PROTOCOL_ERROR`. */
export function errorName(code: ErrorCode): string {
  return names.get(code) ?? `error ${code}`;
}
