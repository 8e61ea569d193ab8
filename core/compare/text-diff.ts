/** Where two texts or two byte strings begin to differ. */
import { type Redaction, searchedChars } from '../redact.js';
import type { Difference } from './difference.js';
import { shortened } from './json-diff.js';

/** Characters before and behind the first difference that a sample shows. */
const contextChars = 60;
const contextBytes = 8;

/** The texts are not equal. */
export function diffText(primary: string, shadow: string, redaction: Redaction): Difference {
  const at = firstDifference(
    primary.length,
    shadow.length,
    (i) => primary.charCodeAt(i) === shadow.charCodeAt(i),
  );
  const before = primary.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return {
    kind: 'text',
    path: '',
    change: 'value',
    at: `line ${line}, column ${column}`,
    primary: excerpt(primary, at, redaction),
    shadow: excerpt(shadow, at, redaction),
  };
}

/** The bytes are not equal. What they mean is not known, so a sample shows lengths and a few bytes in hexadecimal. */
export function diffBinary(primary: Uint8Array, shadow: Uint8Array): Difference {
  const at = firstDifference(primary.length, shadow.length, (i) => primary[i] === shadow[i]);
  return {
    kind: 'binary',
    path: '',
    change: 'value',
    at: `byte ${at}`,
    primary: hex(primary, at),
    shadow: hex(shadow, at),
  };
}

function firstDifference(aLength: number, bLength: number, same: (i: number) => boolean): number {
  const length = Math.min(aLength, bLength);
  let at = 0;
  while (at < length && same(at)) at++;
  return at;
}

/** Redacted before it is cut: a cut through the middle of `token=…` would leave a secret without its name. */
function excerpt(text: string, at: number, redaction: Redaction): string {
  const from = Math.max(0, at - searchedChars);
  const window = redaction.text(text.slice(from, at + searchedChars));
  // What was hidden before the place moved it.
  const place = Math.min(redaction.text(text.slice(from, at)).length, window.length);
  const start = Math.max(0, place - contextChars);
  return shortened(window.slice(start, place + contextChars));
}

function hex(bytes: Uint8Array, at: number): string {
  const shown = Buffer.from(bytes.subarray(at, at + contextBytes)).toString('hex');
  return `${bytes.length} bytes, from there ${shown === '' ? 'none' : shown}`;
}
