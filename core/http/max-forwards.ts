import { withoutFields } from './field-edits.js';
import { fieldValue } from './fields.js';
import type { RequestHead } from './message.js';

const name = 'max-forwards';
const number = /^\d{1,15}$/;

/** True for the methods that Max-Forwards speaks of; for others it says nothing (RFC 9110, section 7.6.2). */
export function countsForwards(method: string): boolean {
  return method === 'OPTIONS' || method === 'TRACE';
}

/**
 * Takes one from the request's Max-Forwards. False: it was 0, and the request must be answered here. A
 * request without the field, or with a value that is no number, is left as it is.
 */
export function takeForward(head: RequestHead): boolean {
  const value = fieldValue(head.fields, name);
  if (value === null || !number.test(value)) return true;
  const left = Number(value);
  if (left === 0) return false;
  head.fields = `${withoutFields(head.fields, [name])}Max-Forwards: ${left - 1}\r\n`;
  return true;
}
