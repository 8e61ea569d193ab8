/**
 * Encodes and decodes strings in HPACK's Huffman code (RFC 7541, section 5.2).
 *
 * The decoder is a state machine that reads half a byte per step. Its states are the inner nodes of the
 * code's tree. No code is shorter than five bits, so a step completes at most one symbol. 256 states with 16
 * steps each take 16 KiB, which fits the cache; a table for whole bytes would take 256 KiB.
 */
import { bitsOf, codeOf, EOS, SYMBOLS } from './huffman-code.js';

const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;
const STEP_MASK = STEPS - 1;

/** A step as one number: the next state, the completed symbol, and the bits below. */
const SYMBOL_SHIFT = 8;
const STATE_MASK = 0xff;
const HAS_SYMBOL = 1 << 16;
/** The string may end here: the incomplete code is valid padding, fewer than eight ones. */
const MAY_END = 1 << 17;
const FAILS = 1 << 18;

const PADDING_BITS_MAX = 7;

/** Inner nodes as pairs of children: the number of an inner node, or `-1 - symbol`. */
const children: number[] = [0, 0];
/** The depth of each inner node if only ones lead to it, else infinity. */
const onesTo: number[] = [0];

for (let symbol = 0; symbol < SYMBOLS; symbol++) plant(symbol);

function plant(symbol: number): void {
  let node = 0;
  for (let bit = bitsOf[symbol]! - 1; bit >= 0; bit--) {
    const side = (codeOf[symbol]! >>> bit) & 1;
    const at = node * 2 + side;
    if (bit === 0) {
      children[at] = -1 - symbol;
    } else {
      if (children[at] === 0) {
        children[at] = onesTo.length;
        children.push(0, 0);
        onesTo.push(side === 1 ? onesTo[node]! + 1 : Number.POSITIVE_INFINITY);
      }
      node = children[at]!;
    }
  }
}

const steps = new Int32Array(onesTo.length * STEPS);
for (let state = 0; state < onesTo.length; state++) {
  for (let bits = 0; bits < STEPS; bits++) steps[state * STEPS + bits] = stepFrom(state, bits);
}

function stepFrom(state: number, bits: number): number {
  let node = state;
  let step = 0;
  for (let bit = STEP_BITS - 1; bit >= 0; bit--) {
    node = children[node * 2 + ((bits >>> bit) & 1)]!;
    if (node >= 0) continue;
    const symbol = -1 - node;
    if (symbol === EOS) return FAILS;
    step = HAS_SYMBOL | (symbol << SYMBOL_SHIFT);
    node = 0;
  }
  return step | node | (onesTo[node]! <= PADDING_BITS_MAX ? MAY_END : 0);
}

/** Most bytes that a coded string decodes to: the shortest code has five bits. */
export function decodedBytesMax(codedBytes: number): number {
  return Math.floor((codedBytes * 8) / 5);
}

/**
 * Decodes `bytes[start, end)` into `out`, which has room for `decodedBytesMax`. Returns how many bytes it
 * wrote, or -1 if the padding is invalid or the string contains EOS.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  const table = steps;
  let step = MAY_END;
  let to = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    step = table[((step & STATE_MASK) << STEP_BITS) | (byte >>> STEP_BITS)]!;
    if ((step & HAS_SYMBOL) !== 0) out[to++] = step >>> SYMBOL_SHIFT;
    if ((step & FAILS) !== 0) return -1;
    step = table[((step & STATE_MASK) << STEP_BITS) | (byte & STEP_MASK)]!;
    if ((step & HAS_SYMBOL) !== 0) out[to++] = step >>> SYMBOL_SHIFT;
    if ((step & FAILS) !== 0) return -1;
  }
  return (step & MAY_END) !== 0 ? to : -1;
}

/** Returns the coded length of `bytes[start, end)` in bytes. */
export function codedBytes(bytes: Uint8Array, start: number, end: number): number {
  const lengths = bitsOf;
  let bits = 0;
  for (let at = start; at < end; at++) bits += lengths[bytes[at]!]!;
  return (bits + 7) >>> 3;
}

/** Codes are appended in halves, because up to seven bits may be pending in the 32 bits. */
const HALF_BITS = 16;
const HALF_MASK = 0xffff;

/** Writes `bytes[start, end)` coded at `to`, padded to a whole byte. Returns the position after it. */
export function encodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  to: number,
): number {
  let position = to;
  let waiting = 0;
  let waitingBits = 0;
  for (let at = start; at < end; at++) {
    const code = codeOf[bytes[at]!]!;
    let bits = bitsOf[bytes[at]!]!;
    if (bits > HALF_BITS) {
      bits -= HALF_BITS;
      waiting = (waiting << bits) | (code >>> HALF_BITS);
      waitingBits += bits;
      while (waitingBits >= 8) {
        waitingBits -= 8;
        out[position++] = waiting >>> waitingBits;
      }
      bits = HALF_BITS;
    }
    waiting = (waiting << bits) | (code & HALF_MASK);
    waitingBits += bits;
    while (waitingBits >= 8) {
      waitingBits -= 8;
      out[position++] = waiting >>> waitingBits;
    }
  }
  if (waitingBits > 0) out[position++] = (waiting << (8 - waitingBits)) | (0xff >>> waitingBits);
  return position;
}
