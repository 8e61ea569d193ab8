/**
 * Spans on their way from a data-plane thread to the control thread, as JSON in the ring of the access log.
 * Only sampled requests have any, so their text may be allocated. A record that finds the ring full is
 * dropped and counted.
 */
import { latin1Slice, latin1Write } from '../http/wire.js';
import type { TracedDrop } from '../mirror/tracer.js';
import { FrameType } from '../ring/frame.js';
import type { RingWriter } from '../ring/writer.js';
import { type ThreadCounters, ThreadField } from './thread-counters.js';

/** Times are microseconds of core/clock; 0 means never. Texts are wire strings. */
interface AnySpan {
  readonly traceId: string;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly route: string;
  readonly version: string;
  /** The address that was reached; empty for none. */
  readonly upstream: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly sentUs: number;
  readonly status: number;
  /** An index of `failures`, or -1. */
  readonly failure: number;
  readonly details: string;
}

/** A request and its exchange with the primary: two spans. */
export interface ExchangeSpans extends AnySpan {
  readonly kind: 'exchange';
  readonly parentId: string;
  readonly serverId: string;
  readonly clientId: string;
  readonly http2: boolean;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** When the response of the primary was whole. */
  readonly answeredUs: number;
  readonly drops: readonly TracedDrop[];
}

/** The copy of a request, which may be a trace of its own (`trace: new`). */
export interface CopySpan extends AnySpan {
  readonly kind: 'copy';
  readonly spanId: string;
  /** The span of the request at umbra. */
  readonly ofTraceId: string;
  readonly ofSpanId: string;
  /** An index of `drops`, or -1 for a copy that was sent. */
  readonly drop: number;
  /** `Differs` bits; -1: there is no pair of two whole responses. */
  readonly differs: number;
  /** The shadow's latency minus the primary's, where there is such a pair. */
  readonly deltaUs: number;
}

export type SpanRecord = ExchangeSpans | CopySpan;

/** The data-plane thread's end. */
export class SpanPort {
  readonly #writer: RingWriter;
  readonly #counters: ThreadCounters;
  readonly #requestFlush: () => void;

  /** `writer` is that of the access log, whose port publishes what was written. */
  constructor(writer: RingWriter, counters: ThreadCounters, requestFlush: () => void) {
    this.#writer = writer;
    this.#counters = counters;
    this.#requestFlush = requestFlush;
  }

  write(record: SpanRecord): void {
    const text = JSON.stringify(record);
    const offset = this.#writer.claim(FrameType.SPAN, 0, 0, 0, 0, text.length);
    if (offset < 0) {
      this.#counters.add(ThreadField.spansDropped);
      return;
    }
    latin1Write(this.#writer.bytes, text, offset);
    this.#requestFlush();
  }
}

/** `readSpanRecord` reads the payload of a frame. */
export function readSpanRecord(bytes: Buffer, start: number, end: number): SpanRecord {
  return JSON.parse(latin1Slice(bytes, start, end)) as SpanRecord;
}
