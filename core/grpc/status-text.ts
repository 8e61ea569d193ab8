/** The text of `grpc-message`: UTF-8, with all but printable ASCII in percent-encoding (gRPC over HTTP/2). */

const SPACE = 0x20;
const TILDE = 0x7e;
const PERCENT = 0x25;
const HEX_RADIX = 16;

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
