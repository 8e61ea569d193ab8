import { withoutBlanks } from '../trim.js';
import { asciiLowerCase } from './chars.js';
import { RequestFault } from './request-fault.js';

const CHUNKED = 'chunked';

/**
 * Reads the value of a request's Transfer-Encoding (RFC 9112, sections 6.1 and 6.3). It is a list, whose
 * empty members do not count. A coding before `chunked` is one that umbra does not know (501). A list that
 * does not end in `chunked`, or has it twice, leaves the end of the body open (400).
 */
export function readTransferCoding(value: string): RequestFault {
  const codings = asciiLowerCase(value).split(',').map(withoutBlanks);
  const named = codings.filter((coding) => coding !== '');
  if (named.indexOf(CHUNKED) !== named.length - 1 || named.length === 0) return RequestFault.CODING_END;
  return named.length === 1 ? RequestFault.NONE : RequestFault.CODING;
}
