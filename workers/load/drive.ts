/** Drives load at a URL with autocannon and measures it in microseconds. */
import autocannon from 'autocannon';
import { HdrCounts } from '../../core/record/hdr-counts.js';
import { Histogram } from '../../core/record/histogram.js';
import { Pace } from './pace.js';

export interface LoadOptions {
  /** http or https; certificates are not verified. */
  readonly url: string;
  /** Requests a second over all connections, sent evenly; null: as fast as the answers come. */
  readonly rate: number | null;
  readonly durationMs: number;
  readonly connections: number;
  /** The method; without it POST with a body, else GET. */
  readonly method?: string;
  /** Header fields of every request; `host` takes the place of the URL's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with every request. */
  readonly body: { readonly bytes: Buffer; readonly contentType: string } | null;
}

export interface LoadFigures {
  readonly connections: number;
  readonly durationMs: number;
  /**
   * Latency of every answer, whatever its status. At a rate it counts from the moment when the request was
   * due, if its connection was busy then.
   */
  readonly latency: Histogram;
  /** Answers with a status that is not 2xx. */
  readonly notSuccessful: number;
  /** Failed connections, requests that lost theirs, and timeouts. */
  readonly errors: number;
  readonly timeouts: number;
  /** Bytes of answers, heads included. */
  readonly receivedBytes: number;
  /** The run ended because nothing answered any more. */
  readonly gaveUp: boolean;
}

export interface RunningLoad {
  /** Rejects on options that autocannon refuses. */
  readonly done: Promise<LoadFigures>;
  answers(): number;
  /** Ends early; `done` then resolves with what was measured. */
  stop(): void;
}

/**
 * autocannon reconnects at once and without end, so a server that went away would make it spin until the end
 * of the run.
 */
const consecutiveErrorsPerConnection = 100;
const timeoutSeconds = 10;
/** How often autocannon looks whether it is to stop. */
const sampleMs = 100;

export function driveLoad(options: LoadOptions): RunningLoad {
  const { url, rate, durationMs, connections: asked, headers, body } = options;
  const method = options.method ?? (body === null ? 'GET' : 'POST');
  const connections = rate === null ? asked : Math.max(1, Math.min(asked, Math.floor(rate)));
  const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  let lost = 0;
  let errorsInARow = 0;
  let receivedBytes = 0;
  let gaveUp = false;
  const pace = new Pace({ connections, rate, onLost: () => lost++ });
  const beginMs = performance.now();

  let instance: autocannon.Instance | undefined;
  const done = new Promise<autocannon.Result>((resolve, reject) => {
    instance = autocannon(
      {
        url,
        connections,
        duration: durationMs / 1000,
        sampleInt: sampleMs,
        // At low rates a connection is idle for longer than any answer may take.
        timeout: timeoutSeconds + (rate === null ? 0 : Math.ceil((2 * connections) / rate)),
        setupClient: (client) => pace.take(client),
        method: method as autocannon.Options['method'],
        headers: { ...(body === null ? {} : { 'content-type': body.contentType }), ...headers },
        ...(body === null ? {} : { body: body.bytes }),
      },
      (error: unknown, result: autocannon.Result) => (error == null ? resolve(result) : reject(error)),
    );
    instance.on('response', (client, _status, bytes, latencyMs) => {
      counts.record((latencyMs + pace.lateMs(client)) * 1000);
      receivedBytes += bytes;
      errorsInARow = 0;
    });
    instance.on('reqError', () => {
      if (++errorsInARow < consecutiveErrorsPerConnection * connections || gaveUp) return;
      gaveUp = true;
      instance?.stop();
    });
  });

  return {
    answers: () => counts.count,
    stop: () => instance?.stop(),
    done: done.then((result) => ({
      connections,
      durationMs: performance.now() - beginMs,
      latency: Histogram.read([counts]),
      notSuccessful: result.non2xx,
      errors: result.errors + lost,
      timeouts: result.timeouts,
      receivedBytes,
      gaveUp,
    })),
  };
}
