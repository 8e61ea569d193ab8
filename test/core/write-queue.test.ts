import fc from 'fast-check';
import { type BlockPool, WriteQueue, type WriteTarget } from '../../core/write-queue.js';
import t from '../support/tap.js';

const BLOCK = 1000;

class Pool implements BlockPool {
  out = 0;
  readonly #outMax: number;

  constructor(outMax = Number.POSITIVE_INFINITY) {
    this.#outMax = outMax;
  }

  take(): Buffer | null {
    if (this.out === this.#outMax) return null;
    this.out++;
    return Buffer.alloc(BLOCK, 0xee);
  }

  giveBack(block: Buffer): void {
    this.out--;
    block.fill(0xdd);
  }
}

/** Takes what its kernel has room for; of a write, the rest later. */
class Kernel implements WriteTarget {
  readonly got: Buffer[] = [];
  readonly isDirect: boolean;
  calls = 0;
  #room = 0;
  #rest: { block: Buffer; start: number; end: number } | null = null;

  constructor(isDirect = true) {
    this.isDirect = isDirect;
  }

  get writing(): boolean {
    return this.#rest !== null;
  }

  write(block: Buffer, start: number, end: number): boolean {
    this.#rest = { block, start, end };
    this.drain(0);
    return !this.writing;
  }

  writeParts(parts: readonly Uint8Array[]): number {
    this.calls++;
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
    fc.record({ kind: fc.constant('append'), bytes: fc.nat({ max: 3000 }) }),
    fc.record({ kind: fc.constant('append'), bytes: fc.nat({ max: 9 }) }),
    fc.record({ kind: fc.constant('borrow'), bytes: fc.nat({ max: 4000 }) }),
    fc.record({ kind: fc.constant('drain'), bytes: fc.nat({ max: 5000 }) }),
    fc.record({ kind: fc.constant('settle'), bytes: fc.constant(0) }),
    fc.record({ kind: fc.constant('flush'), bytes: fc.constant(0) }),
    fc.record({ kind: fc.constant('flush directly'), bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isDirect) => {
      const pool = new Pool();
      const kernel = new Kernel(isDirect);
      const queue = new WriteQueue(pool);
      const expected: Buffer[] = [];
      const lent: Buffer[] = [];
      let fill = 0;
      for (const { kind, bytes } of steps) {
        const piece = Buffer.alloc(bytes, ++fill);
        if (kind === 'append' || (kind === 'borrow' && !queue.canBorrow(kernel))) {
          queue.append(piece, 0, bytes);
          expected.push(Buffer.from(piece));
          piece.fill(0xcc);
        } else if (kind === 'borrow') {
          queue.borrow(piece);
          expected.push(Buffer.from(piece));
          lent.push(piece);
        } else if (kind === 'drain') kernel.drain(bytes);
        else {
          if (kind === 'settle') queue.settle(kernel);
          else if (kind === 'flush') queue.flush(kernel);
          else queue.flushDirect(kernel);
          // What was borrowed is the lender's again.
          for (const one of lent.splice(0)) one.fill(0xcc);
        }
      }
      kernel.drain(1 << 30);
      do queue.flush(kernel);
      while (queue.heldBytes > 0);
      return Buffer.concat(kernel.got).equals(Buffer.concat(expected)) && pool.out === 0;
    }),
  );
});

t.test('pieces that are borrowed leave with the bytes around them in one call', async (t) => {
  const pool = new Pool();
  const kernel = new Kernel();
  kernel.drain(1 << 20);
  const queue = new WriteQueue(pool);
  for (const letter of 'abc') {
    queue.append(Buffer.from(`<${letter}>`), 0, 3);
    queue.borrow(Buffer.alloc(20_000, letter));
  }
  queue.settle(kernel);
  t.equal(kernel.calls, 1);
  t.equal(Buffer.concat(kernel.got).length, 3 * 20_003);
  t.same([queue.heldBytes, pool.out], [0, 0]);
});

t.test('a queue says so when the rest of a borrowed piece finds no block', async (t) => {
  const pool = new Pool(2);
  const kernel = new Kernel();
  const queue = new WriteQueue(pool);
  queue.append(Buffer.from('head'), 0, 4);
  queue.borrow(Buffer.alloc(3 * BLOCK));
  kernel.drain(BLOCK);
  t.notOk(queue.settle(kernel));
  queue.clear(null);
  t.equal(pool.out, 0);
});
