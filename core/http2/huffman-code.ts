/**
 * The Huffman code of HPACK (RFC 7541, appendix B). It is canonical: codes of one length are consecutive in
 * the order of their symbols, and follow those of the previous length. So the lengths define the whole code.
 */

export const SYMBOLS = 257;
/**
 * The end-of-string symbol, which no string contains. The padding is a prefix of its code, which is all
 * ones.
 */
export const EOS = 256;

// biome-ignore format: sixteen bytes a row
const codeBits = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

/** Bits of each symbol's code. */
export const bitsOf = Uint8Array.from(codeBits);
/** Each symbol's code, in its lowest bits. */
export const codeOf = new Uint32Array(SYMBOLS);

const LONGEST_BITS = 30;
let next = 0;
for (let bits = 1; bits <= LONGEST_BITS; bits++) {
  next *= 2;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) if (bitsOf[symbol] === bits) codeOf[symbol] = next++;
}
