/**
 * The messages of a gRPC body (gRPC over HTTP/2, "Length-Prefixed-Message"): a byte that says whether the
 * message is compressed, four bytes of length, and the message.
 */

const MESSAGE_PREFIX_BYTES = 5;
/** The bit of gRPC-Web in the first byte of a prefix. */
const WEB_TRAILERS = 0x80;
const LENGTH_BYTE_FACTOR = 256;

/**
 * Counts messages while pieces of a body pass, and holds none of them. Pieces may be cut anywhere. It belongs
 * to one body at a time.
 */
export class MessageCounter {
  /** Messages whose prefix is complete. */
  messages = 0;
  /** Those whose first byte says that they are compressed. */
  compressed = 0;
  /** The first byte of a prefix was neither 0 nor 1: this is not gRPC. */
  isMalformed = false;
  /** Bytes of the prefix that have arrived. */
  #prefix = 0;
  #length = 0;
  /** Bytes of the message that are still to come. */
  #left = 0;

  static readonly prefixBytes = MESSAGE_PREFIX_BYTES;

  /** Messages of which every byte has passed. */
  get wholeMessages(): number {
    return this.#left > 0 ? this.messages - 1 : this.messages;
  }

  begin(): void {
    this.messages = 0;
    this.compressed = 0;
    this.isMalformed = false;
    this.#prefix = 0;
    this.#length = 0;
    this.#left = 0;
  }

  /** The body may end here: no message is incomplete. */
  get isBetweenMessages(): boolean {
    return this.#prefix === 0 && this.#left === 0;
  }

  take(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, piece.length - at);
        this.#left -= taken;
        at += taken;
      } else {
        this.#takePrefix(piece[at++]);
      }
    }
  }

  #takePrefix(byte: number): void {
    if (this.#prefix === 0) {
      if (byte === 1) this.compressed++;
      else if (byte !== 0) this.isMalformed = true;
    } else {
      this.#length = this.#length * LENGTH_BYTE_FACTOR + byte;
    }
    this.#prefix++;
    if (this.#prefix < MESSAGE_PREFIX_BYTES) return;
    this.messages++;
    this.#left = this.#length;
    this.#prefix = 0;
    this.#length = 0;
  }
}

/** One message of a body that is at hand. */
export interface GrpcMessage {
  readonly compressed: boolean;
  /** The trailers of gRPC-Web, which stand at the end of the body as field lines. */
  readonly isTrailers: boolean;
  /** A view of the body. */
  readonly bytes: Buffer;
}

/**
 * The messages of a whole body, or null when it does not consist of whole messages. `isWeb`: it is gRPC-Web.
 */
export function grpcMessages(body: Uint8Array, isWeb = false): GrpcMessage[] | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const messages: GrpcMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const from = at + MESSAGE_PREFIX_BYTES;
    const isTrailers = isWeb && (bytes[at] & WEB_TRAILERS) !== 0;
    if (from > bytes.length || (bytes[at] > 1 && !isTrailers)) return null;
    const end = from + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) return null;
    messages.push({ compressed: (bytes[at] & 1) === 1, isTrailers, bytes: bytes.subarray(from, end) });
    at = end;
  }
  return messages;
}

/** `message` with its prefix. */
export function framedMessage(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(MESSAGE_PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, MESSAGE_PREFIX_BYTES);
  return framed;
}
