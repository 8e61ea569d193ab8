/**
 * A maximum matching of two lists, by augmenting paths: with a tolerance an item may equal several
 * others, and taking the first one would leave an item without its equal.
 *
 * Source: H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
 * Quarterly 2 (1955), in the form of D. König's augmenting paths.
 */

/**
 * `maximumMatching` returns for each of `left` items the index of its partner among `right`, or -1.
 * `equal` is asked once for each two.
 */
export function maximumMatching(
  left: number,
  right: number,
  equal: (i: number, j: number) => boolean,
): readonly number[] {
  const neighbours = Array.from({ length: left }, (_, i) => {
    const found: number[] = [];
    for (let j = 0; j < right; j++) if (equal(i, j)) found.push(j);
    return found;
  });
  const partnerOfRight = new Int32Array(right).fill(-1);
  const partnerOfLeft = new Int32Array(left).fill(-1);
  for (let i = 0; i < left; i++) augment(i, neighbours, partnerOfLeft, partnerOfRight);
  return [...partnerOfLeft];
}

/** Whether all of `count` items have a partner of their own among as many others. */
export function matchedAll(count: number, equal: (i: number, j: number) => boolean): boolean {
  return maximumMatching(count, count, equal).every((partner) => partner >= 0);
}

/**
 * A breadth-first search for a free partner; the stack of a recursion would be as deep as the lists are
 * long.
 */
function augment(
  start: number,
  neighbours: readonly (readonly number[])[],
  partnerOfLeft: Int32Array,
  partnerOfRight: Int32Array,
): void {
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (let at = 0; at < queue.length; at++) {
    for (const j of neighbours[queue[at]]) {
      if (cameFrom.has(j)) continue;
      cameFrom.set(j, queue[at]);
      const next = partnerOfRight[j];
      if (next >= 0) {
        queue.push(next);
        continue;
      }
      for (let free = j; free >= 0; ) {
        const i: number = cameFrom.get(free)!;
        const before = partnerOfLeft[i];
        partnerOfRight[free] = i;
        partnerOfLeft[i] = free;
        free = i === start ? -1 : before;
      }
      return;
    }
  }
}
