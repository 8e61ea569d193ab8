import type { Call } from './call.js';
import { Http2Call, type OverHttp1 } from './http2-call.js';
import { PipelinedCall } from './pipelined-call.js';
import type { VersionPool } from './pool.js';
import type { ResponseSink } from './response-sink.js';
import { UpstreamCall } from './upstream-call.js';
import type { UpstreamRequest } from './upstream-request.js';

/**
 * The calls of one sender, of which one runs at a time. This is the only place that chooses the class of a
 * call, by what the version speaks. Calls of other classes than the usual one are created when they are first
 * needed. `current` may change while a call runs: an endpoint of a version with `auto` may turn out to speak
 * HTTP/1.1, after which the request continues in another call.
 */
export class Calls {
  /** The call of the current request, or of the last one. */
  current: Call;
  readonly #sink: ResponseSink;
  readonly #http1: UpstreamCall;
  #http2: Http2Call | null = null;
  #pipelined: PipelinedCall | null = null;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#http1 = new UpstreamCall(sink);
    this.current = this.#http1;
  }

  /** `start` starts the call for `request`. */
  start(pool: VersionPool, request: UpstreamRequest): void {
    this.#choose(pool, request).start(pool, request);
  }

  /**
   * `startPipelined` does the same for a request with a safe method and no body. Over HTTP/1.1 it may follow
   * others on one connection, of which there are at most `depth`.
   */
  startPipelined(pool: VersionPool, request: UpstreamRequest, depth: number): void {
    if (pool.speaksHttp2) {
      this.start(pool, request);
      return;
    }
    this.#pipelined ??= new PipelinedCall(this.#sink);
    this.#pipelined.depth = depth;
    this.current = this.#pipelined;
    this.#pipelined.start(pool, request);
  }

  #choose(pool: VersionPool, request: UpstreamRequest): Call {
    const { protocol } = pool.plan;
    if (protocol === 'http1') return this.#overHttp1;
    // Only HTTP/1.1 has upgrades (RFC 9113, section 8.6).
    const isHttp1 = protocol === 'auto' && (request.upgrade !== '' || !pool.speaksHttp2);
    return isHttp1 ? this.#overHttp1 : this.#overHttp2;
  }

  get #overHttp1(): UpstreamCall {
    this.current = this.#http1;
    return this.#http1;
  }

  get #overHttp2(): Http2Call {
    this.#http2 ??= this.#newHttp2();
    this.current = this.#http2;
    return this.#http2;
  }

  #newHttp2(): Http2Call {
    const overHttp1: OverHttp1 = (pool, request) => {
      this.#overHttp1.start(pool, request);
      return this.#http1;
    };
    return new Http2Call(this.#sink, overHttp1);
  }
}
