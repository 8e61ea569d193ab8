/**
 * The codes of one DEFLATE block and the header that announces them (RFC 1951, sections 3.2.5 and 3.2.7),
 * made from what came before.
 */
import { codeLengths, codesOf, lengthBits, lengthMask } from './huffman.js';

const literals = 256;
export const endOfBlock = 256;
const literalCodes = 286;
const distanceCodes = 30;
const longestCode = 15;
const longestLengthCode = 7;
export const matchBytesMax = 258;
const matchBytesMin = 3;
const distanceMax = 32 * 1024;
const dynamicBlock = 2;
const repeatLast = 16;
const repeatsMin = 3;
const repeatsMax = 6;
/** The order in which the header sends the lengths of length codes (RFC 1951, section 3.2.7). */
const lengthCodeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Four lengths or two distances share a number of extra bits, then one bit more. */
function steps(first: number, count: number, perStep: number): { bases: number[]; extras: number[] } {
  const bases: number[] = [];
  const extras: number[] = [];
  let base = first;
  for (let i = 0; i < count; i++) {
    const extra = Math.max(0, Math.floor(i / perStep) - 1);
    bases.push(base);
    extras.push(extra);
    base += 1 << extra;
  }
  return { bases, extras };
}

const lengthSteps = steps(matchBytesMin, 28, 4);
lengthSteps.bases.push(matchBytesMax);
lengthSteps.extras.push(0);
const distanceSteps = steps(1, distanceCodes, 2);

function stepOf(value: number, bases: readonly number[]): number {
  let step = bases.length - 1;
  while (bases[step] > value) step--;
  return step;
}

/** The step, of 29, that holds each length of a match. */
export const lengthStep = Uint8Array.from({ length: matchBytesMax + 1 }, (_, length) =>
  stepOf(Math.max(length, matchBytesMin), lengthSteps.bases),
);
/** The step, of 30, that holds each distance. */
export const distanceStep = Uint8Array.from({ length: distanceMax + 1 }, (_, distance) =>
  stepOf(Math.max(distance, 1), distanceSteps.bases),
);
export const distanceBase = Int32Array.from(distanceSteps.bases);
export const distanceExtra = Uint8Array.from(distanceSteps.extras);

export class BlockCodes {
  /** Whole bytes of the header, and the bits behind them. */
  header = Buffer.alloc(0);
  headerRest = 0;
  headerRestBits = 0;
  /** Packed, by byte and `endOfBlock`. */
  literal: Int32Array = new Int32Array(0);
  /** The code with its extra bits for each length of a match; `lengthBits` says how many bits they are. */
  readonly length = new Int32Array(matchBytesMax + 1);
  readonly lengthBits = new Uint8Array(matchBytesMax + 1);
  /** Packed, by step. */
  distance: Int32Array = new Int32Array(0);
  /** The encoder counts here: literals, the end of the block, then the steps of lengths. */
  readonly literalCounts = new Float64Array(literalCodes);
  readonly distanceCounts = new Float64Array(distanceCodes);

  /**
   * Makes codes for what was counted, and halves the counts, so that newer records weigh more. Symbols that
   * were never seen get a code too.
   */
  renew(): void {
    const literalLengths = codeLengths(
      this.literalCounts.map((count) => count + 1),
      longestCode,
    );
    const distanceLengths = codeLengths(
      this.distanceCounts.map((count) => count + 1),
      longestCode,
    );
    this.literal = codesOf(literalLengths);
    this.distance = codesOf(distanceLengths);
    for (let length = matchBytesMin; length <= matchBytesMax; length++) {
      const step = lengthStep[length];
      const code = this.literal[literals + 1 + step];
      const bits = code & lengthMask;
      this.length[length] = (code >>> lengthBits) | ((length - lengthSteps.bases[step]) << bits);
      this.lengthBits[length] = bits + lengthSteps.extras[step];
    }
    this.#announce(literalLengths, distanceLengths);
    for (const counts of [this.literalCounts, this.distanceCounts])
      for (let i = 0; i < counts.length; i++) counts[i] = Math.floor(counts[i] / 2);
  }

  /** The block is the last of its stream, and all codes are sent. */
  #announce(literalLengths: Uint8Array, distanceLengths: Uint8Array): void {
    const runs = runsOf([...literalLengths, ...distanceLengths]);
    const counts = new Uint32Array(lengthCodeOrder.length);
    for (const { symbol } of runs) counts[symbol]++;
    const lengths = codeLengths(counts, longestLengthCode);
    const codes = codesOf(lengths);
    let sent = lengthCodeOrder.length;
    while (lengths[lengthCodeOrder[sent - 1]] === 0) sent--;
    const bits: number[] = [];
    const put = (value: number, count: number): void => {
      for (let bit = 0; bit < count; bit++) bits.push((value >>> bit) & 1);
    };
    put(1, 1);
    put(dynamicBlock, 2);
    put(literalCodes - 257, 5);
    put(distanceCodes - 1, 5);
    put(sent - 4, 4);
    for (const symbol of lengthCodeOrder.slice(0, sent)) put(lengths[symbol], 3);
    for (const { symbol, repeats } of runs) {
      put(codes[symbol] >>> lengthBits, codes[symbol] & lengthMask);
      if (symbol === repeatLast) put(repeats - repeatsMin, 2);
    }
    const whole = bits.length >>> 3;
    this.header = Buffer.alloc(whole);
    for (let bit = 0; bit < 8 * whole; bit++) this.header[bit >>> 3] |= bits[bit] << (bit & 7);
    this.headerRestBits = bits.length & 7;
    this.headerRest = bits.slice(8 * whole).reduce((rest, bit, at) => rest | (bit << at), 0);
  }
}

interface Run {
  readonly symbol: number;
  /** With `repeatLast`: of the length before. */
  readonly repeats: number;
}

/** Neither list has a zero, so one of the three codes for runs is enough. */
function runsOf(lengths: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < lengths.length; ) {
    const value = lengths[at];
    runs.push({ symbol: value, repeats: 0 });
    at++;
    let same = 0;
    while (lengths[at + same] === value) same++;
    for (; same >= repeatsMin; ) {
      const repeats = Math.min(same, repeatsMax);
      runs.push({ symbol: repeatLast, repeats });
      at += repeats;
      same -= repeats;
    }
  }
  return runs;
}
