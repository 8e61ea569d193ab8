/**
 * Trimming by index. `text.replace(/ +$/, '')` looks for the end from each character of a run, which takes
 * the square of the run's length. Where the text comes from the network, 60 KB of blanks stop a thread for
 * seconds.
 */
import { Char } from './http/chars.js';

/**
 * Returns `text` without the spaces and tabs at both ends (RFC 9110, section 5.6.3); `trim` also takes 0xa0.
 */
export function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpaceOrTab(text.charCodeAt(start))) start++;
  while (end > start && isSpaceOrTab(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Returns `text` without the run of `char` at its start. */
export function withoutLeading(text: string, char: string): string {
  const code = char.charCodeAt(0);
  let start = 0;
  while (start < text.length && text.charCodeAt(start) === code) start++;
  return text.slice(start);
}

/** Returns `text` without the run of `char` at its end. */
export function withoutTrailing(text: string, char: string): string {
  const code = char.charCodeAt(0);
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === code) end--;
  return text.slice(0, end);
}

function isSpaceOrTab(code: number): boolean {
  return code === Char.SP || code === Char.HTAB;
}
