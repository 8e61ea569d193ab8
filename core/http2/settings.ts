/** SETTINGS (RFC 9113, section 6.5): the settings that umbra sends, and those of a peer. */
import { limits } from '../limits.js';
import { ErrorCode } from './error-code.js';
import {
  FRAME_BYTES_DEFAULT,
  FRAME_BYTES_MAX,
  INT31_MAX,
  readUint32,
  SETTING_BYTES,
  writeUint32,
} from './frame.js';

export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  /** RFC 9218, section 2.1: the priorities of RFC 7540 are ignored. */
  NO_RFC7540_PRIORITIES: 9,
} as const;

/** The peer's header table until its SETTINGS arrive. */
export const TABLE_BYTES_DEFAULT = 4096;
/** The initial window of streams and of the connection. */
export const WINDOW_DEFAULT = 65_535;

const UNBOUNDED = 2 ** 32 - 1;

/** The settings of a peer, with their defaults until its SETTINGS arrive. */
export class PeerSettings {
  tableBytes = TABLE_BYTES_DEFAULT;
  streamsMax: number = limits.http2StreamsAssumed;
  window = WINDOW_DEFAULT;
  /** A SETTINGS frame was received. */
  known = false;

  /**
   * Applies the payload `bytes[start, end)` of a SETTINGS frame in order. Returns NO_ERROR or the connection
   * error. `fromServer`: ENABLE_PUSH must not be 1.
   */
  read(bytes: Uint8Array, start: number, end: number, fromServer: boolean): ErrorCode {
    if (!this.known) this.streamsMax = UNBOUNDED;
    this.known = true;
    for (let at = start; at < end; at += SETTING_BYTES) {
      const code = this.#take((bytes[at]! << 8) | bytes[at + 1]!, readUint32(bytes, at + 2), fromServer);
      if (code !== ErrorCode.NO_ERROR) return code;
    }
    return ErrorCode.NO_ERROR;
  }

  #take(setting: number, value: number, fromServer: boolean): ErrorCode {
    switch (setting) {
      case Setting.HEADER_TABLE_SIZE:
        this.tableBytes = value;
        break;
      case Setting.ENABLE_PUSH:
        if (value > (fromServer ? 0 : 1)) return ErrorCode.PROTOCOL_ERROR;
        break;
      case Setting.MAX_CONCURRENT_STREAMS:
        this.streamsMax = value;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > INT31_MAX) return ErrorCode.FLOW_CONTROL_ERROR;
        this.window = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        // Only checked: umbra sends frames of the size that every peer accepts.
        if (value < FRAME_BYTES_DEFAULT || value > FRAME_BYTES_MAX) return ErrorCode.PROTOCOL_ERROR;
        break;
    }
    return ErrorCode.NO_ERROR;
  }
}

/** Returns the payload of umbra's own SETTINGS. Settings that are not in it have their defaults. */
export function ownSettings(isServer: boolean, listBytesMax: number): Buffer {
  const settings: [setting: number, value: number][] = [
    isServer ? [Setting.MAX_CONCURRENT_STREAMS, limits.http2Streams] : [Setting.ENABLE_PUSH, 0],
    [Setting.INITIAL_WINDOW_SIZE, limits.http2StreamWindowBytes],
    [Setting.MAX_HEADER_LIST_SIZE, listBytesMax],
  ];
  if (isServer) settings.push([Setting.NO_RFC7540_PRIORITIES, 1]);
  const payload = Buffer.alloc(settings.length * SETTING_BYTES);
  settings.forEach(([setting, value], row) => {
    const at = row * SETTING_BYTES;
    payload[at + 1] = setting;
    writeUint32(payload, at + 2, value);
  });
  return payload;
}
