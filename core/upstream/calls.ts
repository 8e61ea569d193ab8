import type { Call } from './call.js';
import { PipelinedCall } from './pipelined-call.js';
import type { ResponseSink } from './response-sink.js';
import { UpstreamCall } from './upstream-call.js';

/**
 * The calls of one sender, of which one runs at a time. This is the only place that chooses the class of a
 * call. Calls of other classes than the usual one are created when they are first needed.
 */
export class Calls {
  /** The call of the current request, or of the last one. */
  current: Call;
  readonly #sink: ResponseSink;
  readonly #http1: UpstreamCall;
  #pipelined: PipelinedCall | null = null;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#http1 = new UpstreamCall(sink);
    this.current = this.#http1;
  }

  /** `choose` returns the call for a request, which the sender starts next. */
  choose(): Call {
    this.current = this.#http1;
    return this.#http1;
  }

  /**
   * `choosePipelined` returns the call for a request with a safe method and no body that may follow others on
   * one connection, of which there are at most `depth`.
   */
  choosePipelined(depth: number): Call {
    this.#pipelined ??= new PipelinedCall(this.#sink);
    this.#pipelined.depth = depth;
    this.current = this.#pipelined;
    return this.#pipelined;
  }
}
