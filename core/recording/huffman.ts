/**
 * Huffman codes as DEFLATE wants them (RFC 1951, section 3.2.2): canonical, bounded in length, and sent from
 * their lowest bit on.
 */

/**
 * A code and its length in one number, so that writing a symbol is one load: `code << lengthBits | length`.
 * 0: no code.
 */
export const lengthBits = 4;
export const lengthMask = 15;

/**
 * Lengths of the codes of symbols that come with these frequencies; 0 for those that never come. At least two
 * must come. Lengths beyond `longest` are cut there, and shorter codes made longer until the set is complete
 * (as zlib does it).
 */
export function codeLengths(frequencies: ArrayLike<number>, longest: number): Uint8Array {
  const symbols = Array.from({ length: frequencies.length }, (_, symbol) => symbol)
    .filter((symbol) => frequencies[symbol] > 0)
    .sort((a, b) => frequencies[a] - frequencies[b] || a - b);
  const depths = leafDepths(symbols.map((symbol) => frequencies[symbol]));
  const counts = new Int32Array(longest + 1);
  for (const depth of depths) counts[Math.min(depth, longest)]++;
  completeAt(counts, longest);
  const lengths = new Uint8Array(frequencies.length);
  // The rarest symbols get the longest codes.
  let next = 0;
  for (let length = longest; length > 0; length--)
    for (let i = 0; i < counts[length]; i++) lengths[symbols[next++]] = length;
  return lengths;
}

/** Packed codes for these lengths, bits reversed. */
export function codesOf(lengths: Uint8Array): Int32Array {
  const counts = new Int32Array(lengthMask + 2);
  for (const length of lengths) if (length > 0) counts[length]++;
  const next = new Int32Array(lengthMask + 2);
  for (let length = 1; length <= lengthMask; length++)
    next[length] = (next[length - 1] + counts[length - 1]) << 1;
  return Int32Array.from(lengths, (length) =>
    length === 0 ? 0 : (reversed(next[length]++, length) << lengthBits) | length,
  );
}

/**
 * Depths of the leaves of a Huffman tree over `weights`, which are sorted: of two queues the lighter head is
 * taken, twice for each node.
 */
function leafDepths(weights: readonly number[]): Int32Array {
  const leaves = weights.length;
  const nodes = 2 * leaves - 1;
  const weight = new Float64Array(nodes);
  weight.set(weights);
  const parent = new Int32Array(nodes);
  let leaf = 0;
  let inner = leaves;
  for (let made = leaves; made < nodes; made++) {
    for (let child = 0; child < 2; child++) {
      const takesLeaf = leaf < leaves && (inner >= made || weight[leaf] <= weight[inner]);
      const taken = takesLeaf ? leaf++ : inner++;
      parent[taken] = made;
      weight[made] += weight[taken];
    }
  }
  const depths = new Int32Array(nodes);
  for (let node = nodes - 2; node >= 0; node--) depths[node] = depths[parent[node]] + 1;
  return depths.subarray(0, leaves);
}

/** Kraft's sum has to be one: what the cut added is taken back from the longest codes that can still grow. */
function completeAt(counts: Int32Array, longest: number): void {
  let excess = -(2 ** longest);
  for (let length = 1; length <= longest; length++) excess += counts[length] * 2 ** (longest - length);
  for (; excess > 0; excess--) {
    counts[longest]--;
    let length = longest - 1;
    while (counts[length] === 0) length--;
    counts[length]--;
    counts[length + 1] += 2;
  }
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result |= ((code >>> bit) & 1) << (length - 1 - bit);
  return result;
}
