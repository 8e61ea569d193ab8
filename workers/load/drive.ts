/** Sends load to a URL with autocannon and measures it in microseconds. */
import autocannon from 'autocannon';
import { HdrCounts } from '../../core/record/hdr-counts.js';
import { Histogram } from '../../core/record/histogram.js';
import { Pace } from './pace.js';

export interface LoadOptions {
  /** http or https; certificates are not verified. */
  readonly url: string;
  /** Requests a second over all connections, sent evenly; null to send as fast as responses arrive. */
  readonly rate: number | null;
  readonly durationMs: number;
  readonly connections: number;
  /** The method; the default is POST with a body and GET without. */
  readonly method?: string;
  /** Header fields of every request; `host` replaces the URL's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with every request. */
  readonly body: { readonly bytes: Buffer; readonly contentType: string } | null;
}

export interface LoadFigures {
  readonly connections: number;
  readonly durationMs: number;
  /**
   * Latency of every response, whatever its status. With a rate it counts from when the request was due, if
   * its connection was busy then.
   */
  readonly latency: Histogram;
  /** Responses with a status other than 2xx; of gRPC calls, other than OK. */
  readonly notSuccessful: number;
  /** Failed connections, requests that lost theirs, and timeouts. */
  readonly errors: number;
  readonly timeouts: number;
  /** HTTP/2: errors by reason; null for HTTP/1.1. */
  readonly failures: Readonly<Record<string, number>> | null;
  /** Bytes of responses, including heads; over HTTP/2 without heads. */
  readonly receivedBytes: number;
  /** gRPC: answers by status; null without gRPC. */
  readonly grpcStatuses: Readonly<Record<string, number>> | null;
  /** The run ended because the server stopped answering. */
  readonly gaveUp: boolean;
}

export interface RunningLoad {
  /** Rejects when autocannon refuses the options. */
  readonly done: Promise<LoadFigures>;
  answers(): number;
  /** Ends early. `done` then resolves with the figures so far. */
  stop(): void;
}

/**
 * autocannon reconnects immediately and without limit, so a server that is gone would make it spin until the
 * end of the run.
 */
export const consecutiveErrorsPerConnection = 100;
export const timeoutSeconds = 10;
/** Interval at which autocannon checks whether it must stop. */
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
        // At low rates a connection is idle for longer than any response may take.
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
      failures: null,
      receivedBytes,
      grpcStatuses: null,
      gaveUp,
    })),
  };
}
