/**
 * Sends load over HTTP/2, and gRPC calls, through the client that versions are reached by. autocannon speaks
 * HTTP/1.1 alone. Rates and latencies are those of `drive.ts`: each place (a stream of a connection) has its
 * own schedule, and a request that is due while its place is busy is sent late, and that time counts.
 */
import { Failure, failureReasons } from '../../core/errors.js';
import { GrpcCall } from '../../core/grpc/grpc-call.js';
import { GrpcStatus, grpcStatusName } from '../../core/grpc/grpc-status.js';
import { Framing, TAKES_TRAILERS } from '../../core/http/message.js';
import type { ResponseHead } from '../../core/http/response-head.js';
import { HdrCounts } from '../../core/record/hdr-counts.js';
import { Histogram } from '../../core/record/histogram.js';
import { Calls } from '../../core/upstream/calls.js';
import type { VersionPool } from '../../core/upstream/pool.js';
import type { ResponseSink } from '../../core/upstream/response-sink.js';
import { UpstreamRequest } from '../../core/upstream/upstream-request.js';
import { openPool, serverAsVersion, targetsOf } from '../commands/one-mirror.js';
import {
  consecutiveErrorsPerConnection,
  type LoadFigures,
  type LoadOptions,
  type RunningLoad,
  timeoutSeconds,
} from './drive.js';

export interface Http2LoadOptions extends LoadOptions {
  /** Requests at once on each connection. */
  readonly streams: number;
  /** Requests are gRPC calls, and `body` is a message with its prefix. */
  readonly grpc: boolean;
}

const US_PER_MS = 1000;
const anyCertificate = { ca: null, cert: null, key: null, serverName: null, verify: false };

export function driveHttp2Load(options: Http2LoadOptions): RunningLoad {
  const load = new Http2Load(options);
  return { done: load.run(), answers: () => load.answers, stop: () => load.stop() };
}

class Http2Load {
  readonly options: Http2LoadOptions;
  readonly #counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  readonly #failures = new Map<string, number>();
  readonly #statuses = new Map<string, number>();
  #notSuccessful = 0;
  #receivedBytes = 0;
  #errorsInARow = 0;
  #gaveUp = false;
  #places: Place[] = [];
  #stopped = false;
  #finish!: () => void;
  readonly #over = new Promise<void>((resolve) => {
    this.#finish = resolve;
  });

  constructor(options: Http2LoadOptions) {
    this.options = options;
  }

  get answers(): number {
    return this.#counts.count;
  }

  async run(): Promise<LoadFigures> {
    const { url, rate, durationMs, connections, streams } = this.options;
    const count =
      rate === null ? connections * streams : Math.max(1, Math.min(connections * streams, Math.floor(rate)));
    const { origin } = new URL(url);
    const plain = serverAsVersion('load', origin, connections, count, timeoutSeconds * 1000);
    const version = {
      ...plain,
      protocol: 'http2' as const,
      streamsMax: streams,
      tls: url.startsWith('https:') ? anyCertificate : null,
    };
    const pool = openPool(version, await targetsOf(version));
    const beginMs = performance.now();
    const intervalMs = rate === null ? 0 : (count * 1000) / rate;
    this.#places = Array.from(
      { length: count },
      (_, i) => new Place(this, pool, beginMs + (i * intervalMs) / count, intervalMs),
    );
    for (const place of this.#places) place.next();
    const timer = setTimeout(() => this.stop(), durationMs);
    if (this.#stopped) this.#finish();
    await this.#over;
    clearTimeout(timer);
    const tookMs = performance.now() - beginMs;
    for (const place of this.#places) place.end();
    pool.close();
    return this.#figures(Math.min(connections, count), tookMs);
  }

  /** Ends the run. Requests under way are not counted. */
  stop(): void {
    this.#stopped = true;
    this.#finish();
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  answered(latencyUs: number, bytes: number, isSuccess: boolean, grpcStatus: GrpcStatus): void {
    this.#counts.record(latencyUs);
    this.#receivedBytes += bytes;
    this.#errorsInARow = 0;
    if (!isSuccess) this.#notSuccessful++;
    if (this.options.grpc) count(this.#statuses, grpcStatusName(grpcStatus));
  }

  failed(failure: Failure): void {
    count(this.#failures, failureReasons[failure]);
    if (++this.#errorsInARow < consecutiveErrorsPerConnection * this.#places.length) return;
    this.#gaveUp = true;
    this.stop();
  }

  #figures(connections: number, durationMs: number): LoadFigures {
    const errors = [...this.#failures.values()].reduce((sum, times) => sum + times, 0);
    return {
      connections,
      durationMs,
      latency: Histogram.read([this.#counts]),
      notSuccessful: this.#notSuccessful,
      errors,
      timeouts: this.#failures.get(failureReasons[Failure.TIMEOUT]) ?? 0,
      failures: Object.fromEntries(this.#failures),
      receivedBytes: this.#receivedBytes,
      grpcStatuses: this.options.grpc ? Object.fromEntries(this.#statuses) : null,
      gaveUp: this.#gaveUp,
    };
  }
}

/** One stream at a time. */
class Place implements ResponseSink {
  readonly #load: Http2Load;
  readonly #pool: VersionPool;
  readonly #calls = new Calls(this);
  readonly #request = new UpstreamRequest();
  readonly #grpc: GrpcCall | null;
  readonly #intervalMs: number;
  #dueMs: number;
  #lateMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #status = 0;

  constructor(load: Http2Load, pool: VersionPool, dueMs: number, intervalMs: number) {
    this.#load = load;
    this.#pool = pool;
    this.#dueMs = dueMs;
    this.#intervalMs = intervalMs;
    this.#grpc = load.options.grpc ? new GrpcCall() : null;
    this.#fill(load.options);
  }

  next(): void {
    if (this.#load.isStopped) return;
    const waitMs = this.#dueMs - performance.now();
    if (this.#intervalMs === 0) this.#send(0);
    else if (waitMs <= 0) this.#send(-waitMs);
    // A late timer is this process's fault, not the server's, so it does not count.
    else this.#timer = setTimeout(() => this.#send(0), waitMs);
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#calls.current.cancel();
  }

  #fill({ url, method, headers, body, grpc }: Http2LoadOptions): void {
    const { pathname, search } = new URL(url);
    const request = this.#request;
    const { host = this.#pool.plan.endpoints[0].authority, ...fields } = headers ?? {};
    const all = Object.entries({ ...(body === null ? {} : { 'content-type': body.contentType }), ...fields });
    request.method = method ?? (body === null ? 'GET' : 'POST');
    request.target = pathname + search;
    request.host = host;
    request.fields = all.map(([name, value]) => `${name.toLowerCase()}: ${value}\r\n`).join('');
    if (grpc) request.fields += TAKES_TRAILERS;
    request.framing = grpc ? Framing.CHUNKED : body === null ? Framing.NONE : Framing.LENGTH;
    request.contentLength = grpc ? 0 : (body?.bytes.byteLength ?? 0);
    request.totalMs = timeoutSeconds * US_PER_MS;
    request.grpc = this.#grpc;
  }

  #send(lateMs: number): void {
    this.#timer = null;
    this.#dueMs += this.#intervalMs;
    this.#lateMs = lateMs;
    this.#grpc?.begin();
    const { method } = this.#request;
    this.#request.resends.begin(method, null);
    this.#calls.start(this.#pool, this.#request);
    const { body } = this.#load.options;
    if (body !== null) this.#calls.current.write(body.bytes, true);
  }

  batch(run: () => void): void {
    run();
  }

  onSent(): void {}
  onDrain(): void {}
  onInterim(): void {}
  onSwitch(): void {}

  onHead(head: ResponseHead): void {
    this.#status = head.status;
    this.#grpc?.onHead(head);
  }

  onResponseBody(bytes: Uint8Array): void {
    this.#grpc?.received.take(bytes);
  }

  onResponseTrailers(lines: string): void {
    this.#grpc?.onTrailers(lines);
  }

  onEnd(): void {
    const { endUs, sentUs, responseBytes } = this.#calls.current.figures;
    this.#grpc?.onEnd(this.#status);
    const grpcStatus = this.#grpc?.status ?? GrpcStatus.NONE;
    const isSuccess = this.#grpc === null ? isSuccessful(this.#status) : grpcStatus === GrpcStatus.OK;
    this.#load.answered(endUs - sentUs + this.#lateMs * US_PER_MS, responseBytes, isSuccess, grpcStatus);
    this.next();
  }

  onFailure(failure: Failure): void {
    this.#load.failed(failure);
    this.next();
  }
}

function isSuccessful(status: number): boolean {
  return status >= 200 && status <= 299;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
