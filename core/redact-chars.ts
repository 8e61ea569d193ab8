/** The characters that the redactor of texts distinguishes, and how far runs of them reach. */
export const Code = {
  TAB: 0x09,
  LF: 0x0a,
  CR: 0x0d,
  SPACE: 0x20,
  QUOTE: 0x22,
  HASH: 0x23,
  PERCENT: 0x25,
  AMPERSAND: 0x26,
  APOSTROPHE: 0x27,
  PLUS: 0x2b,
  COMMA: 0x2c,
  DASH: 0x2d,
  DOT: 0x2e,
  SLASH: 0x2f,
  COLON: 0x3a,
  SEMICOLON: 0x3b,
  LESS: 0x3c,
  EQUALS: 0x3d,
  GREATER: 0x3e,
  QUESTION: 0x3f,
  AT: 0x40,
  BACKSLASH: 0x5c,
  OPEN_BRACKET: 0x5b,
  CLOSE_BRACKET: 0x5d,
  UNDERSCORE: 0x5f,
  LETTER_E: 0x65,
  LETTER_U: 0x75,
  OPEN_BRACE: 0x7b,
  CLOSE_BRACE: 0x7d,
  NO_BREAK_SPACE: 0xa0,
} as const;

export function bareEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && !endsBare(text.charCodeAt(end))) end++;
  return end;
}

function endsBare(code: number): boolean {
  switch (code) {
    case Code.AMPERSAND:
    case Code.SEMICOLON:
    case Code.COMMA:
    case Code.LESS:
    case Code.GREATER:
    case Code.QUOTE:
    case Code.APOSTROPHE:
      return true;
    default:
      return isSpace(code);
  }
}

export function lineEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && text.charCodeAt(end) !== Code.LF && text.charCodeAt(end) !== Code.CR) end++;
  return end;
}

export function isAuthorityCode(code: number): boolean {
  switch (code) {
    case Code.SLASH:
    case Code.QUESTION:
    case Code.HASH:
    case Code.QUOTE:
    case Code.APOSTROPHE:
    case Code.LESS:
    case Code.GREATER:
    case Code.BACKSLASH:
    case Code.COMMA:
      return false;
    default:
      return !isSpace(code);
  }
}

export function isSpace(code: number): boolean {
  return code === Code.SPACE || (code >= Code.TAB && code <= Code.CR) || code === Code.NO_BREAK_SPACE;
}

/** What `\w` matches. */
export function isWordCode(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === Code.UNDERSCORE;
}

export function isNameCode(code: number): boolean {
  return isWordCode(code) || code === Code.DASH || code === Code.DOT;
}

export function isCredentialCode(code: number): boolean {
  if (isNameCode(code)) return true;
  return code === Code.PLUS || code === Code.SLASH || code === Code.EQUALS || code === 0x7e;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a && code < 0x80;
}

export function hexDigit(code: number): number {
  if (isDigit(code)) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
