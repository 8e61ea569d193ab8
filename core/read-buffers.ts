import { limits } from './limits.js';

/**
 * The buffers that the sockets of one side of a thread read into. On POSIX libuv reads when a socket is ready
 * and calls back at once, before it reads any other socket, so connections share them. On Windows the kernel
 * may fill a buffer before its callback, so each connection has its own.
 */
export class ReadBuffers {
  readonly #plain: Buffer = Buffer.allocUnsafeSlow(limits.readBufferBytes);
  #http2: Buffer | null = null;

  /** `isHttp2`: the connection is not encrypted and may speak HTTP/2. TLS delivers a record at a time. */
  of(isHttp2: boolean): Buffer {
    if (process.platform === 'win32') return Buffer.allocUnsafeSlow(limits.readBufferBytes);
    if (!isHttp2) return this.#plain;
    this.#http2 ??= Buffer.allocUnsafeSlow(limits.http2ReadBytes);
    return this.#http2;
  }
}
