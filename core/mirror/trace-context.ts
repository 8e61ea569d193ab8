/**
 * The trace context of a request in its field lines: `traceparent` (W3C Trace Context, section 3.2), and B3
 * in one field or in several (github.com/openzipkin/b3-propagation). W3C counts where a request has both.
 */
import { withoutFields } from '../http/field-edits.js';
import { fieldValue } from '../http/fields.js';

/** What the sender of a request has decided about its trace. */
export const Sampled = { NO: 0, YES: 1, OPEN: 2 } as const;
export type Sampled = (typeof Sampled)[keyof typeof Sampled];

/** Ids in lower-case hex: 32 digits for a trace, 16 for a span. */
export interface ParentContext {
  /** Empty where only a decision came. */
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: Sampled;
}

const traceparentForm = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;
const b3Form = /^([0-9a-fA-F]{16}|[0-9a-fA-F]{32})-([0-9a-fA-F]{16})(?:-([01d]))?(?:-[0-9a-fA-F]{16})?$/;
const traceDigits = 32;
const noTrace = '0'.repeat(traceDigits);
const noSpan = '0'.repeat(traceDigits / 2);
const firstVersion = '00';
const invalidVersion = 'ff';

/** `parentContext` returns the context in `fields`, or null where there is none or it is invalid. */
export function parentContext(fields: string): ParentContext | null {
  const traceparent = fieldValue(fields, 'traceparent');
  const w3c = traceparent === null ? null : fromTraceparent(traceparent);
  if (w3c !== null) return w3c;
  const b3 = fieldValue(fields, 'b3');
  if (b3 !== null) return fromB3(b3);
  return fromB3Fields(fields);
}

/** A later version may have more fields behind the flags; version 00 may not, and ff is invalid. */
function fromTraceparent(text: string): ParentContext | null {
  const found = traceparentForm.exec(text);
  if (found === null) return null;
  const [, version, traceId, spanId, flags, rest] = found;
  if (version === invalidVersion || (version === firstVersion && rest !== '')) return null;
  return valid(traceId, spanId, (Number.parseInt(flags, 16) & 1) === 1 ? Sampled.YES : Sampled.NO);
}

function fromB3(text: string): ParentContext | null {
  if (/^[01d]$/.test(text)) return { traceId: '', spanId: '', sampled: b3Sampled(text) };
  const found = b3Form.exec(text);
  return found === null ? null : valid(found[1], found[2], b3Sampled(found[3]));
}

function fromB3Fields(fields: string): ParentContext | null {
  const traceId = fieldValue(fields, 'x-b3-traceid');
  const state = fieldValue(fields, 'x-b3-flags') === '1' ? 'd' : fieldValue(fields, 'x-b3-sampled');
  if (traceId === null) {
    return state === null ? null : { traceId: '', spanId: '', sampled: b3Sampled(state) };
  }
  const spanId = fieldValue(fields, 'x-b3-spanid') ?? '';
  const found = b3Form.exec(`${traceId}-${spanId}`);
  return found === null ? null : valid(found[1], found[2], b3Sampled(state ?? undefined));
}

/** `d` is debug. Early senders wrote `true` and `false`. */
function b3Sampled(state: string | undefined): Sampled {
  if (state === '1' || state === 'd' || state === 'true') return Sampled.YES;
  return state === '0' || state === 'false' ? Sampled.NO : Sampled.OPEN;
}

function valid(trace: string, span: string, sampled: Sampled): ParentContext | null {
  const traceId = trace.toLowerCase().padStart(traceDigits, '0');
  const spanId = span.toLowerCase();
  return traceId === noTrace || spanId === noSpan ? null : { traceId, spanId, sampled };
}

/** The fields that `withContext` renews. The parent of the parent is left out. */
const renewed = ['traceparent', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled'];

/**
 * `withContext` returns `fields` with this sampled context in the formats that they had, or as `traceparent`
 * where they had none. `tracestate` stays.
 */
export function withContext(fields: string, traceId: string, spanId: string): string {
  const hadB3 = fieldValue(fields, 'b3') !== null;
  const b3Trace = fieldValue(fields, 'x-b3-traceid');
  const hadB3Fields = b3Trace !== null || fieldValue(fields, 'x-b3-sampled') !== null;
  const hadW3c = fieldValue(fields, 'traceparent') !== null;
  let result = withoutFields(fields, renewed);
  if (hadW3c || !(hadB3 || hadB3Fields)) result += `traceparent: 00-${traceId}-${spanId}-01\r\n`;
  if (hadB3) result += `b3: ${traceId}-${spanId}-1\r\n`;
  if (hadB3Fields) {
    const short = b3Trace !== null && b3Trace.length < traceDigits;
    const shown = short ? traceId.slice(-b3Trace.length) : traceId;
    result += `x-b3-traceid: ${shown}\r\nx-b3-spanid: ${spanId}\r\nx-b3-sampled: 1\r\n`;
  }
  return result;
}
