import fc from 'fast-check';
import { Flag, FrameType } from '../../../core/http2/frame.js';
import { type BlockPool, type ByteTarget, Output } from '../../../core/http2/output.js';
import t from '../../support/tap.js';
import { frame } from './session-side.js';

const BLOCK = 1000;

class Pool implements BlockPool {
  out = 0;

  take(): Buffer {
    this.out++;
    return Buffer.alloc(BLOCK, 0xee);
  }

  giveBack(block: Buffer): void {
    this.out--;
    block.fill(0xdd);
  }
}

/** Takes what its kernel has room for; of a write, the rest later. */
class Kernel implements ByteTarget {
  readonly got: Buffer[] = [];
  #room = 0;
  #rest: { block: Buffer; start: number; end: number } | null = null;

  get writing(): boolean {
    return this.#rest !== null;
  }

  write(block: Buffer, start: number, end: number): boolean {
    this.#rest = { block, start, end };
    this.drain(0);
    return !this.writing;
  }

  writeParts(parts: readonly Uint8Array[]): number {
    const bytes = Buffer.concat(parts).subarray(0, this.#room);
    this.#room -= bytes.length;
    this.got.push(Buffer.from(bytes));
    return bytes.length;
  }

  /** The other side reads. */
  drain(room: number): void {
    this.#room += room;
    if (this.#rest === null) return;
    const { block, start, end } = this.#rest;
    const to = Math.min(end, start + this.#room);
    this.#room -= to - start;
    this.got.push(Buffer.from(block.subarray(start, to)));
    this.#rest = to < end ? { block, start: to, end } : null;
  }
}

t.test('bytes leave whole and in order, however the kernel takes them, and no block stays', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('copy'), bytes: fc.nat({ max: 3000 }) }),
    fc.record({ kind: fc.constant('head'), bytes: fc.nat({ max: 100 }) }),
    fc.record({ kind: fc.constant('pass'), bytes: fc.nat({ max: 40_000 }) }),
    fc.record({ kind: fc.constant('drain'), bytes: fc.nat({ max: 5000 }) }),
    fc.record({ kind: fc.constant('flush'), bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = new Pool();
      const kernel = new Kernel();
      const output = new Output(pool);
      const expected: Buffer[] = [];
      let fill = 0;
      for (const { kind, bytes } of steps) {
        const piece = Buffer.alloc(bytes, ++fill);
        if (kind === 'copy') {
          output.bytes(piece, 0, bytes);
          expected.push(Buffer.from(piece));
        } else if (kind === 'head') {
          output.frameHead(bytes, FrameType.PING, Flag.ACK, 7);
          expected.push(frame(FrameType.PING, Flag.ACK, 7, piece).subarray(0, 9));
        } else if (kind === 'pass' && output.canPass(kernel) && bytes > 0) {
          output.pass(piece, 0, bytes, Flag.END_STREAM, 3, kernel);
          for (let at = 0; at < bytes; at += 16_384) {
            const isLast = at + 16_384 >= bytes;
            expected.push(frame(0, isLast ? 1 : 0, 3, piece.subarray(at, at + 16_384)));
          }
        } else if (kind === 'drain') kernel.drain(bytes);
        else output.flush(kernel);
        // What was given to the output is the caller's again.
        piece.fill(0xcc);
      }
      kernel.drain(1 << 30);
      while (output.heldBytes > 0) output.flush(kernel);
      output.flush(kernel);
      return Buffer.concat(kernel.got).equals(Buffer.concat(expected)) && pool.out === 0;
    }),
  );
});
