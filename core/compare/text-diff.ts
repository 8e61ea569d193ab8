/**
 * Where two texts differ: lines are aligned, and of two lines that belong together the words. The place
 * of a line that changed is what both have of it, so that a nonce is the same place in every answer
 * wherever it stands; the place of a line that one side alone has is its shape.
 */
import { limits } from '../limits.js';
import { type Redaction, searchedChars } from '../redact.js';
import type { Difference, DifferenceKind } from './difference.js';
import { digestBody } from './digest.js';
import type { OnDifference } from './json-rules.js';
import { alignLines } from './line-alignment.js';
import { shortened } from './shown.js';
import { diffWords } from './word-diff.js';

export interface TextPlace {
  readonly kind: DifferenceKind;
  /** What stands before the place of a line; empty for a whole body. */
  readonly prefix: string;
}

export const bodyText: TextPlace = { kind: 'text', prefix: '' };

/** The texts are not equal. */
export function diffText(
  primary: string,
  shadow: string,
  redaction: Redaction,
  { kind, prefix }: TextPlace,
  on: OnDifference,
): void {
  const [a, b] = [primary.split('\n'), shadow.split('\n')];
  const path = (line: string) => shortened(prefix + redaction.text(line.slice(0, searchedChars)).trim());
  const shown = (line: string) => shortened(redaction.text(line.slice(0, searchedChars)));
  const alone = (change: 'missing' | 'extra', i: number, line: string): Difference => ({
    kind,
    path: path(shapeOf(line)),
    change,
    at: `line ${i + 1}`,
    ...(change === 'missing' ? { primary: shown(line) } : { shadow: shown(line) }),
  });
  for (const [i, j] of alignLines(a, b)) {
    if (j < 0) on(alone('missing', i, a[i]));
    else if (i < 0) on(alone('extra', j, b[j]));
    else {
      const words = diffWords(a[i], b[j]);
      if (words === null) {
        on(alone('missing', i, a[i]));
        on(alone('extra', j, b[j]));
        continue;
      }
      const [first, second] = words.differing.map((text) => digestBody(Buffer.from(text), 0));
      on({
        kind,
        path: path(words.template),
        change: 'value',
        at: `line ${i + 1}, column ${words.column}`,
        primary: shown(around(a[i], words.column)),
        shadow: shown(around(b[j], words.column)),
        prints: [first, second],
      });
    }
  }
}

/** A line with its numbers and hashes taken for each other. */
function shapeOf(line: string): string {
  return line
    .slice(0, searchedChars)
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, '…')
    .replace(/\d+/g, '0');
}

/** `around` cuts a long line to the part around a column, at a space, so that no secret loses its name. */
function around(line: string, column: number): string {
  if (line.length <= limits.diffValueChars) return line;
  const from = line.lastIndexOf(' ', Math.max(0, column - limits.diffValueChars / 2));
  return from <= 0 ? line : `…${line.slice(from)}`;
}
