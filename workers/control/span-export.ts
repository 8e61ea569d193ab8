/**
 * Takes the spans of all data-plane threads and sends them on in batches, one at a time. The queue is
 * bounded: a receiver that is slow or gone costs spans, which are counted, and nothing else.
 */
import { nowUs, wallOffsetUs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import type { Plan, TracingPlan } from '../../core/plan.js';
import { bucketOf } from '../../core/record/route-counts.js';
import type { ExchangeSpans, SpanRecord } from '../../core/record/span-record.js';
import { Redaction, redactNothingMore } from '../../core/redact.js';
import type { Exemplar, TracingCounts } from '../../core/report/control-counts.js';
import { type PlainSpan, spansOf } from '../../core/report/spans.js';
import { SoleRun } from '../../core/sole-run.js';
import type { Otlp } from './otlp.js';

const batchMs = 1000;
/** Time between two lines of the log on one receiver that fails. */
const quietMs = 60_000;

export interface SpanExportOptions {
  readonly version: string;
  /** Identifies this process. */
  readonly instance: string;
  mirrorName(slot: number): string;
  warn(message: string): void;
  info(message: string): void;
}

export class SpanExport {
  readonly counts: TracingCounts = { exported: 0, dropped: { queue: 0, receiver: 0 } };
  readonly #options: SpanExportOptions;
  /** By route and bucket. */
  readonly #exemplars = new Map<string, Exemplar>();
  #plan: TracingPlan | null = null;
  #otlp: Promise<Otlp> | null = null;
  #redaction = new Redaction(redactNothingMore);
  #queue: PlainSpan[] = [];
  readonly #sending = new SoleRun(() => this.#sendAll());
  #timer: NodeJS.Timeout | null = null;
  #quietUntilMs = 0;
  #isFailing = false;
  #offsetUs = wallOffsetUs();

  constructor(options: SpanExportOptions) {
    this.#options = options;
  }

  /**
   * `apply` follows a plan. The packages of OpenTelemetry are loaded with the first one that has `tracing`.
   */
  apply({ tracing, redact }: Pick<Plan, 'tracing' | 'redact'>): void {
    this.#redaction = new Redaction(redact);
    if (tracing === null) this.#exemplars.clear();
    const before = this.#plan;
    this.#plan = tracing;
    if (before?.url === tracing?.url && before?.service === tracing?.service) return;
    const old = this.#otlp;
    if (old !== null) void old.then((otlp) => otlp.close()).catch(() => {});
    this.#isFailing = false;
    this.#otlp = tracing === null ? null : this.#open(tracing);
  }

  get exemplars(): readonly Exemplar[] {
    return [...this.#exemplars.values()];
  }

  /** `take` takes what a thread has recorded. */
  take(record: SpanRecord): void {
    if (this.#plan === null) return;
    if (record.kind === 'exchange') this.#note(record);
    const spans = spansOf(record, {
      redaction: this.#redaction,
      wallUs: (us) => us + this.#offsetUs,
      mirrorName: this.#options.mirrorName,
    });
    if (this.#queue.length + spans.length > limits.traceQueue) {
      this.counts.dropped.queue += spans.length;
      return;
    }
    this.#queue.push(...spans);
    this.#timer ??= setTimeout(() => this.#onDue(), batchMs);
  }

  /** `close` sends what waits, within `limits.traceLeaveMs`. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const sent = (async () => {
      await this.#sending.running;
      while (this.#queue.length > 0) await this.#send();
      await (await this.#otlp)?.close();
    })().catch(() => {});
    await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, limits.traceLeaveMs))]);
  }

  #note({ route, traceId, startUs, endUs }: ExchangeSpans): void {
    const tookUs = endUs - startUs;
    const bucket = bucketOf(tookUs);
    const atMs = (endUs + this.#offsetUs) / 1000;
    this.#exemplars.set(`${bucket} ${route}`, { route, bucket, traceId, seconds: tookUs / 1e6, atMs });
  }

  async #open(plan: TracingPlan): Promise<Otlp> {
    const { Otlp } = await import('./otlp.js');
    const { version, instance } = this.#options;
    return new Otlp(plan, version, instance);
  }

  #onDue(): void {
    this.#timer = null;
    const offsetUs = wallOffsetUs();
    // The wall clock was set. Otherwise one offset keeps spans of several batches in order.
    if (Math.abs(offsetUs - this.#offsetUs) > limits.traceClockUs) this.#offsetUs = offsetUs;
    void this.#sending.start();
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) await this.#send();
  }

  async #send(): Promise<void> {
    const batch = this.#queue.splice(0, limits.traceBatch);
    const otlp = await this.#otlp;
    if (otlp === null) return;
    try {
      await otlp.send(batch);
      this.counts.exported += batch.length;
      if (this.#isFailing) this.#options.info(`traces reach ${this.#plan?.url} again`);
      this.#isFailing = false;
    } catch (error) {
      this.counts.dropped.receiver += batch.length;
      this.#failed(error as NodeJS.ErrnoException);
    }
  }

  #failed({ code, message }: NodeJS.ErrnoException): void {
    this.#isFailing = true;
    const nowMs = nowUs() / 1000;
    if (nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + quietMs;
    const { exported, dropped } = this.counts;
    const why = message || code || 'no answer';
    this.#options.warn(
      `traces can't be sent to ${this.#plan?.url}: ${why}; ${dropped.receiver} spans lost, ${exported} sent so far`,
    );
  }
}
