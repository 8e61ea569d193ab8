/**
 * Index pairs of a longest common subsequence of two lists, in order; the table has (m + 1)(n + 1)
 * cells, so callers bound m n.
 *
 * Source: R. A. Wagner and M. J. Fischer, "The string-to-string correction problem", Journal of the ACM
 * 21 (1974).
 */
export function commonSubsequence(
  m: number,
  n: number,
  equal: (i: number, j: number) => boolean,
): (readonly [number, number])[] {
  const width = n + 1;
  const lengths = new Uint32Array((m + 1) * width);
  for (let i = m - 1; i >= 0; i--) {
    for (let j = n - 1; j >= 0; j--) {
      lengths[i * width + j] = equal(i, j)
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < m && j < n; ) {
    const here = lengths[i * width + j];
    if (here === lengths[(i + 1) * width + j]) i++;
    else if (here === lengths[i * width + j + 1]) j++;
    else pairs.push([i++, j++]);
  }
  return pairs;
}
