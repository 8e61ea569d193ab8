/**
 * Converts wire strings to and from bytes. Node's typed methods for latin1 skip the encoding switch of
 * `write` and `toString`. They are public by long use but missing from its type declarations, so they are
 * declared here once.
 */
interface Latin1Buffer extends Buffer {
  latin1Write(text: string, offset: number, length: number): number;
  latin1Slice(start: number, end: number): string;
}

/** `latin1Write` writes all of `text` at `offset`. The caller has checked the room. */
export function latin1Write(bytes: Buffer, text: string, offset: number): void {
  (bytes as Latin1Buffer).latin1Write(text, offset, text.length);
}

/** `latin1Slice` returns the bytes from `start` to `end` as a wire string. */
export function latin1Slice(bytes: Buffer, start: number, end: number): string {
  return (bytes as Latin1Buffer).latin1Slice(start, end);
}
