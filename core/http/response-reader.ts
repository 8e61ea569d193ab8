import { limits } from '../limits.js';
import { Char } from './chars.js';
import { ChunkedDecoder, type ChunkSink } from './chunked.js';
import { decideFraming } from './framing.js';
import { Framing } from './message.js';
import { ResponseFault } from './response-fault.js';
import { ResponseHead } from './response-head.js';
import { scanHead } from './response-head-scanner.js';
import { Scan } from './scan.js';
import { forwardableTrailers } from './trailers.js';

/**
 * Receives one response: onInterim* onHead onBody* onTrailers? onEnd. Heads and bytes are valid during the
 * call only.
 */
export interface ReaderSink extends ChunkSink {
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** The forwarded trailers, if any: whole field lines, a wire string. */
  onTrailers(lines: string): void;
  onEnd(): void;
}

/** The state of a reader after some bytes. */
export const Fed = {
  /** Valid so far; the response is not complete. */
  MORE: 0,
  /** The response is complete, and nothing follows it. */
  WHOLE: 1,
  /**
   * The response is complete, and bytes follow that belong to no request. They are ignored, and the
   * connection must be closed.
   */
  EXCESS: 2,
  /** Rejected, for the reason in `fault`. */
  REFUSED: 3,
  /** The sink called `stop`. */
  STOPPED: 4,
  /**
   * The requested upgrade was accepted: `head` is the 101, and the bytes from `switchedAt` on are not HTTP.
   */
  SWITCHED: 5,
} as const;
export type Fed = (typeof Fed)[keyof typeof Fed];

const State = {
  /** Within an interim or final head. */
  HEAD: 0,
  BODY_LENGTH: 1,
  BODY_CHUNKED: 2,
  /** The body ends when the connection closes. */
  BODY_CLOSE: 3,
  WHOLE: 4,
  REFUSED: 5,
  STOPPED: 6,
  SWITCHED: 7,
} as const;
type State = (typeof State)[keyof typeof State];

const CONTINUE = 100;
const SWITCHING_PROTOCOLS = 101;
const FINAL_STATUS_MIN = 200;

/**
 * A buffer for heads in pieces begins at this size and doubles as needed. A buffer that stayed small is kept
 * between responses.
 */
const FIRST_GATHER_BYTES = 4 * 1024;

/**
 * Reads one response at a time from the bytes of one connection, which may arrive in any pieces. A head that
 * arrives in one read is scanned in place; a head in pieces is gathered in a bounded buffer. Body bytes are
 * always views of the input. A response that two parsers could read in two ways is rejected.
 */
export class ResponseReader {
  readonly head = new ResponseHead();
  /** After SWITCHED: the position in the input where the other protocol begins. */
  switchedAt = 0;
  /** After EXCESS: the position in the input where the response ended. */
  restAt = 0;
  fault: ResponseFault = ResponseFault.NONE;
  #state: State = State.STOPPED;
  #sink: ReaderSink;
  #toHead = false;
  #wantsContinue = false;
  #upgrades = false;
  #interims = 0;
  /** Missing bytes of a LENGTH body. */
  #left = 0;
  /** The bytes of a head that arrived in pieces; null until there is one. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  readonly #chunked = new ChunkedDecoder();

  constructor(sink: ReaderSink) {
    this.#sink = sink;
  }

  /**
   * `reset` prepares for the response to the next request. `toHead`: the request's method is HEAD.
   * `wantsContinue`: the client asked for a 100, so it is delivered as an interim response; otherwise it is
   * discarded. `upgrades`: the request asked for another protocol, so a 101 ends the reader's work; otherwise
   * it is rejected.
   */
  reset(sink: ReaderSink, toHead: boolean, wantsContinue = false, upgrades = false): void {
    this.fault = ResponseFault.NONE;
    this.#state = State.HEAD;
    this.#sink = sink;
    this.#toHead = toHead;
    this.#wantsContinue = wantsContinue;
    this.#upgrades = upgrades;
    this.#interims = 0;
    this.#left = 0;
    this.#gatheredBytes = 0;
    this.head.begin(noBytes, 0);
  }

  /**
   * `stop` prevents further deliveries. The sink may call it, which ends the current `feed`. A complete
   * response stays complete.
   */
  stop(): void {
    if (this.#state === State.WHOLE || this.#state === State.REFUSED) return;
    this.#state = State.STOPPED;
    this.#chunked.stop();
  }

  /** `feed` reads `bytes[start, end)` and delivers its content. */
  feed(bytes: Buffer, start: number, end: number): Fed {
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case State.HEAD:
          at = this.#feedHead(bytes, at, end);
          break;
        case State.BODY_LENGTH:
          at = this.#feedLength(bytes, at, end);
          break;
        case State.BODY_CHUNKED:
          at = this.#feedChunked(bytes, at, end);
          break;
        case State.BODY_CLOSE:
          this.#sink.onBody(bytes.subarray(at, end));
          at = end;
          break;
        case State.WHOLE:
          this.restAt = at;
          return Fed.EXCESS;
        case State.REFUSED:
          return Fed.REFUSED;
        case State.SWITCHED:
          this.switchedAt = at;
          return Fed.SWITCHED;
        default:
          return Fed.STOPPED;
      }
    }
    this.switchedAt = end;
    return this.#code();
  }

  /**
   * `finish` is called when the connection ended in order (FIN). It returns WHOLE if the response ends that
   * way, after `onEnd`, and MORE if the response was cut short.
   */
  finish(): Fed {
    if (this.#state === State.BODY_CLOSE) this.#complete();
    return this.#code();
  }

  #code(): Fed {
    if (this.#state === State.WHOLE) return Fed.WHOLE;
    if (this.#state === State.REFUSED) return Fed.REFUSED;
    if (this.#state === State.SWITCHED) return Fed.SWITCHED;
    return this.#state === State.STOPPED ? Fed.STOPPED : Fed.MORE;
  }

  /** `#feedHead` returns where the head ended, or `end` if it did not. */
  #feedHead(bytes: Buffer, start: number, end: number): number {
    if (this.#gatheredBytes > 0) return this.#feedGathered(bytes, start, end);
    const { head } = this;
    head.begin(bytes, start);
    const limit = Math.min(end, start + limits.responseHeadBytes);
    const scan = scanHead(head, limit);
    if (scan === Scan.DONE) {
      const headEnd = start + head.scanned;
      this.#headDone();
      return headEnd;
    }
    if (scan === Scan.REFUSED) this.#refuse(head.fault);
    else if (limit < end) this.#refuse(ResponseFault.HEAD_TOO_LARGE);
    else this.#gather(bytes, start, end);
    return end;
  }

  /**
   * `#feedGathered` continues a head that arrives in pieces. Complete lines are never scanned again, and an
   * incomplete one only once its LF has arrived. Otherwise a head sent byte by byte would cost the square of
   * its length.
   */
  #feedGathered(bytes: Buffer, start: number, end: number): number {
    const { head } = this;
    const before = this.#gatheredBytes;
    const take = Math.min(end - start, limits.responseHeadBytes - before);
    const hasLine = bytes.subarray(start, start + take).indexOf(Char.LF) >= 0;
    this.#gather(bytes, start, start + take);
    const scan = hasLine ? scanHead(head, this.#gatheredBytes) : Scan.PARTIAL;
    if (scan === Scan.DONE) {
      this.#gatheredBytes = 0;
      this.#headDone();
      if (this.#gathered!.length > FIRST_GATHER_BYTES) this.#gathered = null;
      return start + (head.scanned - before);
    }
    if (scan === Scan.REFUSED) this.#refuse(head.fault);
    else if (before + take === limits.responseHeadBytes) this.#refuse(ResponseFault.HEAD_TOO_LARGE);
    return end;
  }

  #gather(bytes: Buffer, start: number, end: number): void {
    const needed = this.#gatheredBytes + (end - start);
    let buffer = this.#gathered;
    if (buffer === null || buffer.length < needed) {
      let size = FIRST_GATHER_BYTES;
      while (size < needed) size *= 2;
      const larger = Buffer.allocUnsafeSlow(size);
      if (buffer !== null) buffer.copy(larger, 0, 0, this.#gatheredBytes);
      this.#gathered = buffer = larger;
    }
    bytes.copy(buffer, this.#gatheredBytes, start, end);
    this.#gatheredBytes = needed;
    this.head.relocate(buffer, 0);
  }

  #headDone(): void {
    const { head } = this;
    const fault = decideFraming(head, this.#toHead);
    if (fault !== ResponseFault.NONE) this.#refuse(fault);
    else if (head.status < FINAL_STATUS_MIN) this.#interim();
    else this.#final();
  }

  #interim(): void {
    const { head } = this;
    if (head.status === SWITCHING_PROTOCOLS) this.#switch();
    else if (++this.#interims > limits.interimResponses) this.#refuse(ResponseFault.TOO_MANY_INTERIMS);
    else if (head.status !== CONTINUE || this.#wantsContinue) this.#sink.onInterim(head);
  }

  #switch(): void {
    if (this.#upgrades) this.#state = State.SWITCHED;
    else this.#refuse(ResponseFault.UNASKED_UPGRADE);
  }

  #final(): void {
    const { head } = this;
    this.#left = head.framing === Framing.LENGTH ? head.contentLength : 0;
    // The state is set before the sink is called, because it may call `stop`.
    if (head.framing === Framing.CHUNKED) {
      this.#chunked.reset();
      this.#state = State.BODY_CHUNKED;
    } else {
      this.#state = head.framing === Framing.CLOSE ? State.BODY_CLOSE : State.BODY_LENGTH;
    }
    this.#sink.onHead(head);
    if (this.#state === State.BODY_LENGTH && this.#left === 0) this.#complete();
  }

  #feedLength(bytes: Buffer, start: number, end: number): number {
    const to = Math.min(end, start + this.#left);
    this.#left -= to - start;
    this.#sink.onBody(bytes.subarray(start, to));
    if (this.#left === 0 && this.#state === State.BODY_LENGTH) this.#complete();
    return to;
  }

  #feedChunked(bytes: Buffer, start: number, end: number): number {
    const decoder = this.#chunked;
    const at = decoder.feed(bytes, start, end, this.#sink);
    if (decoder.done) this.#chunksDone();
    else if (decoder.fault !== ResponseFault.NONE) this.#refuse(decoder.fault);
    return at;
  }

  #chunksDone(): void {
    const lines = this.#chunked.trailers;
    if (lines !== '') {
      const trailers = forwardableTrailers(lines, this.head.named);
      if (trailers !== '') this.#sink.onTrailers(trailers);
      if (this.#state !== State.BODY_CHUNKED) return;
    }
    this.#complete();
  }

  #complete(): void {
    this.#state = State.WHOLE;
    this.#sink.onEnd();
  }

  #refuse(fault: ResponseFault): void {
    this.fault = fault;
    this.#state = State.REFUSED;
  }
}

const noBytes = Buffer.alloc(0);
