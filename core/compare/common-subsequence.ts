/**
 * Index pairs of a longest common subsequence of two lists, in order. What both begin and end with belongs
 * together in some longest one, whatever `equal` relates, so only the middle needs a table; callers bound its
 * m n cells.
 *
 * Source: R. A. Wagner and M. J. Fischer, "The string-to-string correction problem", Journal of the ACM
 * 21 (1974).
 */
export function commonSubsequence(
  m: number,
  n: number,
  equal: (i: number, j: number) => boolean,
): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let from = 0;
  while (from < m && from < n && equal(from, from)) pairs.push([from, from++]);
  let [toA, toB] = [m, n];
  while (toA > from && toB > from && equal(toA - 1, toB - 1)) {
    toA--;
    toB--;
  }
  if (toA > from && toB > from) addMiddle([from, toA], [from, toB], equal, pairs);
  for (let k = 0; toA + k < m; k++) pairs.push([toA + k, toB + k]);
  return pairs;
}

function addMiddle(
  [fromA, toA]: readonly [number, number],
  [fromB, toB]: readonly [number, number],
  equal: (i: number, j: number) => boolean,
  pairs: (readonly [number, number])[],
): void {
  const [m, n] = [toA - fromA, toB - fromB];
  const width = n + 1;
  const lengths = new Uint32Array((m + 1) * width);
  for (let i = m - 1; i >= 0; i--) {
    for (let j = n - 1; j >= 0; j--) {
      lengths[i * width + j] = equal(fromA + i, fromB + j)
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < m && j < n; ) {
    const here = lengths[i * width + j];
    if (here === lengths[(i + 1) * width + j]) i++;
    else if (here === lengths[i * width + j + 1]) j++;
    else pairs.push([fromA + i++, fromB + j++]);
  }
}
