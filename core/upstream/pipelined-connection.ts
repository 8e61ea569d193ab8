import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Failure } from '../errors.js';
import type { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { Fed, type ReaderSink, ResponseReader } from '../http/response-reader.js';
import { openSocket } from './connection.js';
import { Deadline } from './deadlines.js';
import type { Endpoint } from './endpoint.js';
import type { PipelinedCall } from './pipelined-call.js';
import type { VersionPool } from './pool.js';

const State = { CONNECTING: 0, READY: 1, CLOSED: 2 } as const;
type State = (typeof State)[keyof typeof State];

/**
 * One socket to one endpoint that carries several bodyless requests at a time (RFC 9112, section 9.3.2): all that a turn
 * of the loop brings go out with one write, and the responses come in the order of the requests. What one response breaks,
 * all behind it lose: they are told, and may begin anew elsewhere.
 */
export class PipelinedConnection implements ReaderSink {
  readonly endpoint: Endpoint;
  /** Responses that came whole: above 0, the upstream has closed a connection that worked. */
  exchanges = 0;
  /** When the last of them was over: a shadow works on one request of a connection at a time. */
  lastEndUs = 0;
  #state: State = State.CONNECTING;
  /** In the order of their responses; null: the call is gone, and its response is thrown away. */
  #calls: (PipelinedCall | null)[] = [];
  /** For each of them: its request is HEAD. */
  #toHeads: boolean[] = [];
  /** Bytes of the first one's response have come. */
  #begun = false;
  /** A call was given up whose response has not come: nothing new is put behind it. */
  #stuck = false;
  #out = '';
  #readUs = 0;
  /** The TCP connection is there: what fails before READY is the handshake. */
  #shaking = false;
  readonly #pool: VersionPool;
  readonly #buffer: Buffer;
  readonly #reader: ResponseReader;
  readonly #socket: Socket;
  /** The connect timeout, then the idle expiry. */
  readonly #deadline: Deadline;
  readonly #flush = () => this.#write();

  constructor(pool: VersionPool, endpoint: Endpoint) {
    const { resources, plan } = pool;
    this.endpoint = endpoint;
    this.#pool = pool;
    this.#buffer = resources.readBuffer();
    this.#reader = new ResponseReader(this);
    this.#deadline = new Deadline(() =>
      this.#state === State.READY ? this.#close() : this.#lose(Failure.RESET),
    );
    endpoint.open++;
    resources.counters.connectionOpened(plan);
    this.#socket = openSocket(pool, endpoint, this.#buffer, (bytes) => this.#onRead(bytes));
    this.#socket.setNoDelay(true);
    if (endpoint.plan.secure) this.#listenToTls(this.#socket as TLSSocket);
    else this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('end', () => this.#onFin());
    this.#socket.on('error', () => this.#lose(Failure.RESET));
    this.#socket.on('close', () => this.#lose(Failure.RESET));
    resources.deadlines.set(this.#deadline, plan.connectTimeoutMs, resources.clock());
  }

  /** Requests whose response is not whole. */
  get length(): number {
    return this.#calls.length;
  }

  get usable(): boolean {
    return this.#state !== State.CLOSED && !this.#stuck && !this.endpoint.gone && this.endpoint.usable;
  }

  /** Why the last response was refused, if it was. */
  get fault(): ResponseFault {
    return this.#reader.fault;
  }

  /** Sends the call's request, now or when there is a connection. */
  take(call: PipelinedCall, toHead: boolean): void {
    if (this.#calls.length === 0 && this.#state === State.READY)
      this.#pool.resources.deadlines.clear(this.#deadline);
    this.#calls.push(call);
    this.#toHeads.push(toHead);
    this.endpoint.pending++;
    if (this.#state === State.READY) this.#send(call);
  }

  /** The call is given up. While its response is coming nothing else can come, so the connection closes then. */
  abandon(call: PipelinedCall): void {
    const at = this.#calls.indexOf(call);
    if (at < 0) return;
    this.#calls[at] = null;
    this.#stuck = true;
    if ((at === 0 && this.#begun) || this.#calls.every((other) => other === null)) this.#close();
  }

  /** The pool closes: what is under way is finished. */
  retire(): void {
    if (this.#calls.length === 0) this.#close();
  }

  // From the reader.

  onInterim(_head: ResponseHead): void {}

  onHead(head: ResponseHead): void {
    this.#pool.answered(this.endpoint);
    this.#calls[0]?.onHead(head, this.#readUs);
  }

  onBody(bytes: Uint8Array): void {
    this.#calls[0]?.onBody(bytes);
  }

  onTrailers(_lines: string): void {}

  onEnd(): void {
    const call = this.#calls.shift()!;
    this.#toHeads.shift();
    this.endpoint.pending--;
    this.#begun = false;
    this.exchanges++;
    this.lastEndUs = this.#readUs;
    call?.onEnd(this.#readUs);
  }

  #onConnect(): void {
    if (this.#state !== State.CONNECTING) return;
    this.#state = State.READY;
    this.#pool.resources.deadlines.clear(this.#deadline);
    for (const call of this.#calls) if (call !== null) this.#send(call);
    this.#rest();
  }

  #listenToTls(socket: TLSSocket): void {
    socket.on('connect', () => {
      this.#shaking = true;
    });
    socket.on('secureConnect', () => {
      this.#pool.resources.counters.handshakeDone(this.#pool.plan, socket.isSessionReused());
      this.#onConnect();
    });
    socket.on('session', (session: Buffer) => {
      this.endpoint.tlsSession = session;
    });
  }

  /** All requests of this turn go out together, when it is over. */
  #send(call: PipelinedCall): void {
    if (this.#out === '') process.nextTick(this.#flush);
    this.#out += call.wire;
    call.onSent();
  }

  #write(): void {
    const out = this.#out;
    this.#out = '';
    if (this.#state === State.READY) this.#socket.write(out, 'latin1');
  }

  #onRead(bytes: number): boolean {
    this.#readUs = this.#pool.resources.clock();
    let at = 0;
    while (at < bytes) {
      if (this.#calls.length === 0) {
        // Bytes without a request are not a response to anything (RFC 9112, section 9.2).
        this.#lose(Failure.PROTOCOL);
        return false;
      }
      if (!this.#begun) {
        this.#begun = true;
        this.#reader.reset(this, this.#toHeads[0]!);
      }
      const fed = this.#reader.feed(this.#buffer, at, bytes);
      if (fed === Fed.MORE) return true;
      if (fed === Fed.REFUSED) this.#lose(Failure.PROTOCOL);
      if (this.#isClosed()) return false;
      if (!this.#reader.head.keepAlive) {
        this.#close();
        return false;
      }
      at = fed === Fed.EXCESS ? this.#reader.restAt : bytes;
    }
    this.#rest();
    return true;
  }

  /** The sinks that the reader calls may have closed it. */
  #isClosed(): boolean {
    return this.#state === State.CLOSED;
  }

  #rest(): void {
    if (this.#calls.length > 0) return;
    const { resources, plan } = this.#pool;
    if (this.#pool.closed || this.#stuck || this.endpoint.gone) this.#close();
    else resources.deadlines.set(this.#deadline, plan.idleMs, resources.clock());
  }

  #onFin(): void {
    // The last response may be one that ends with the connection.
    if (this.#begun) this.#reader.finish();
    this.#lose(Failure.RESET);
  }

  /** The socket is done for, by the upstream's doing. */
  #lose(failure: Failure): void {
    if (this.#state === State.CLOSED) return;
    const connecting = this.#state === State.CONNECTING;
    if (connecting || (this.exchanges === 0 && !this.#begun && this.#calls.length > 0))
      this.#pool.refused(this.endpoint);
    else if (this.#begun) this.#pool.failed(this.endpoint);
    const reason = this.#shaking ? Failure.TLS : Failure.CONNECT;
    this.#close(connecting ? reason : failure);
  }

  /** Closes, and tells all calls: the first one failed if its response had begun, the others may begin anew where that is safe. */
  #close(failure: Failure = Failure.RESET): void {
    if (this.#state === State.CLOSED) return;
    const connecting = this.#state === State.CONNECTING;
    const calls = this.#calls;
    const begun = this.#begun;
    const worked = connecting ? this.#pool.endpoints.length > 1 : this.exchanges > 0 || begun;
    this.#state = State.CLOSED;
    this.#calls = [];
    this.#toHeads = [];
    this.#pool.resources.deadlines.clear(this.#deadline);
    this.#reader.stop();
    this.#socket.destroy();
    this.endpoint.pending -= calls.length;
    this.#pool.forgetPipelined(this);
    calls.forEach((call, index) => {
      const isBroken = index === 0 && begun;
      call?.onLost(isBroken || connecting ? failure : Failure.RESET, worked && !isBroken, this.fault);
    });
  }
}
