/**
 * Strings in HPACK's Huffman code (RFC 7541, section 5.2), to bytes and back.
 *
 * The decoder is a machine that takes half a byte a step. Its states are the inner nodes of the code's tree:
 * one for each way in which a code can have begun. No code is shorter than five bits, so a step ends at most
 * one. 256 states of 16 steps are 16 KiB, which stay in the cache; a table by whole bytes would take 256 KiB.
 */
import { bitsOf, codeOf, EOS, SYMBOLS } from './huffman-code.js';

const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;
const STEP_MASK = STEPS - 1;

/** A step in one number: the next state, the symbol that ended, and these bits. */
const SYMBOL_SHIFT = 8;
const STATE_MASK = 0xff;
const HAS_SYMBOL = 1 << 16;
/** The string may end here: what has begun is padding, ones alone and less than a byte of them. */
const MAY_END = 1 << 17;
const FAILS = 1 << 18;

const PADDING_BITS_MAX = 7;

/** Inner nodes as pairs of children: the number of an inner node, or `-1 - symbol`. */
const children: number[] = [0, 0];
/** How many ones, and nothing else, lead from the root to each inner node; infinity where a zero does. */
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

/** The shortest code has five bits. */
export function decodedBytesMax(codedBytes: number): number {
  return Math.floor((codedBytes * 8) / 5);
}

/**
 * Decodes `bytes[start, end)` into `out`, which has room for `decodedBytesMax`. Returns how many bytes it
 * wrote; -1: the padding is not the beginning of EOS, is too long, or EOS itself is in it.
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

/** Bytes that `bytes[start, end)` takes in the code. */
export function codedBytes(bytes: Uint8Array, start: number, end: number): number {
  const lengths = bitsOf;
  let bits = 0;
  for (let at = start; at < end; at++) bits += lengths[bytes[at]!]!;
  return (bits + 7) >>> 3;
}

/** A code is put in by halves, so that it fits into 32 bits together with the seven that may wait. */
const HALF_BITS = 16;
const HALF_MASK = 0xffff;

/** Writes `bytes[start, end)` in the code at `to`, padded to a whole byte; returns the position behind it. */
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
