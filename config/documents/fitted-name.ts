/**
 * Names of documents may be longer than those of routes and versions. Their end is replaced by a checksum.
 */
import { createHash } from 'node:crypto';
import { nameLengthMax } from '../names.js';

const checksumLength = 10;

/** `fitted` returns `name`, or its beginning with a checksum of the whole name. */
export function fitted(name: string): string {
  if (name.length <= nameLengthMax) return name;
  const checksum = createHash('sha256').update(name).digest('hex').slice(0, checksumLength);
  return `${name.slice(0, nameLengthMax - checksumLength - 1)}-${checksum}`;
}
