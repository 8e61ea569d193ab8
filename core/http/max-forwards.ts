import { withoutFields } from './field-edits.js';
import { fieldValue } from './fields.js';
import type { RequestHead } from './message.js';

const name = 'max-forwards';
const number = /^\d{1,15}$/;

/** `countsForwards` returns true for the methods that Max-Forwards applies to (RFC 9110, section 7.6.2). */
export function countsForwards(method: string): boolean {
  return method === 'OPTIONS' || method === 'TRACE';
}

/**
 * `takeForward` decrements the request's Max-Forwards. It returns false when the value was 0, and umbra must
 * answer the request. A request without the field, or with a value that is not a number, is unchanged.
 */
export function takeForward(head: RequestHead): boolean {
  const value = fieldValue(head.fields, name);
  if (value === null || !number.test(value)) return true;
  const left = Number(value);
  if (left === 0) return false;
  head.fields = `${withoutFields(head.fields, [name])}Max-Forwards: ${left - 1}\r\n`;
  return true;
}
