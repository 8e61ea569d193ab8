import { asciiLowerCase } from './chars.js';
import { fieldValue } from './fields.js';
import type { RequestHead } from './message.js';

/** Returns the scheme that the client sees: the one that a proxy in front of umbra has named, if one has. */
export function schemeOf(head: RequestHead): 'http' | 'https' {
  const said = asciiLowerCase(fieldValue(head.fields, 'x-forwarded-proto') ?? '');
  if (said === 'https' || said === 'http') return said;
  return head.secure ? 'https' : 'http';
}
