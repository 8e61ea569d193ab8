import { Failure } from '../../../core/errors.js';
import { Framing } from '../../../core/http/message.js';
import { type BodySink, RequestBodyReader } from '../../../core/http/request-body.js';
import { RequestFault, requestFaultAnswers } from '../../../core/http/request-fault.js';
import { Scan } from '../../../core/http/scan.js';
import { PREFACE } from '../../../core/http2/frame.js';
import { limits } from '../../../core/limits.js';
import { Deadline } from '../../../core/upstream/deadlines.js';
import type { UpstreamTunnel } from '../../../core/upstream/tunnel.js';
import { ClientTimeout, PLAIN_TEXT, type RequestSink } from '../downstream.js';
import {
  type AcceptedSocket,
  type ClientConnection,
  type ConnectionOwner,
  nextKey,
  type SocketReader,
} from './client-connection.js';
import { addressOf, type BacklogEvents, ClientSocket } from './client-socket.js';
import { HeldBytes } from './held-bytes.js';
import type { OutputOwner } from './output.js';
import type { NodeResources } from './resources.js';
import { NodeResponder, type ResponderConnection } from './responder.js';
import { Persistence, ResponseWriter } from './response-writer.js';
import { type TunnelClient, TunnelEnd } from './tunnel-end.js';

/**
 * Where the client's bytes go.
 *
 *   HEAD --head--> BODY --last piece--> ANSWERING --response over--> HEAD (the next request)
 *     \--no body--------------------------->/
 * An upgrade that the primary accepted goes from ANSWERING to TUNNEL, where nothing is HTTP any more. From
 * each, what ends the connection goes to LEAVING: our side is closed, and bytes that still come are thrown
 * away until the client closes its own, because a reset might destroy the response on its way. CLOSED: the
 * socket is gone.
 */
const Input = { HEAD: 0, BODY: 1, ANSWERING: 2, TUNNEL: 3, LEAVING: 4, CLOSED: 5 } as const;
type Input = (typeof Input)[keyof typeof Input];

const nothing = new Uint8Array(0);
/** `PRI * HTTP/2.0 CRLF`: where a scanner of HTTP/1 sees that it is none. */
const PREFACE_LINE_BYTES = 16;

/**
 * One client's connection: its requests in order, one at a time, and the way back for each. The file is long
 * because the socket, the responder, the tunnel and one deadline all change the same state.
 */
export class NodeConnection
  implements ClientConnection, BodySink, ResponderConnection, OutputOwner, TunnelClient, BacklogEvents
{
  readonly key = nextKey();
  readonly #owner: ConnectionOwner;
  readonly #resources: NodeResources;
  readonly #secure: boolean;
  readonly #responder: NodeResponder;
  readonly #body = new RequestBodyReader();
  readonly #held = new HeldBytes();
  readonly #deadline: Deadline;
  #accepted: AcceptedSocket | null = null;
  #client: ClientSocket | null = null;
  /** The client's address, once it was asked for. */
  #address: string | null = null;
  #input: Input = Input.HEAD;
  /** The TLS handshake is not done. */
  #handshaking: boolean;
  #corks = 0;
  /** The client lets the connection be used again, by its latest request. */
  #keepAlive = true;
  /** The latest request is whole, and the client has announced that it sends nothing after it. */
  #saidAll = false;
  /** A request was begun, and the engine has not yet heard that it ended. */
  #counted = false;
  /** The response to the latest request is over. */
  #answered = false;
  #persists = true;
  #paused = false;
  /** Takes what comes of a request whose response is over. */
  #rest: RequestSink | null = null;
  /** The client has sent its FIN: it may still read. */
  #halfClosed = false;
  /** Why the request under way ends, once the socket has closed. */
  #endsFor: Failure = Failure.ABORTED;
  /** How often the half-closed client was probed during the response under way. */
  #probes = 0;
  #tunnel: TunnelEnd | null = null;

  constructor(owner: ConnectionOwner, secure: boolean) {
    this.#owner = owner;
    this.#resources = owner.resources;
    this.#secure = secure;
    this.#handshaking = secure;
    this.#responder = new NodeResponder(this, owner.resources.output);
    this.#deadline = new Deadline(() => this.#onDue());
  }

  /** Takes the socket that reads for this connection; reads come through `receive`. */
  attach(accepted: AcceptedSocket): void {
    this.#accepted = accepted;
    this.#client = new ClientSocket(accepted.socket, this.#secure, accepted.canReset, this);
    if (!this.#secure && !this.#owner.protocols.includes('http1')) this.#giveWay();
    else this.#arm(this.#owner.limits.headMs);
  }

  /** The client has the head's time once more, for its head. `isHttp2`: as client and server have agreed. */
  onHandshakeDone(isHttp2: boolean): void {
    if (this.#input >= Input.LEAVING) return;
    this.#handshaking = false;
    this.#owner.onHandshakeEnded(true);
    if (isHttp2) this.#giveWay();
    else if (this.#owner.closesIdle) this.drain();
    else this.#arm(this.#owner.limits.headMs);
  }

  /** No request is open, and none has begun to arrive. */
  get isIdle(): boolean {
    return this.#input === Input.HEAD && this.#held.count === 0 && !this.#counted;
  }

  /** One read: `bytes[0, end)`, which dies with the call. Never while an earlier one is being read. */
  receive(bytes: Buffer, end: number): void {
    if (this.#rest !== null && this.#input === Input.LEAVING) this.#readRest(bytes, end);
    if (this.#input >= Input.LEAVING) return;
    if (this.#tunnel !== null) {
      this.#tunnel.fromClient(bytes.subarray(0, end));
      return;
    }
    const held = this.#held;
    if (held.count === 0) {
      this.#read(bytes, 0, end);
      return;
    }
    const lineEnds = this.#input === Input.HEAD && !held.needsLine(bytes, end);
    held.append(bytes, 0, end);
    if (this.#input === Input.HEAD) {
      // A long unfinished line is not scanned again for each byte of it.
      if (!lineEnds && held.count < this.#owner.limits.headBytesMax) return;
      this.#read(held.bytes, held.start, held.end);
    } else if (held.count > limits.pipelinedBytes) {
      this.pauseReading();
    }
  }

  /** Nothing is sent before a response: each that begins from now on has `Connection: close`. */
  handOver(): void {}

  /** Ends an idle connection in order; one that is not idle will say `Connection: close`. */
  drain(): void {
    if (this.#handshaking) this.destroy(false);
    else if (this.isIdle) this.#leave();
  }

  /** `reason`: of the request under way, if the proxy still has it. */
  destroy(reset: boolean, reason: Failure = Failure.ABORTED): void {
    if (this.#input === Input.CLOSED || this.#client === null) return;
    this.#endsFor = reason;
    this.#input = Input.LEAVING;
    this.#client.destroy(reset);
  }

  // --- for the responder

  mayPersist(): boolean {
    if (!this.#keepAlive || this.#input !== Input.ANSWERING || this.#owner.draining) return false;
    // A client that has closed its side sends nothing more, but what it has sent before is answered.
    return !this.#halfClosed || this.#held.count > 0;
  }

  isBlocked(): boolean {
    return this.#client!.blocked;
  }

  cork(): void {
    this.#corks++;
  }

  uncork(): void {
    if (--this.#corks > 0) return;
    this.#resources.output.release(this);
    this.#settle();
  }

  switchTo(tunnel: UpstreamTunnel): void {
    const held = this.#held;
    const end = new TunnelEnd(this, tunnel);
    this.#ended();
    this.#input = Input.TUNNEL;
    this.#tunnel = end;
    this.#owner.onTunnelOpened();
    this.resumeReading();
    // What the client has sent ahead is for the tunnel.
    if (held.count > 0) end.fromClient(held.bytes.subarray(held.start, held.end));
    held.clear();
    if (this.#halfClosed) end.onClientFin();
  }

  readRestFor(sink: RequestSink): void {
    this.#rest = sink;
  }

  onAnswered(persists: boolean): void {
    this.#answered = true;
    this.#persists = persists;
  }

  pauseReading(): void {
    if (this.#paused || this.#input >= Input.LEAVING) return;
    this.#paused = true;
    this.#client!.socket.pause();
    if (this.#input === Input.BODY) this.#resources.deadlines.clear(this.#deadline);
  }

  resumeReading(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#client!.socket.resume();
    if (this.#input === Input.BODY) this.#arm(this.#owner.limits.bodyMs);
  }

  clientAddress(): string {
    this.#address ??= addressOf(this.#client!.socket);
    return this.#address;
  }

  clientPort(): number {
    return this.#client!.socket.remotePort ?? 0;
  }

  transmit(bytes: Buffer, count: number): boolean {
    return this.#client!.transmit(bytes, count);
  }

  // --- for the tunnel

  sendTunnelled(bytes: Uint8Array): boolean {
    if (this.#input !== Input.TUNNEL) return true;
    this.cork();
    this.#resources.output.claim(this);
    this.#resources.output.bytes(bytes);
    this.uncork();
    return !this.#client!.blocked;
  }

  endTunnel(): void {
    if (this.#input === Input.TUNNEL) this.#client!.socket.end();
  }

  leaveTunnel(): void {
    this.#leave();
  }

  // --- from the client

  onPiece(piece: Uint8Array, last: boolean): void {
    const rest = this.#rest;
    if (rest !== null) {
      if (last) this.#rest = null;
      rest.onRequestBody(piece, last);
      return;
    }
    if (last) this.#input = Input.ANSWERING;
    this.#responder.sink?.onRequestBody(piece, last);
  }

  onTrailers(lines: string): void {
    if (this.#rest !== null) this.#rest.onRequestTrailers(lines);
    this.#responder.sink?.onRequestTrailers(lines);
  }

  /** Reads `bytes[start, end)` as far as it goes now, and keeps the rest. */
  #read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    this.cork();
    while (at < end) {
      if (this.#input === Input.HEAD) {
        const next = this.#readHead(bytes, at, end);
        if (next === at) break;
        at = next;
      } else if (this.#input === Input.BODY) {
        at = this.#readBody(bytes, at, end);
      } else if (this.#input === Input.ANSWERING) {
        if (!this.#mayGoOn()) break;
        this.#next();
      } else {
        at = end;
      }
    }
    if (at === end) this.#held.clear();
    else this.#held.keep(bytes, at, end);
    // The client closed its side before these bytes, which were held, had their turn.
    if (this.#halfClosed && this.#input === Input.BODY) this.#abort();
    else if (this.#halfClosed) this.#onHalfClosed();
    this.uncork();
  }

  /** The response is over and the connection is closing; the rest of the request is for its copies. */
  #readRest(bytes: Buffer, end: number): void {
    this.#body.feed(bytes, 0, end, this);
    if (this.#body.refused) this.#abortRest();
  }

  #abortRest(): void {
    const rest = this.#rest;
    this.#rest = null;
    rest?.onAborted(Failure.ABORTED);
  }

  /** Returns where the head ended, or `start` if it is not whole. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const { scanner } = this.#resources;
    const scan = scanner.scan(bytes, start, end, this.#owner.limits.headBytesMax);
    if (scan === Scan.PARTIAL) {
      if (this.#held.count === 0) this.#arm(this.#owner.limits.headMs);
      return start;
    }
    if (scan === Scan.REFUSED) {
      if (this.#isPreface(bytes, start, end))
        this.#giveWay().receive(bytes.subarray(start, end), end - start);
      else this.#refuse(scanner.fault);
      return end;
    }
    const at = start + scanner.length;
    this.#begin(at < end);
    return at;
  }

  /**
   * The head that was refused is the beginning of a connection of HTTP/2 (RFC 9113, section 3.3): its first
   * line has been read in the words of HTTP/1, and lacks nothing but the version. Only what a client sends
   * first can be one.
   */
  #isPreface(bytes: Buffer, start: number, end: number): boolean {
    const { socket } = this.#client!;
    if (this.#secure || !this.#owner.protocols.includes('h2') || socket.bytesRead !== end - start)
      return false;
    const first = bytes.subarray(start, Math.min(end, start + PREFACE.length));
    return first.length >= PREFACE_LINE_BYTES && PREFACE.subarray(0, first.length).equals(first);
  }

  /** The client speaks HTTP/2: another connection takes the socket. */
  #giveWay(): SocketReader {
    this.#input = Input.CLOSED;
    this.#resources.deadlines.clear(this.#deadline);
    const reader = this.#owner.onHttp2(this, this.#accepted!);
    if (this.#halfClosed) reader.onFin();
    return reader;
  }

  /** The scanner has a whole head. */
  #begin(bytesFollow: boolean): void {
    const { scanner, deadlines } = this.#resources;
    const { head } = scanner;
    const responder = this.#responder;
    this.#keepAlive = scanner.keepAlive;
    this.#answered = false;
    this.#probes = 0;
    this.#counted = true;
    this.#owner.onRequestBegan();
    head.secure = this.#secure;
    head.http10 = scanner.http10;
    this.#body.begin(head.framing, head.contentLength, scanner.named);
    const bodied = head.framing !== Framing.NONE;
    // Some old clients send an empty line behind a body.
    this.#saidAll = !bodied && !bytesFollow && !scanner.keepAlive;
    if (bodied) {
      this.#input = Input.BODY;
      this.#arm(this.#owner.limits.bodyMs);
    } else {
      this.#input = Input.ANSWERING;
      deadlines.clear(this.#deadline);
    }
    responder.begin(head.method, scanner.http10, head.upgrade);
    const sink = this.#owner.handler.onRequest(head, responder);
    if (!responder.isOpen) {
      // The handler has answered already, or the engine had to give the response up.
      if (responder.gaveUp) sink.onAborted(Failure.PROTOCOL);
      return;
    }
    responder.sink = sink;
    if (!bodied || bytesFollow) return;
    sink.onRequestBody(nothing, false);
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const body = this.#body;
    const at = body.feed(bytes, start, end, this);
    if (body.refused) {
      this.#refuse(RequestFault.CHUNKS);
      return end;
    }
    if (this.#input === Input.BODY && !this.#paused) this.#arm(this.#owner.limits.bodyMs);
    else if (this.#input === Input.ANSWERING) this.#bodyIsWhole();
    return at;
  }

  #bodyIsWhole(): void {
    this.#resources.deadlines.clear(this.#deadline);
    this.resumeReading();
  }

  /** Answers what can't be forwarded, and closes: nothing behind it has a certain beginning. */
  #refuse(fault: RequestFault): void {
    this.#owner.onRefused();
    const responder = this.#responder;
    const begun = responder.headSent;
    responder.abort(fault === RequestFault.TIMEOUT ? Failure.SLOW_CLIENT : Failure.MALFORMED_BODY);
    if (begun) {
      this.destroy(false);
      return;
    }
    // The response to a request whose body is refused may be on its way already; then there is nothing more
    // to say.
    if (this.#input === Input.BODY && this.#answered) {
      this.#leave();
      return;
    }
    const { status, text } = requestFaultAnswers[fault]!;
    const { output, scanner } = this.#resources;
    const toHead = this.#input === Input.HEAD && scanner.head.method === 'HEAD';
    this.cork();
    output.claim(this);
    new ResponseWriter(output).answer(status, text, PLAIN_TEXT, toHead, Persistence.CLOSE);
    this.#leave();
    this.uncork();
  }

  // --- between requests

  /** The response is over and its bytes are gone, so that the next request may begin. */
  #mayGoOn(): boolean {
    return this.#answered && this.#persists && !this.#client!.blocked;
  }

  /** The next request may begin. */
  #next(): void {
    this.#ended();
    this.#input = Input.HEAD;
    this.#answered = false;
    this.resumeReading();
  }

  /**
   * After each turn of writing: continues to the next request, or ends the connection, when the response is
   * over.
   */
  #settle(): void {
    if (!this.#answered || this.#input >= Input.LEAVING) return;
    if (!this.#persists || this.#input === Input.BODY) {
      this.#leave();
      return;
    }
    if (this.#client!.blocked) return;
    this.#next();
    const held = this.#held;
    if (held.count > 0) this.#read(held.bytes, held.start, held.end);
    if (this.#input !== Input.HEAD) return;
    if (this.#halfClosed || (this.#owner.closesIdle && this.isIdle)) this.#leave();
    else if (held.count === 0) this.#arm(this.#owner.limits.idleMs);
  }

  #ended(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.#owner.onRequestEnded();
  }

  // --- the end

  /**
   * Closes our side once everything is written, and waits a little for the client to close its own. Where the
   * client sends nothing more, the socket is closed at once: no byte can come that the kernel would answer
   * with a reset. TLS has its own goodbye to write.
   */
  #leave(): void {
    if (this.#input >= Input.LEAVING) return;
    this.#resources.output.release(this);
    const saysNoMore = this.#halfClosed || (this.#saidAll && this.#input === Input.ANSWERING);
    if (saysNoMore && !this.#secure && this.#client!.socket.writableLength === 0) {
      this.destroy(false);
      return;
    }
    this.#input = Input.LEAVING;
    this.#held.clear();
    const { socket, blocked } = this.#client!;
    this.#paused = false;
    socket.resume();
    socket.end();
    if (!blocked) this.#ended();
    if (this.#halfClosed && !blocked) socket.destroySoon();
    else this.#arm(blocked ? this.#owner.limits.responseMs : limits.lingerMs);
  }

  onFin(): void {
    this.#halfClosed = true;
    if (this.#handshaking) {
      this.destroy(false);
    } else if (this.#input === Input.LEAVING) {
      if (!this.#client!.blocked) this.#client!.socket.destroySoon();
    } else if (this.#tunnel !== null) {
      this.#tunnel.onClientFin();
    } else if (this.#input === Input.BODY) {
      this.#abort();
    } else if (this.#input === Input.HEAD) {
      this.#leave();
    } else {
      this.#onHalfClosed();
    }
  }

  /**
   * The client sends no more while a response is under way: it may still read, or be gone. Only something
   * that is sent finds out, because the kernel of a client that is gone answers it with a reset. So what the
   * response begins with anyway is sent ahead, byte by byte.
   */
  #onHalfClosed(): void {
    if (this.#input !== Input.ANSWERING || !this.#responder.isOpen) return;
    if (this.#owner.limits.abortsHalfClosed) this.#abort();
    else if (!this.#client!.blocked) this.#arm(limits.halfCloseProbeMs * 2 ** this.#probes);
  }

  #probe(): void {
    this.#probes++;
    if (this.#responder.probe()) this.#onHalfClosed();
  }

  /** The rest of the request's body will never come, or nobody waits for the response. */
  #abort(): void {
    // Answers to earlier requests of the same read go out first.
    this.#resources.output.release(this);
    this.#responder.abort(Failure.ABORTED);
    this.destroy(false);
  }

  onClose(): void {
    if (this.#input === Input.CLOSED) return;
    this.#input = Input.CLOSED;
    this.#resources.deadlines.clear(this.#deadline);
    this.#held.clear();
    this.#responder.abort(this.#endsFor);
    this.#abortRest();
    this.#responder.tie.end();
    if (this.#handshaking) this.#owner.onHandshakeEnded(false);
    if (this.#tunnel !== null) {
      this.#tunnel.onClientGone();
      this.#owner.onTunnelClosed();
    }
    this.#ended();
    this.#owner.onClosed(this);
  }

  #arm(ms: number): void {
    this.#resources.deadlines.set(this.#deadline, ms, this.#resources.clock());
  }

  #onDue(): void {
    const owner = this.#owner;
    if (this.#handshaking) {
      owner.onTimedOut(ClientTimeout.HANDSHAKE);
      this.destroy(false);
    } else if (this.#client!.blocked) {
      owner.onTimedOut(ClientTimeout.RESPONSE);
      this.destroy(false, Failure.SLOW_READER);
    } else if (this.#input === Input.LEAVING) {
      this.destroy(false);
    } else if (this.#input === Input.BODY) {
      owner.onTimedOut(ClientTimeout.BODY);
      this.#refuse(RequestFault.TIMEOUT);
    } else if (this.#input === Input.ANSWERING) {
      this.#probe();
    } else if (this.#held.count > 0) {
      owner.onTimedOut(ClientTimeout.HEAD);
      this.#refuse(RequestFault.TIMEOUT);
    } else {
      owner.onTimedOut(ClientTimeout.IDLE);
      this.#leave();
    }
  }

  // --- from the socket, about bytes that the client does not take

  onBacklog(): void {
    this.#arm(this.#owner.limits.responseMs);
  }

  onProgress(): void {
    if (this.#input !== Input.CLOSED) this.#arm(this.#owner.limits.responseMs);
  }

  onTaken(): void {
    if (this.#input === Input.CLOSED) return;
    if (this.#input === Input.LEAVING) {
      this.#ended();
      if (this.#halfClosed) this.#client!.socket.destroySoon();
      else this.#arm(limits.lingerMs);
      return;
    }
    this.#resources.deadlines.clear(this.#deadline);
    if (this.#input === Input.BODY && !this.#paused) this.#arm(this.#owner.limits.bodyMs);
    this.#responder.onRoom();
    this.#tunnel?.onRoom();
    this.#settle();
    if (this.#halfClosed) this.#onHalfClosed();
  }
}
