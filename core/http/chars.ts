/**
 * The bytes of HTTP/1.1 and their classes in its grammar (RFC 9110, section 5). The classes are tables of 256
 * entries of one byte, so that a class needs one lookup per byte and no branch.
 */

export const Char = {
  HTAB: 0x09,
  LF: 0x0a,
  CR: 0x0d,
  SP: 0x20,
  QUOTE: 0x22,
  PERCENT: 0x25,
  COMMA: 0x2c,
  DASH: 0x2d,
  DOT: 0x2e,
  SLASH: 0x2f,
  ZERO: 0x30,
  COLON: 0x3a,
  SEMICOLON: 0x3b,
  EQUALS: 0x3d,
  UPPER_A: 0x41,
  UPPER_Z: 0x5a,
  BACKSLASH: 0x5c,
  UNDERSCORE: 0x5f,
  LOWER_A: 0x61,
  LOWER_Z: 0x7a,
  /** What a small letter has and the capital letter lacks. */
  CASE_BIT: 0x20,
} as const;

const BYTE_VALUES = 256;

/** 1 for the bytes of a token (tchar): field names, methods, codings. */
export const isTokenByte = new Uint8Array(BYTE_VALUES);
/** 1 for the bytes of a field value or a reason phrase: HTAB, SP, visible characters and obs-text. */
export const isFieldByte = new Uint8Array(BYTE_VALUES);
/**
 * 1 for the bytes of a request target: visible ones except `#`, and bytes above ASCII, which some clients
 * send unencoded.
 */
export const isTargetByte = new Uint8Array(BYTE_VALUES);
/** The lower-case byte of each ASCII letter; other bytes are unchanged. */
export const lowerOf = new Uint8Array(BYTE_VALUES);
/** The value of a hexadecimal digit, or `NOT_HEX`. */
export const hexValueOf = new Uint8Array(BYTE_VALUES);
export const NOT_HEX = 0xff;

for (let byte = 0; byte < BYTE_VALUES; byte++) {
  const text = String.fromCharCode(byte);
  isTokenByte[byte] = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(text) ? 1 : 0;
  isFieldByte[byte] = byte === Char.HTAB || (byte >= Char.SP && byte !== 0x7f) ? 1 : 0;
  isTargetByte[byte] = byte > Char.SP && byte !== 0x7f && text !== '#' ? 1 : 0;
  lowerOf[byte] = /^[A-Z]$/.test(text) ? byte + 0x20 : byte;
  hexValueOf[byte] = /^[0-9A-Fa-f]$/.test(text) ? Number.parseInt(text, 16) : NOT_HEX;
}

/**
 * `equalsIgnoringCase` returns true when `bytes[start, end)` is `lowerName` in any case. `lowerName` is
 * lower-case ASCII.
 */
export function equalsIgnoringCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  lowerName: string,
): boolean {
  if (end - start !== lowerName.length) return false;
  for (let i = 0; i < lowerName.length; i++) {
    if (lowerOf[bytes[start + i]!] !== lowerName.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * `asciiLowerCase` returns `text` with its ASCII letters in lower case and everything else unchanged. Bytes
 * from outside are compared by it. `toLowerCase` would turn the KELVIN SIGN into an ASCII letter
 * (`chun<U+212A>ed` is not `chunked`), and change bytes that stand for letters in ISO 8859-1.
 */
export function asciiLowerCase(text: string): string {
  const lower = text.toLowerCase();
  // Nearly all texts are already in lower case, or are ASCII only.
  if (lower === text || isAscii(text)) return lower;
  let kept = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < Char.UPPER_A || code > Char.UPPER_Z) continue;
    kept += text.slice(from, at) + String.fromCharCode(code + Char.CASE_BIT);
    from = at + 1;
  }
  return kept + text.slice(from);
}

const ASCII_MAX = 0x7f;

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > ASCII_MAX) return false;
  return true;
}
