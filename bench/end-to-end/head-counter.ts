/** Counts request heads in a byte stream, however it is cut. For requests without a body only. */
const CR = 0x0d;
const LF = 0x0a;
const emptyLine = [CR, LF, CR, LF];

export class HeadCounter {
  /** Bytes of the empty line that were seen last. */
  private matched = 0;

  /** How many heads end in `chunk`. */
  count(chunk: Uint8Array): number {
    let matched = this.matched;
    let heads = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === emptyLine[matched]) matched++;
      else matched = byte === CR ? 1 : 0;
      if (matched === emptyLine.length) {
        heads++;
        matched = 0;
      }
    }
    this.matched = matched;
    return heads;
  }
}
