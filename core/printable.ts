/**
 * Returns text that clients, versions and services have sent as it may go to a terminal or a log: control
 * characters, those of the second set (C1, 0x80 to 0x9f) too, and characters of format are escaped as
 * `\u009b`.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, escaped);
}

/** Returns JSON that steers no terminal: a serializer escapes the first set of control characters alone. */
export function printableJson(json: string): string {
  return json.replace(/\p{Cc}/gu, escaped);
}

function escaped(char: string): string {
  return `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}
