/** The sinks of the sink thread: one for each place, which is kept while plans name it. */
import { randomBytes } from 'node:crypto';
import { packageVersion } from '../../config/package-file.js';
import { nowUs, wallClockMs } from '../../core/clock.js';
import type { FileSinkPlan, SinkPlan, StreamSinkPlan } from '../../core/plan.js';
import { FileSink } from '../../core/recording/file-sink.js';
import type { Redactor } from '../../core/recording/redactor.js';
import type { Sink } from '../../core/sink/sink.js';
import { StreamSink } from '../../core/stream/stream-sink.js';
import { StreamPublisher } from '../nats/stream-publisher.js';
import { say } from './thread.js';

type KeptSink = FileSink | StreamSink;

export class Sinks {
  /** Sinks by place. */
  #used = new Map<string, KeptSink>();
  #before = new Map<string, KeptSink>();
  /** Sinks of earlier plans, closed when no frame can name them any more. */
  #left: Sink[] = [];
  readonly #closing = new Set<Sink>();

  /** `follow` begins a plan. Sinks that it does not use are released at `followed`. */
  follow(): void {
    this.#before = this.#used;
    this.#used = new Map();
  }

  sinkFor(plan: SinkPlan, redactor: Redactor): Sink {
    const place = placeOf(plan);
    const known = this.#used.get(place) ?? this.#before.get(place);
    const sink = known ?? (plan.kind === 'file' ? openFiles(plan, redactor) : openStream(plan, redactor));
    // The place determines the kind.
    if (known !== undefined)
      (known as { follow(plan: SinkPlan, redactor: Redactor): void }).follow(plan, redactor);
    this.#used.set(place, sink);
    return sink;
  }

  followed(): void {
    for (const [place, sink] of this.#before) if (!this.#used.has(place)) this.#left.push(sink);
    this.#before = new Map();
  }

  /** `retire` is called when no frame names a sink of an earlier plan. */
  retire(): void {
    for (const sink of this.#left.splice(0)) {
      this.#closing.add(sink);
      void sink.close().then(() => this.#closing.delete(sink));
    }
  }

  flush(): void {
    for (const sink of this.#used.values()) sink.flush();
    for (const sink of this.#left) sink.flush();
  }

  abort(): void {
    for (const sink of this.#all()) sink.abort();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((sink) => sink.close()));
  }

  #all(): Sink[] {
    return [...this.#used.values(), ...this.#left, ...this.#closing];
  }
}

function placeOf(plan: SinkPlan): string {
  return plan.kind === 'file' ? plan.directory : JSON.stringify([plan.nats, plan.subject]);
}

function openFiles(plan: FileSinkPlan, redactor: Redactor): FileSink {
  return new FileSink(plan, redactor, {
    clock: nowUs,
    wallClockMs,
    randomBytes: () => randomBytes(16),
    software: `umbra/${packageVersion()}`,
    onState: (trouble) => {
      if (trouble === null) report('info', `recording to ${plan.name} works again`);
      else
        report(
          'error',
          `recording to ${plan.name} has stopped: ${trouble.message}; copies are dropped and counted`,
        );
    },
  });
}

function openStream(plan: StreamSinkPlan, redactor: Redactor): StreamSink {
  return new StreamSink(plan, redactor, {
    clock: nowUs,
    wallClockMs,
    name: randomBytes(9).toString('base64url'),
    open: (events) => new StreamPublisher(plan, events),
    onTrouble: (trouble) =>
      report('warn', `publishing to ${plan.name}: ${trouble}; others are dropped and counted`),
    onReady: () => report('info', `copies are published to ${plan.name}`),
  });
}

function report(level: 'info' | 'warn' | 'error', message: string): void {
  say({ type: 'log', level, message, fields: {} });
}
