import fc from 'fast-check';
import { keepPiece } from '../../../core/http/kept-pieces.js';
import t from '../../support/tap.js';

function kept(pieces: readonly Uint8Array[]): Buffer[] {
  const blocks: Buffer[] = [];
  for (const piece of pieces) keepPiece(blocks, piece);
  return blocks;
}

t.test('what is kept are the bytes that came, and not views of them', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(3), fc.nat(2000), fc.nat(200_000)), { maxLength: 40 });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const pieces = lengths.map((length, i) => Buffer.alloc(length, i + 1));
      const whole = Buffer.concat(pieces);
      const blocks = kept(pieces);
      for (const piece of pieces) piece.fill(0);
      return Buffer.concat(blocks).equals(whole) && blocks.every(({ byteLength }) => byteLength > 0);
    }),
  );
});

t.test('a body of single bytes takes few blocks, and little more memory than it has bytes', async (t) => {
  const bytes = 64 * 1024;
  const blocks = kept(Array.from({ length: bytes }, () => Buffer.of(1)));
  t.ok(blocks.length <= 8, `${blocks.length} blocks`);
  const memory = blocks.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  t.ok(memory <= 2 * bytes, `${memory} bytes of memory`);
});
