import { Failure } from '../errors.js';
import { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import type { ResponseSink } from './call.js';
import { Deadline } from './deadlines.js';
import type { Endpoint } from './endpoint.js';
import type { PipelinedConnection } from './pipelined-connection.js';
import type { VersionPool } from './pool.js';
import { saysUnable } from './verdict.js';

const Phase = { NONE: 0, WAITING: 1, SENT: 2, FAILING: 3 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * One bodyless request with a safe method, sent behind others on one connection, and its response. The same figures and
 * events as `UpstreamCall`; the object is reused in the same way, and the sink is never called from within `start` but for `onSent`.
 *
 * A request goes out a second time where a connection that had worked was lost before a byte of its response came. Safe
 * methods may be sent again (RFC 9110, section 9.2.2), and an upstream that closes after so many requests would cost
 * all behind them otherwise.
 */
export class PipelinedCall {
  /** The request, from its first byte to its last. */
  wire = '';
  /** When its first byte was about to go out, or the response before it on its connection was over, whichever is later. */
  sentUs = 0;
  firstByteUs = 0;
  endUs = 0;
  status = 0;
  responseBytes = 0;
  readonly requestBytes = 0;
  endpoint: Endpoint | null = null;
  headSeen = false;
  fault: ResponseFault = ResponseFault.NONE;
  readonly #sink: ResponseSink;
  readonly #deadline: Deadline;
  readonly #deliverFailure: () => void;
  #phase: Phase = Phase.NONE;
  #pool: VersionPool | null = null;
  #connection: PipelinedConnection | null = null;
  #depth = 1;
  #toHead = false;
  #retried = false;
  #failure: Failure = Failure.ABORTED;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#deadline = new Deadline(() => this.#timeOut());
    this.#deliverFailure = () => {
      if (this.#phase === Phase.FAILING) this.#fail(this.#failure);
    };
  }

  /** Sends `head`, at most `depth` requests on one connection. `timeoutMs` bounds the whole exchange. */
  start(pool: VersionPool, head: string, method: string, depth: number, timeoutMs: number): void {
    this.wire = head;
    this.sentUs = 0;
    this.firstByteUs = 0;
    this.endUs = 0;
    this.status = 0;
    this.responseBytes = 0;
    this.endpoint = null;
    this.headSeen = false;
    this.fault = ResponseFault.NONE;
    this.#pool = pool;
    this.#depth = depth;
    this.#toHead = method === 'HEAD';
    this.#retried = false;
    this.#phase = Phase.WAITING;
    pool.resources.deadlines.set(this.#deadline, timeoutMs, pool.resources.clock());
    this.#begin();
  }

  /** Bytes of the request that are kept. */
  get heldBytes(): number {
    return this.#phase === Phase.NONE ? 0 : this.wire.length;
  }

  /** No more events. */
  cancel(): void {
    if (this.#phase !== Phase.NONE) this.#leave();
  }

  // From the connection.

  onSent(): void {
    this.#phase = Phase.SENT;
    if (this.sentUs !== 0) return;
    this.#sink.onSent();
    this.sentUs = this.#pool!.resources.clock();
  }

  onHead(head: ResponseHead, readUs: number): void {
    this.sentUs = Math.max(this.sentUs, this.#connection!.lastEndUs);
    this.firstByteUs = readUs;
    this.status = head.status;
    this.headSeen = true;
    this.#sink.onHead(head);
  }

  onBody(bytes: Uint8Array): void {
    this.responseBytes += bytes.length;
    this.#sink.onResponseBody(bytes);
  }

  onEnd(readUs: number): void {
    const { endpoint } = this.#connection!;
    this.endUs = readUs;
    if (saysUnable(this.status)) this.#pool!.failed(endpoint);
    else this.#pool!.succeeded(endpoint);
    this.#finish();
    this.#sink.onEnd();
  }

  /** `mayGoOn`: nothing of its response had come, and the connection had worked. */
  onLost(failure: Failure, mayGoOn: boolean, fault: ResponseFault): void {
    this.#connection = null;
    if (mayGoOn && !this.#retried) {
      this.#retried = true;
      if (this.sentUs !== 0) this.#pool!.resources.counters.requestRetried(this.#pool!.plan);
      this.#begin();
      return;
    }
    if (failure === Failure.PROTOCOL) this.fault = fault;
    this.#fail(failure);
  }

  #timeOut(): void {
    if (this.#phase === Phase.SENT) this.#pool!.failed(this.#connection!.endpoint);
    this.#fail(Failure.TIMEOUT);
  }

  #begin(): void {
    const connection = this.#pool!.pipelinedConnection(this.#depth);
    if (connection === null) {
      this.#phase = Phase.FAILING;
      this.#failure = this.#pool!.endpoints.length === 0 ? Failure.NO_ENDPOINT : Failure.OVERLOADED;
      process.nextTick(this.#deliverFailure);
      return;
    }
    this.#connection = connection;
    this.endpoint = connection.endpoint;
    connection.take(this, this.#toHead);
  }

  #fail(failure: Failure): void {
    this.#leave();
    this.#sink.onFailure(failure);
  }

  #leave(): void {
    const connection = this.#connection;
    this.endUs = this.#pool!.resources.clock();
    this.#finish();
    connection?.abandon(this);
  }

  #finish(): void {
    this.#phase = Phase.NONE;
    this.#connection = null;
    this.wire = '';
    this.#pool!.resources.deadlines.clear(this.#deadline);
  }
}
