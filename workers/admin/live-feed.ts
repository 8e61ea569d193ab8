/**
 * The figures of each second, computed once for all readers of `GET /api/stream`. The feed runs even without
 * readers, so that a page that is opened after an event shows the event. Control thread only.
 *
 * Events (WHATWG HTML, "Server-sent events"):
 *
 *   history    at once: the points that are kept, or those after `Last-Event-ID`: [Live, …]
 *   snapshot   at once and every second: { ready, process, stats: Stats, live: Live }
 *   end        umbra is stopping
 *
 * Ids are the wall clock in milliseconds, kept ascending, so that an id of an earlier process is still
 * useful.
 */
import { nowUs, wallClockMs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import { noControlCounts } from '../../core/report/control-counts.js';
import { withoutGrpcMethods } from '../../core/report/grpc-methods.js';
import { type Live, live } from '../../core/report/live.js';
import type { Observed } from '../../core/report/observed.js';
import { type PairSource, type Reading, read } from '../../core/report/reading.js';
import { stats } from '../../core/report/stats.js';
import type { Verdict } from '../../core/verdict/verdict.js';
import type { AdminFigures } from './figures.js';

const tickMs = 1000;
/**
 * A snapshot may take this fraction (1 in 20) of the thread's time. With thousands of versions snapshots
 * become less frequent.
 */
const restPerCost = 20;
/**
 * Judging may take this fraction (1 in 50), because a verdict changes slowly: with a hundred mirrors it is as
 * expensive as everything else.
 */
const restPerVerdict = 50;
/** Time after which a reader reconnects, in milliseconds. */
const retryMs = 1000;

export interface LiveSource {
  observe(): Observed;
  ready(): boolean;
  readonly pairs: PairSource;
  verdict(reading: Reading): Verdict;
}

interface Point {
  readonly id: number;
  readonly json: string;
}

interface Reader {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly cut: () => void;
  takenMs: number;
}

export class LiveFeed {
  readonly #source: LiveSource;
  readonly #figures: AdminFigures;
  readonly #readers = new Set<Reader>();
  readonly #points: Point[] = [];
  #bytes = 0;
  #before: Reading | null = null;
  #last: { readonly id: number; readonly data: string } | null = null;
  #residentBytes = 0;
  #cpu = process.cpuUsage();
  #notBeforeMs = 0;
  #verdict: Verdict | null = null;
  #judgeNotBeforeMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** The clock for stalls and costs; tests replace it. */
  nowMs: () => number = () => performance.now();

  constructor(source: LiveSource, figures: AdminFigures) {
    this.#source = source;
    this.#figures = figures;
  }

  /** `start` starts the feed with one point a second. */
  start(): void {
    this.begin();
    this.#timer = setInterval(() => this.tick(), tickMs);
  }

  /** `begin` takes the reading that the first point starts from. */
  begin(): void {
    this.#before = read(this.#source.observe(), nowUs());
  }

  /**
   * `subscribe` returns a stream for the body of a new reader's response, or null if there are too many
   * readers. `lastId` is its `Last-Event-ID`. `cut` is called when the reader stalls, and closes its
   * connection, which cancels the stream.
   */
  subscribe(lastId: number, cut: () => void): ReadableStream<Uint8Array> | null {
    if (this.#closed || this.#readers.size >= limits.adminStreams) {
      this.#figures.streamsRefused++;
      return null;
    }
    let reader: Reader;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          reader = { controller, cut, takenMs: this.nowMs() };
          this.#readers.add(reader);
          this.#figures.streams = this.#readers.size;
          controller.enqueue(encode(this.#greeting(lastId)));
        },
        cancel: () => this.#forget(reader),
      },
      { highWaterMark: 1 },
    );
  }

  /**
   * `tick` computes the next point and sends it to every reader that has read the last one. The timer and
   * tests call it.
   */
  tick(): void {
    const beginMs = this.nowMs();
    if (beginMs < this.#notBeforeMs) {
      this.send(': \n\n');
      return;
    }
    const observed = this.#source.observe();
    const reading = read(observed, nowUs(), noControlCounts, this.#source.pairs);
    const id = Math.max(wallClockMs(), (this.#last?.id ?? 0) + 1);
    const point = live(this.#before!, reading, observed.plan, id);
    this.#before = reading;
    this.#keep(id, JSON.stringify(point));
    const snapshot = {
      ready: this.#source.ready(),
      process: this.#process(point),
      stats: stats(withoutGrpcMethods(reading), this.#judge(reading)),
      live: point,
    };
    this.#last = { id, data: JSON.stringify(snapshot) };
    this.send(event('snapshot', id, this.#last.data));
    this.#notBeforeMs = beginMs + (this.nowMs() - beginMs) * restPerCost;
  }

  /** `#judge` returns a new verdict, or the last one while another would cost too much. */
  #judge(reading: Reading): Verdict {
    const beginMs = this.nowMs();
    if (this.#verdict === null || beginMs >= this.#judgeNotBeforeMs) {
      this.#verdict = this.#source.verdict(reading);
      this.#judgeNotBeforeMs = beginMs + (this.nowMs() - beginMs) * restPerVerdict;
    }
    return this.#verdict;
  }

  /** `close` ends every stream in order. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const reader of this.#readers) {
      reader.controller.enqueue(encode('event: end\ndata: {}\n\n'));
      reader.controller.close();
    }
    this.#readers.clear();
    this.#figures.streams = 0;
  }

  #greeting(lastId: number): string {
    const last = this.#last;
    // An id in the future comes from another clock.
    const known = last !== null && lastId <= last.id ? lastId : 0;
    const missed = this.#points.filter(({ id }) => id > known && id !== last?.id).map(({ json }) => json);
    const history = `event: history\ndata: [${missed.join(',')}]\n\n`;
    return `retry: ${retryMs}\n\n${history}${last === null ? '' : event('snapshot', last.id, last.data)}`;
  }

  /** `send` sends `text` to every reader that has read the last one. `tick` and tests call it. */
  send(text: string): void {
    const bytes = encode(text);
    const nowMs = this.nowMs();
    for (const reader of this.#readers) {
      if ((reader.controller.desiredSize ?? 0) > 0) {
        reader.controller.enqueue(bytes);
        reader.takenMs = nowMs;
      } else if (nowMs - reader.takenMs < limits.adminStreamStalledMs) {
        this.#figures.snapshotsSkipped++;
      } else {
        this.#figures.streamsStalled++;
        this.#forget(reader);
        reader.cut();
      }
    }
  }

  #forget(reader: Reader): void {
    this.#readers.delete(reader);
    this.#figures.streams = this.#readers.size;
  }

  #keep(id: number, json: string): void {
    this.#points.push({ id, json });
    this.#bytes += json.length;
    while (this.#points.length > limits.adminStreamPoints || this.#bytes > limits.adminStreamBytes) {
      this.#bytes -= this.#points.shift()!.json.length;
    }
  }

  /** `#process` returns CPU time and memory of the whole process. */
  #process({ seconds }: Live): { cpuCores: number; residentBytes: number } {
    const cpu = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    const cpuCores = seconds > 0 ? (cpu.user + cpu.system) / 1e6 / seconds : 0;
    try {
      this.#residentBytes = process.memoryUsage.rss();
    } catch {
      // Node reads a file for it, and the process may have no file descriptors left. The last value stays.
    }
    return { cpuCores: Math.round(cpuCores * 1000) / 1000, residentBytes: this.#residentBytes };
  }
}

function event(name: string, id: number, data: string): string {
  return `event: ${name}\nid: ${id}\ndata: ${data}\n\n`;
}

function encode(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
