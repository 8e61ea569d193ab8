import { ErrorCode } from './error-code.js';
import {
  Flag,
  FrameType,
  GOAWAY_BYTES_MIN,
  PING_BYTES,
  PRIORITY_BYTES,
  RESET_BYTES,
  SETTING_BYTES,
  WINDOW_UPDATE_BYTES,
} from './frame.js';

/**
 * Checks the stream identifier and length of a frame by its type (RFC 9113, section 6). Returns NO_ERROR or
 * the connection error. The reader checks DATA. A PRIORITY frame of the wrong length may be a connection
 * error, because its stream may be closed by then (section 5.4).
 */
export function frameFault(type: number, flags: number, stream: number, length: number): ErrorCode {
  switch (type) {
    case FrameType.PRIORITY:
      if (length !== PRIORITY_BYTES) return ErrorCode.FRAME_SIZE_ERROR;
      return stream === 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
    case FrameType.HEADERS:
    case FrameType.CONTINUATION:
      return stream === 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
    case FrameType.RST_STREAM:
      if (length !== RESET_BYTES) return ErrorCode.FRAME_SIZE_ERROR;
      return stream === 0 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
    case FrameType.SETTINGS:
      if (stream !== 0) return ErrorCode.PROTOCOL_ERROR;
      return length % SETTING_BYTES === 0 && ((flags & Flag.ACK) === 0 || length === 0)
        ? ErrorCode.NO_ERROR
        : ErrorCode.FRAME_SIZE_ERROR;
    case FrameType.PUSH_PROMISE:
      // umbra accepts no pushes, and clients never push (section 8.4).
      return ErrorCode.PROTOCOL_ERROR;
    case FrameType.PING:
      if (stream !== 0) return ErrorCode.PROTOCOL_ERROR;
      return length === PING_BYTES ? ErrorCode.NO_ERROR : ErrorCode.FRAME_SIZE_ERROR;
    case FrameType.GOAWAY:
      if (stream !== 0) return ErrorCode.PROTOCOL_ERROR;
      return length >= GOAWAY_BYTES_MIN ? ErrorCode.NO_ERROR : ErrorCode.FRAME_SIZE_ERROR;
    case FrameType.WINDOW_UPDATE:
      return length === WINDOW_UPDATE_BYTES ? ErrorCode.NO_ERROR : ErrorCode.FRAME_SIZE_ERROR;
    default:
      return ErrorCode.NO_ERROR;
  }
}
