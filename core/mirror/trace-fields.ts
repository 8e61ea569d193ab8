/**
 * Changes the fields by which tracers and logs identify a request, as a copy carries them:
 *
 *   keep   unchanged: the copy's spans have the same parent as the primary's
 *   drop   removed
 *   new    a separate trace: the same fields with new ids in the same format
 *
 * With `new`, one trace id and one span id are drawn for the copy and used in all its formats. `traceparent`
 * is restarted as version 00 with its sampled flag (W3C Trace Context, section 3.4). `tracestate` belongs to
 * the old trace and is removed. B3 (single and multiple) keeps the length of its trace id and its sampling
 * state, and loses the parent. `x-request-id` becomes a random UUID. A field that is absent is not added. Not
 * for secrets: the ids are random, but not unpredictable.
 */

import { withoutFields } from '../http/field-edits.js';
import { fieldValue } from '../http/fields.js';

/**
 * The fields that `new` replaces. `x-b3-sampled`, `x-b3-flags` and a `b3` that is only a sampling state are
 * kept.
 */
const renewedNames = [
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-request-id',
] as const;
const traceNames = [...renewedNames, 'x-b3-sampled', 'x-b3-flags'] as const;

const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})(?:-|$)/;
const b3Form = /^([0-9a-fA-F]{16}|[0-9a-fA-F]{32})-[0-9a-fA-F]{16}(?:-([01d]))?(?:-[0-9a-fA-F]{16})?$/;
const shortTraceDigits = 16;

/** Uniform from 0 to 2^32 - 1. */
export type Random = () => number;

export function withoutTrace(fields: string): string {
  return withoutFields(fields, traceNames);
}

export function withNewTrace(fields: string, random: Random): string {
  let result = withoutFields(fields, renewedNames);
  // The request had none of the fields, so nothing is renewed or drawn.
  if (result.length === fields.length) return fields;
  const trace = hexId(random, 4);
  const span = hexId(random, 2);
  const traceparent = fieldValue(fields, 'traceparent');
  if (traceparent !== null) result += `traceparent: 00-${trace}-${span}-${sampledFlag(traceparent)}\r\n`;
  const b3 = fieldValue(fields, 'b3');
  if (b3 !== null) result += b3Line(b3, trace, span);
  const b3Trace = fieldValue(fields, 'x-b3-traceid');
  if (b3Trace !== null) result += `x-b3-traceid: ${asLongAs(b3Trace, trace)}\r\nx-b3-spanid: ${span}\r\n`;
  if (fieldValue(fields, 'x-request-id') !== null) result += `x-request-id: ${uuid(random)}\r\n`;
  return result;
}

/** `sampledFlag` treats an invalid traceparent as not sampled. */
function sampledFlag(traceparent: string): string {
  const found = traceparentForm.exec(traceparent);
  return found !== null && (Number.parseInt(found[1], 16) & 1) === 1 ? '01' : '00';
}

/**
 * `b3Line` keeps `0`, `1` and `d`, which are a sampling state without ids, and removes an invalid B3 value.
 */
function b3Line(value: string, trace: string, span: string): string {
  if (/^[01d]$/.test(value)) return `b3: ${value}\r\n`;
  const found = b3Form.exec(value);
  if (found === null) return '';
  const state = found[2] === undefined ? '' : `-${found[2]}`;
  return `b3: ${asLongAs(found[1], trace)}-${span}${state}\r\n`;
}

function asLongAs(old: string, trace: string): string {
  return old.length === shortTraceDigits ? trace.slice(-shortTraceDigits) : trace;
}

/**
 * `hexId` returns `words` times eight lower-case hex digits. All zeros would be invalid, so the last digit is
 * never 0.
 */
export function hexId(random: Random, words: number): string {
  let text = '';
  for (let i = 0; i < words; i++) text += hex(i === words - 1 ? random() | 1 : random());
  return text;
}

/** `uuid` returns a random UUID of version 4 (RFC 9562, section 5.4). */
function uuid(random: Random): string {
  const variant = (random() & 0x3fff_ffff) | 0x8000_0000;
  const [a, b, c, d] = [hex(random()), hex((random() & 0xffff_0fff) | 0x4000), hex(variant), hex(random())];
  return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
