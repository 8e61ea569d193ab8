/** One request to one server, and its result. Reused. */
import { digestBody } from '../compare/digest.js';
import { type Failure, none } from '../errors.js';
import { GrpcCall } from '../grpc/grpc-call.js';
import { GrpcStatus } from '../grpc/grpc-status.js';
import { grpcTimeoutOf } from '../grpc/grpc-timeout.js';
import { type TimedPiece, timedPieces } from '../grpc/message-times.js';
import { keepPiece } from '../http/kept-pieces.js';
import { Framing, TAKES_TRAILERS } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import { headText } from '../http/response-text.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import { type VersionCounters, VersionField } from '../record/version-counters.js';
import type { RecordedRequest, RecordedResponse } from '../recording/recorded.js';
import { Calls } from '../upstream/calls.js';
import type { VersionPool } from '../upstream/pool.js';
import type { ResponseSink } from '../upstream/response-sink.js';
import { UpstreamRequest } from '../upstream/upstream-request.js';
import type { SessionTokens } from './session-tokens.js';

const US_PER_MS = 1000;
const noBytes = Buffer.alloc(0);
const noPieces: readonly TimedPiece[] = [];

/** A server that requests are sent to, and the counters of its results. */
export interface ReplayServer {
  readonly pool: VersionPool;
  /** The pool for gRPC calls, which speaks HTTP/2 unless a configuration says otherwise. */
  readonly grpcPool: VersionPool;
  readonly counters: VersionCounters;
  /** The host that is sent; null keeps the host of the request. */
  readonly host: string | null;
  /** The sessions of this server; null sends tokens as they were recorded. */
  readonly tokens: SessionTokens | null;
}

/** How the messages of a recorded stream of gRPC are sent. */
export interface MessagePace {
  /** The recorded times are divided by it; `Infinity` sends them at once. */
  readonly speed: number;
  /**
   * What becomes of a stream that would send for longer than half of its timeout: its timeout is extended by
   * the time for which it sends (`extend`), or it sends faster (`hurry`).
   */
  readonly longStreams: 'extend' | 'hurry';
}

export interface ReplayCallOwner {
  /** The first byte is about to be sent. */
  onSent(call: ReplayCall): void;
  /** The response is complete (`none`), or the reason why there is none. */
  onOver(call: ReplayCall, failure: Failure | typeof none): void;
}

export class ReplayCall implements ResponseSink {
  readonly #owner: ReplayCallOwner;
  readonly #calls = new Calls(this);
  readonly #request = new UpstreamRequest();
  #server: ReplayServer | null = null;
  readonly #grpc = new GrpcCall();
  /** The status that the response is judged by. */
  #judged = 0;
  #fromUs = 0;
  /** Counts starts and ends, so that `start` can detect that the call was started again within it. */
  #serial = 0;
  #digest = 0;
  #captures = false;
  #head = '';
  #pieces: Buffer[] = [];
  #capturedBytes = 0;
  /** The messages that are still to be sent at their times, and the first of them. */
  #paced: readonly TimedPiece[] = noPieces;
  #nextPiece = 0;
  /** When the call began, on the clock of its pool. */
  #startUs = 0;
  #trailers = '';
  #timer: NodeJS.Timeout | null = null;
  readonly #sendDue = (): void => this.#sendPaced();

  constructor(owner: ReplayCallOwner) {
    this.#owner = owner;
  }

  /**
   * `fromUs` is when the latency begins to count, or -1 for the first byte. With `captures`, `answer`
   * includes the content.
   */
  start(
    server: ReplayServer,
    request: RecordedRequest,
    fromUs: number,
    timeoutMs: number,
    captures: boolean,
    pace: MessagePace,
  ): void {
    this.#server = server;
    this.#fromUs = fromUs;
    const { pool, grpcPool, host, counters, tokens } = server;
    counters.requestStarted();
    const { method, target, fields, body, trailers, lengthZero, framing, grpc } =
      tokens?.apply(request) ?? request;
    this.#digest = 0;
    this.#captures = captures || tokens !== null;
    this.#head = '';
    this.#pieces = [];
    this.#capturedBytes = 0;
    const outgoing = this.#request;
    outgoing.method = method;
    outgoing.target = target;
    outgoing.host = host ?? request.host;
    outgoing.fields = grpc && !fields.includes(TAKES_TRAILERS) ? fields + TAKES_TRAILERS : fields;
    outgoing.framing = framing;
    outgoing.contentLength = framing === Framing.LENGTH ? body.byteLength : 0;
    outgoing.lengthZero = lengthZero;
    outgoing.totalMs = timeoutMs;
    outgoing.grpc = grpc ? this.#grpc : null;
    if (grpc) {
      this.#grpc.begin();
      this.#grpc.sent.take(body);
      outgoing.limitTotal(grpcTimeoutOf(fields));
    }
    outgoing.resends.begin(method, null);
    const paced = grpc ? this.#pacedPieces(request.messageTimes, body, pace) : null;
    const serial = ++this.#serial;
    this.#calls.start(grpc ? grpcPool : pool, outgoing);
    // The call may have failed at once and already carry the next request.
    if (serial !== this.#serial) return;
    if (framing === Framing.NONE) return;
    if (paced !== null) {
      this.#paced = paced;
      this.#nextPiece = 0;
      this.#trailers = trailers;
      this.#startUs = pool.resources.clock();
      this.#sendPaced();
      return;
    }
    const call = this.#calls.current;
    if (trailers !== '') {
      call.write(body, false);
      call.trailers(trailers);
      call.write(body.subarray(0, 0), true);
    } else call.write(body, true);
  }

  /** Null: all messages are sent at once. */
  #pacedPieces(times: string, body: Buffer, { speed, longStreams }: MessagePace): TimedPiece[] | null {
    if (!Number.isFinite(speed)) return null;
    const pieces = timedPieces(body, times, speed);
    if (pieces === null) return null;
    const spanMs = pieces[pieces.length - 1].afterUs / US_PER_MS;
    const halfMs = this.#request.totalMs / 2;
    if (halfMs === 0 || spanMs <= halfMs) return pieces;
    if (longStreams === 'hurry') return timedPieces(body, times, (speed * spanMs) / halfMs);
    this.#request.totalMs += spanMs;
    return pieces;
  }

  /** Sends what is due. Messages are sent by time, whatever the server has sent until then. */
  #sendPaced(): void {
    this.#timer = null;
    const serial = this.#serial;
    const call = this.#calls.current;
    const { clock } = this.#server!.pool.resources;
    while (this.#nextPiece < this.#paced.length) {
      const { afterUs, message } = this.#paced[this.#nextPiece];
      const waitMs = (this.#startUs + afterUs - clock()) / US_PER_MS;
      if (waitMs > 0) {
        this.#timer = setTimeout(this.#sendDue, Math.ceil(waitMs));
        return;
      }
      this.#nextPiece++;
      if (message !== null) call.write(message, false);
      else {
        if (this.#trailers !== '') call.trailers(this.#trailers);
        call.write(noBytes, true);
      }
      // The call may have ended meanwhile, and carry the next request.
      if (serial !== this.#serial) return;
    }
    this.#paced = noPieces;
  }

  /** `learn` maps the tokens of the recorded response to those of the complete response. */
  learn(recorded: RecordedResponse | null, answer: RecordedResponse): void {
    if (recorded?.content != null && answer.content !== null)
      this.#server!.tokens?.learn(recorded.content, answer.content);
  }

  /** `answer` returns the complete response as a recording would store it. */
  answer(): RecordedResponse {
    const { responseBytes, endUs, sentUs } = this.#calls.current.figures;
    return {
      status: this.#judged,
      grpcStatus: this.#request.grpc?.status ?? GrpcStatus.NONE,
      bytes: responseBytes,
      digest: this.#digest,
      truncated: false,
      latencyUs: endUs - sentUs,
      content: this.#captures
        ? {
            head: this.#head,
            body: Buffer.concat(this.#pieces),
            truncated: this.#capturedBytes < responseBytes,
          }
        : null,
    };
  }

  batch(run: () => void): void {
    run();
  }

  onSent(): void {
    this.#owner.onSent(this);
  }

  onDrain(): void {}
  onInterim(): void {}
  onSwitch(): void {}

  onHead(head: ResponseHead): void {
    this.#request.grpc?.onHead(head);
    if (!this.#captures) return;
    const text = headText(head);
    this.#head = latin1Slice(text, 0, text.byteLength);
  }

  onResponseBody(bytes: Uint8Array): void {
    this.#digest = digestBody(bytes, this.#digest);
    this.#request.grpc?.received.take(bytes);
    const room = limits.replayResponseBytes - this.#capturedBytes;
    if (!this.#captures || room <= 0) return;
    const piece = bytes.byteLength <= room ? bytes : bytes.subarray(0, room);
    keepPiece(this.#pieces, piece);
    this.#capturedBytes += piece.byteLength;
  }

  /** Trailers are compared as fields, as those of a live mirror are. */
  onResponseTrailers(lines: string): void {
    this.#request.grpc?.onTrailers(lines);
    if (this.#captures)
      this.#head = `${this.#head.endsWith('\r\n') ? this.#head : `${this.#head}\r\n`}${lines}`;
  }

  onEnd(): void {
    const { counters } = this.#server!;
    const { status, endUs, sentUs, firstByteUs } = this.#calls.current.figures;
    const fromUs = this.#fromUs >= 0 ? this.#fromUs : sentUs;
    this.#judged = this.#request.judged(status);
    counters.response(this.#judged);
    const { grpc, target } = this.#request;
    if (grpc !== null) {
      counters.grpcResponse(grpc);
      counters.grpcMethods.answered(target, grpc, grpc.hasMethod, endUs - fromUs);
    }
    counters.latency.record(endUs - fromUs);
    counters.firstByte.record(firstByteUs - fromUs);
    this.#over(none);
  }

  onFailure(failure: Failure): void {
    const { counters } = this.#server!;
    counters.failure(failure);
    if (this.#request.grpc !== null) counters.grpcMethods.failed(this.#request.target);
    this.#over(failure);
  }

  #over(failure: Failure | typeof none): void {
    this.#serial++;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#paced = noPieces;
    const { counters } = this.#server!;
    counters.add(VersionField.bytesSent, this.#calls.current.figures.requestBytes);
    counters.add(VersionField.bytesReceived, this.#calls.current.figures.responseBytes);
    this.#owner.onOver(this, failure);
  }
}
