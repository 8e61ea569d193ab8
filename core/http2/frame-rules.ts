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
 * What each type of frame must be by itself (RFC 9113, section 6): whether it belongs to a stream, and its
 * length. Returns NO_ERROR, or the code with which the connection ends. DATA has rules of its own. A PRIORITY
 * of the wrong length need not end more than its stream, which may be closed by then.
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
      // Nobody may push to us, and no client may push at all (section 8.4).
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
