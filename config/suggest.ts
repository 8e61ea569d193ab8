/** "Did you mean": the known word that is closest to a mistyped one. */

/** Longer words are not compared: the cost grows with the product of the lengths. */
const wordLengthMax = 64;

/** `didYouMean` returns ` (did you mean \`percent\`?)`, or an empty string when no known word is close. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const nearest = nearestWord(word, known);
  return nearest === null ? '' : ` (did you mean \`${nearest}\`?)`;
}

/**
 * `nearestWord` returns the nearest of `known` within edits of a third of its length (at least one), or null.
 * Case does not count.
 */
function nearestWord(word: string, known: Iterable<string>): string | null {
  if (word.length === 0 || word.length > wordLengthMax) return null;
  const wanted = word.toLowerCase();
  let nearest: string | null = null;
  let nearestEdits = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (candidate.length > wordLengthMax) continue;
    const editsMax = Math.max(1, Math.floor(Math.max(candidate.length, word.length) / 3));
    if (Math.abs(candidate.length - word.length) > editsMax) continue;
    const edits = editDistance(wanted, candidate.toLowerCase());
    if (edits <= editsMax && edits < nearestEdits && edits < candidate.length) {
      nearest = candidate;
      nearestEdits = edits;
    }
  }
  return nearest;
}

/**
 * `editDistance` counts insertions, deletions, replacements and swaps of neighbours (optimal string
 * alignment).
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = last[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1);
      let edits = Math.min(last[column] + 1, current[column - 1] + 1, replaced);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) edits = Math.min(edits, beforeLast[column - 2] + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length];
}
