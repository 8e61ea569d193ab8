/**
 * The trace of one copy on a shadow thread. Its span has the request's span at umbra as its parent, unless
 * the mirror gives its copies traces of their own (`trace: new`); it is linked to that span in any case.
 */
import { parentContext } from './trace-context.js';
import { hexId, type Random } from './trace-fields.js';

export interface CopyTrace {
  readonly traceId: string;
  readonly spanId: string;
  /** The request's span at umbra. */
  readonly ofTraceId: string;
  readonly ofSpanId: string;
  /** The fields of the copy, which name its span as the parent. */
  readonly fields: string;
}

/**
 * `beginCopyTrace` takes the fields of the copied request, and those of the copy with the changes of its
 * mirror. It returns null where an edit has removed the trace.
 */
export function beginCopyTrace(copied: string, fields: string, random: Random): CopyTrace | null {
  const of = parentContext(copied);
  if (of === null || of.traceId === '') return null;
  const ofSpan = { ofTraceId: of.traceId, ofSpanId: of.spanId };
  const shown = parentContext(fields);
  if (shown !== null && shown.traceId !== '' && shown.traceId !== of.traceId) {
    return { traceId: shown.traceId, spanId: shown.spanId, ...ofSpan, fields };
  }
  const spanId = hexId(random, 2);
  return { traceId: of.traceId, spanId, ...ofSpan, fields: fields.replaceAll(of.spanId, spanId) };
}
