/** `to` of a mirror: the name of a version, or a place where copies are kept. */
import { parseName } from './schema/values.js';
import { Refusal } from './units.js';

const fileScheme = 'file:';

export function isSinkTarget(to: string): boolean {
  return to.startsWith(fileScheme);
}

/** The directory of `file:DIRECTORY`, as it is written. */
export function directoryOf(to: string): string {
  return to.slice(fileScheme.length);
}

export function parseTarget(to: string): string | Refusal {
  if (!isSinkTarget(to)) return parseName(to);
  const directory = directoryOf(to);
  if (directory === '' || /\p{Cc}/u.test(directory))
    return new Refusal('expected file: and a directory, such as file:./recordings');
  if (directory.startsWith('//'))
    return new Refusal('expected a path behind file:, such as file:./recordings or file:/var/lib/umbra');
  return to;
}
