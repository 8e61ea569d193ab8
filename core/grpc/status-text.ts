/** The text of `grpc-message`: UTF-8, with all but printable ASCII in percent-encoding (gRPC over HTTP/2). */

const SPACE = 0x20;
const TILDE = 0x7e;
const PERCENT = 0x25;
const HEX_RADIX = 16;
const ESCAPE_CHARS = 3;

export function encodeGrpcMessage(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    encoded +=
      byte < SPACE || byte > TILDE || byte === PERCENT
        ? `%${byte.toString(HEX_RADIX).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte);
  }
  return encoded;
}

/** The text of a value. As gRPC asks, what is no valid encoding stays as it is and nothing fails. */
export function decodeGrpcMessage(value: string): string {
  if (!value.includes('%')) return value;
  const bytes = Buffer.alloc(value.length);
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digits = value.charCodeAt(at) === PERCENT ? value.slice(at + 1, at + ESCAPE_CHARS) : '';
    if (/^[0-9a-fA-F]{2}$/.test(digits)) {
      bytes[length++] = Number.parseInt(digits, HEX_RADIX);
      at += digits.length;
    } else {
      bytes[length++] = value.charCodeAt(at);
    }
  }
  return bytes.toString('utf8', 0, length);
}
