/** Blocks begin small and double, so that a short body wastes little memory and a long one has few blocks. */
const firstBlockBytes = 512;
const blockBytesMax = 64 * 1024;

/**
 * `keepPiece` adds a copy of `piece` to the pieces that are kept of a body. Small pieces share a block: a
 * client that sends its body byte by byte would otherwise make umbra hold a hundred times what is counted.
 * `pieces` must have been filled by this function alone.
 */
export function keepPiece(pieces: Buffer[], piece: Uint8Array): void {
  const taken = fillLast(pieces, piece);
  const rest = piece.byteLength - taken;
  if (rest === 0) return;
  const size = Math.min(blockBytesMax, firstBlockBytes * 2 ** Math.min(pieces.length, 16));
  const block = Buffer.allocUnsafeSlow(Math.max(rest, size));
  block.set(taken === 0 ? piece : piece.subarray(taken));
  pieces.push(block.byteLength === rest ? block : block.subarray(0, rest));
}

/** `fillLast` fills the last block and returns how many bytes of `piece` it took. */
function fillLast(pieces: Buffer[], piece: Uint8Array): number {
  const last = pieces.at(-1);
  if (last === undefined) return 0;
  const count = Math.min(last.buffer.byteLength - last.byteLength, piece.byteLength);
  if (count === 0) return 0;
  const grown = Buffer.from(last.buffer, 0, last.byteLength + count);
  grown.set(count === piece.byteLength ? piece : piece.subarray(0, count), last.byteLength);
  pieces[pieces.length - 1] = grown;
  return count;
}
