import { withoutBlanks } from '../trim.js';
import { asciiLowerCase } from './chars.js';
import { RequestFault } from './request-fault.js';

const CHUNKED = 'chunked';

/**
 * `readTransferCoding` reads the value of a request's Transfer-Encoding (RFC 9112, sections 6.1 and 6.3). It
 * is a list, whose empty members do not count. A coding before `chunked` is not supported (501). A list that
 * does not end in `chunked`, or has it twice, leaves the end of the body undefined (400).
 */
export function readTransferCoding(value: string): RequestFault {
  const codings = asciiLowerCase(value).split(',').map(withoutBlanks);
  const named = codings.filter((coding) => coding !== '');
  if (named.indexOf(CHUNKED) !== named.length - 1 || named.length === 0) return RequestFault.CODING_END;
  return named.length === 1 ? RequestFault.NONE : RequestFault.CODING;
}
