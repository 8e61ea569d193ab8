import { asciiLowerCase } from './chars.js';
import { fieldValue } from './fields.js';
import type { RequestHead } from './message.js';

/**
 * `schemeOf` returns the scheme that the client uses: the one that a proxy in front of umbra reported, if
 * any.
 */
export function schemeOf(head: RequestHead): 'http' | 'https' {
  const said = asciiLowerCase(fieldValue(head.fields, 'x-forwarded-proto') ?? '');
  if (said === 'https' || said === 'http') return said;
  return head.secure ? 'https' : 'http';
}
