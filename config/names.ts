/** Names in a configuration, and plain text. */
import { Refusal } from './units.js';

export const textExpected = 'expected text';
export const nameLengthMax = 128;

/** `parseName` accepts names that are valid in metrics, admin URLs and command lines. */
export function parseName(name: string): string | Refusal {
  if (name.length <= nameLengthMax && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) return name;
  return new Refusal(`expected a name of letters, digits and ._- (at most ${nameLengthMax})`);
}

export function parsePlain(value: string): string | Refusal {
  return value === '' || /\p{Cc}/u.test(value) ? new Refusal(textExpected) : value;
}
