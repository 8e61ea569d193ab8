/**
 * Reads answers with a Content-Length from a byte stream, however it is cut: their status and where they end.
 */
const headEnd = Buffer.from('\r\n\r\n');
const lengthField = /\r\ncontent-length: *(\d+)\r\n/i;
/** `HTTP/1.1 200`. */
const statusAt = 9;

export class AnswerReader {
  /** Status of the last answer that was read. */
  status = 0;
  private held: Buffer = Buffer.alloc(0);
  private bodyLeft = 0;

  /** How many answers end in `chunk`. Throws an Error on an answer without a length: it can't be measured. */
  read(chunk: Buffer): number {
    let bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    let ended = 0;
    while (bytes.length > 0) {
      if (this.bodyLeft === 0) {
        const end = bytes.indexOf(headEnd);
        if (end < 0) break;
        const head = bytes.toString('latin1', 0, end + headEnd.length);
        const length = lengthField.exec(head);
        if (length === null) throw new Error(`an answer has no content-length: ${head}`);
        this.status = Number(head.slice(statusAt, statusAt + 3));
        this.bodyLeft = Number(length[1]);
        bytes = bytes.subarray(end + headEnd.length);
        if (this.bodyLeft === 0) ended++;
        continue;
      }
      const taken = Math.min(this.bodyLeft, bytes.length);
      this.bodyLeft -= taken;
      bytes = bytes.subarray(taken);
      if (this.bodyLeft === 0) ended++;
    }
    this.held = bytes;
    return ended;
  }
}
