import { Failure } from '../../../core/errors.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { Tie } from '../../../core/upstream/tie.js';
import type { UpstreamTunnel } from '../../../core/upstream/tunnel.js';
import { PLAIN_TEXT, type RequestSink, type Responder } from '../downstream.js';
import type { Output, OutputOwner } from './output.js';
import { Persistence, ResponseWriter } from './response-writer.js';

/** The connection that a responder writes to. */
export interface ResponderConnection {
  /** The request is whole, and client, drain and half-close let another one follow it. */
  mayPersist(): boolean;
  /** The socket holds more than it should: the proxy is to wait. */
  isBlocked(): boolean;
  /** Gathers what is written until `uncork`; they nest. */
  cork(): void;
  uncork(): void;
  /** The connection leaves HTTP: its bytes are the tunnel's from now on. */
  switchTo(tunnel: UpstreamTunnel): void;
  /** The response is about to be over: what the client still sends of its request goes to `sink`. */
  readRestFor(sink: RequestSink): void;
  /** The response is over. */
  onAnswered(persists: boolean): void;
  /** Closes at once, with a reset where the end of the connection would pass for the end of the body. */
  destroy(reset: boolean): void;
  pauseReading(): void;
  resumeReading(): void;
  clientAddress(): string;
  clientPort(): number;
  /** Not 0, and the connection's own on its thread. */
  readonly key: number;
}

const Phase = {
  /** No request is open. */
  IDLE: 0,
  /** The proxy has the request and has sent nothing final. */
  OPEN: 1,
  /** The final head was sent. */
  STREAMING: 2,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** The way back to the client of the request that its connection has open. One per connection, used again. */
export class NodeResponder implements Responder {
  readonly tie = new Tie();
  sink: RequestSink | null = null;
  /** The engine ended the response, not the proxy and not the client. */
  gaveUp = false;
  readonly #connection: ResponderConnection;
  readonly #output: Output;
  readonly #writer: ResponseWriter;
  readonly #owner: OutputOwner;
  #phase: Phase = Phase.IDLE;
  #toHead = false;
  #http10 = false;
  #upgrade = '';
  #persists = false;
  /** `sendBody` answered false. */
  #roomOwed = false;
  /** Where the final head lies in the output, or lay. */
  #headAt = 0;

  constructor(connection: ResponderConnection & OutputOwner, output: Output) {
    this.#connection = connection;
    this.#owner = connection;
    this.#output = output;
    this.#writer = new ResponseWriter(output);
  }

  get isOpen(): boolean {
    return this.#phase !== Phase.IDLE;
  }

  get headSent(): boolean {
    return this.#phase === Phase.STREAMING;
  }

  /** `upgrade` is what the request asks to switch to, or empty. */
  begin(method: string, http10: boolean, upgrade: string): void {
    this.#upgrade = upgrade;
    this.#phase = Phase.OPEN;
    this.sink = null;
    this.gaveUp = false;
    this.#toHead = method === 'HEAD';
    this.#http10 = http10;
    this.#roomOwed = false;
    this.#writer.begin();
  }

  batch(run: () => void): void {
    this.#mustBeOpen();
    this.#connection.cork();
    try {
      run();
    } finally {
      this.#connection.uncork();
    }
  }

  sendInterim(head: ResponseHead): void {
    this.#mustBeOpen();
    // HTTP/1.0 knows no interim responses (RFC 9110, section 15.2).
    if (this.#http10) return;
    this.#open();
    this.#writer.interim(head);
    this.#connection.uncork();
  }

  sendHead(head: ResponseHead): void {
    this.#mustBeOpen();
    this.#open();
    this.#phase = Phase.STREAMING;
    this.#headAt = this.#output.position;
    const persistence = this.#persistence();
    this.#persists = this.#writer.head(head, this.#http10, persistence) && persistence !== Persistence.CLOSE;
    this.#connection.uncork();
  }

  recallHead(): boolean {
    if (this.#phase !== Phase.STREAMING || !this.#output.rewind(this.#owner, this.#headAt)) return false;
    this.#writer.recalled();
    this.#phase = Phase.OPEN;
    return true;
  }

  sendBody(bytes: Uint8Array): boolean {
    if (this.#phase === Phase.IDLE) return false;
    if (bytes.length > 0) {
      this.#open();
      const written = this.#writer.body(bytes);
      if (!written) this.giveUp();
      this.#connection.uncork();
      if (!written) return false;
    }
    this.#roomOwed = this.#connection.isBlocked();
    return !this.#roomOwed;
  }

  sendTrailers(lines: string): void {
    this.#writer.trailers = lines;
  }

  switchProtocols(head: ResponseHead, tunnel: UpstreamTunnel): void {
    this.#mustBeOpen();
    this.#open();
    this.#writer.switching(head, this.#upgrade);
    this.#drop();
    this.#connection.switchTo(tunnel);
    this.#connection.uncork();
  }

  finish(): void {
    this.#mustBeOpen();
    // Short of what was announced: passing it on as complete would be a lie.
    if (this.#writer.isShort) {
      this.cut();
      return;
    }
    this.#open();
    this.#writer.end();
    this.#over(this.#persists);
    this.#connection.uncork();
  }

  finishEarly(): boolean {
    const { sink } = this;
    if (sink !== null) this.#connection.readRestFor(sink);
    this.finish();
    return sink !== null;
  }

  answer(status: number, body: string, lines: string = PLAIN_TEXT): void {
    this.#mustBeOpen();
    this.#open();
    const persistence = this.#persistence();
    this.#writer.answer(status, body, lines, this.#toHead, persistence);
    this.#over(persistence !== Persistence.CLOSE);
    this.#connection.uncork();
  }

  /** Harmless on a responder that is over, as every timer may find it. */
  cut(): void {
    if (this.#phase === Phase.IDLE) return;
    const reset = this.#writer.endsWithConnection && this.#phase === Phase.STREAMING;
    this.#drop();
    this.#connection.destroy(reset);
  }

  pauseBody(): void {
    if (this.#phase !== Phase.IDLE) this.#connection.pauseReading();
  }

  resumeBody(): void {
    if (this.#phase !== Phase.IDLE) this.#connection.resumeReading();
  }

  connectionKey(): number {
    return this.#connection.key;
  }

  clientAddress(): string {
    return this.#connection.clientAddress();
  }

  clientPort(): number {
    return this.#connection.clientPort();
  }

  // From the connection.

  /**
   * Notifies the proxy, if it still has the request.
   */
  abort(reason: Failure): void {
    const { sink } = this;
    if (this.#phase === Phase.IDLE) return;
    this.#drop();
    sink?.onAborted(reason);
  }

  /** Sends the byte that the response continues with whatever comes. False: nothing is certain. */
  probe(): boolean {
    if (this.#phase === Phase.IDLE) return false;
    this.#open();
    const sent = this.#writer.probe(this.headSent);
    this.#connection.uncork();
    return sent;
  }

  /** There is room again. */
  onRoom(): void {
    if (!this.#roomOwed || this.#phase === Phase.IDLE) return;
    this.#roomOwed = false;
    this.sink?.onWritable();
  }

  /** The proxy broke the border's rules, or its upstream ours: the response can't be completed rightly. */
  giveUp(): void {
    this.gaveUp = true;
    const { sink } = this;
    this.cut();
    sink?.onAborted(Failure.PROTOCOL);
  }

  #open(): void {
    this.#connection.cork();
    this.#output.claim(this.#owner);
  }

  #persistence(): Persistence {
    if (!this.#connection.mayPersist()) return Persistence.CLOSE;
    return this.#http10 ? Persistence.KEEP_SAID : Persistence.KEEP;
  }

  #over(persists: boolean): void {
    this.#drop();
    this.#connection.onAnswered(persists);
  }

  #drop(): void {
    this.#phase = Phase.IDLE;
    this.sink = null;
  }

  #mustBeOpen(): void {
    if (this.#phase === Phase.IDLE) throw new Error('the response is over');
  }
}
