/**
 * Sends spans to a receiver by OTLP over HTTP, with the exporter of OpenTelemetry. Loaded only where
 * `tracing` is set, on the control thread alone (docs/decisions/094).
 */
import {
  type Attributes,
  type HrTime,
  type Link,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { TracingPlan } from '../../core/plan.js';
import type { PlainSpan } from '../../core/report/spans.js';

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number];

/** `ExportResultCode.SUCCESS` of @opentelemetry/core. */
const SUCCESS = 0;
const US_PER_S = 1e6;
const NS_PER_US = 1e3;

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

export class Otlp {
  readonly #exporter: OTLPTraceExporter;
  readonly #common: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>;

  /** Headers, certificates, compression and timeouts come from the environment (`OTEL_EXPORTER_OTLP_*`). */
  constructor({ url, service }: TracingPlan, version: string, instance: string) {
    this.#exporter = new OTLPTraceExporter({ url });
    this.#common = {
      resource: resourceFromAttributes({
        'service.name': service,
        'service.version': version,
        'service.instance.id': instance,
      }),
      instrumentationScope: { name: 'umbra', version },
    };
  }

  /** `send` resolves when the receiver has taken the spans. It rejects with the reason, after retries. */
  send(spans: readonly PlainSpan[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#exporter.export(
        spans.map((span) => this.#readable(span)),
        ({ code, error }) => {
          if (code === SUCCESS) resolve();
          else reject(error ?? new Error('the receiver refused the spans'));
        },
      );
    });
  }

  close(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #readable(span: PlainSpan): ReadableSpan {
    const context = { traceId: span.traceId, spanId: span.spanId, traceFlags: TraceFlags.SAMPLED };
    const links: Link[] = span.links.map(({ traceId, spanId }) => ({
      context: { traceId, spanId, traceFlags: TraceFlags.SAMPLED },
    }));
    return {
      name: span.name,
      kind: kinds[span.kind],
      spanContext: () => context,
      ...(span.parentId === ''
        ? {}
        : { parentSpanContext: { ...context, spanId: span.parentId, isRemote: span.isParentRemote } }),
      startTime: hrTime(span.startUs),
      endTime: hrTime(span.endUs),
      duration: hrTime(span.endUs - span.startUs),
      status:
        span.error === null
          ? { code: SpanStatusCode.UNSET }
          : { code: SpanStatusCode.ERROR, message: span.error },
      attributes: span.attributes as Attributes,
      links,
      events: span.events.map(({ name, atUs, attributes }) => ({
        name,
        time: hrTime(atUs),
        attributes: attributes as Attributes,
        droppedAttributesCount: 0,
      })),
      ended: true,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
      ...this.#common,
    };
  }
}

/** Seconds and nanoseconds of microseconds since 1970. */
function hrTime(us: number): HrTime {
  const seconds = Math.floor(us / US_PER_S);
  return [seconds, Math.round((us - seconds * US_PER_S) * NS_PER_US)];
}
