/**
 * One copy on the sink thread, from its HEAD frame until its sink has settled it. Its frames are assembled
 * into one request, which is then put into the sink. It ends exactly once in the counters: dropped (before it
 * was put), completed, or failed.
 */

import type { Clock } from '../clock.js';
import { Drop, dropOfUnsent, type Failure, none } from '../errors.js';
import { MessageTimes } from '../grpc/message-times.js';
import { keepPiece } from '../http/kept-pieces.js';
import type { Framing } from '../http/message.js';
import { latin1Slice } from '../http/wire.js';
import { FrameFlag, type MirroredHead, type Outcome, Seen } from '../mirror/codec.js';
import type { FramedCopy } from '../mirror/frame-receiver.js';
import { MirrorField, Unexamined } from '../record/mirror-counters.js';
import { FrameType } from '../ring/frame.js';
import { type CopiedResponse, type Copy, type PrimaryOutcome, reasonOr } from './sink.js';
import type { SinkMirror } from './sink-mirror.js';

const noPieces: readonly Uint8Array[] = [];

interface CallTimes {
  readonly request: MessageTimes;
  readonly response: MessageTimes;
}

export class SinkCopy implements Copy, FramedCopy {
  readonly route: string;
  readonly offeredUs: number;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly fields: string;
  readonly framing: Framing;
  readonly lengthZero: boolean;
  readonly http2: boolean;
  readonly orderKey: number;
  body: readonly Uint8Array[] = noPieces;
  bodyBytes = 0;
  trailers = '';
  messageTimes = '';
  primary: PrimaryOutcome | null = null;
  response: CopiedResponse | null = null;
  readonly #mirror: SinkMirror;
  readonly #onOver: (copy: SinkCopy) => void;
  readonly #clock: Clock;
  /** The primary's outcome is waited for. */
  readonly #waits: boolean;
  /** The primary's response is wanted. */
  readonly #captures: boolean;
  #pieces: Buffer[] | null = null;
  /** Null unless the copy is a gRPC call. */
  readonly #times: CallTimes | null;
  #responseHead = '';
  #responsePieces: Buffer[] = [];
  #responseBytes = 0;
  #responseTrailers = '';
  #heldBytes: number;
  #requestComplete: boolean;
  #primaryKnown = false;
  /** The sink has, or had, the copy. */
  #put = false;
  #over = false;

  constructor(
    mirror: SinkMirror,
    head: MirroredHead,
    flags: number,
    clock: Clock,
    onOver: (copy: SinkCopy) => void,
  ) {
    this.#mirror = mirror;
    this.#clock = clock;
    this.#onOver = onOver;
    this.#waits = (flags & FrameFlag.UNPAIRED) === 0;
    this.#captures = (flags & FrameFlag.CAPTURE) !== 0;
    this.#requestComplete = (flags & FrameFlag.LAST) !== 0;
    this.route = mirror.route;
    this.offeredUs = head.offeredUs;
    this.method = head.method;
    this.target = mirror.targetFor(head.target);
    this.host = head.host;
    this.fields = mirror.fieldsFor(head);
    this.framing = head.framing;
    this.lengthZero = head.lengthZero;
    this.http2 = head.http2;
    this.orderKey = head.orderKey;
    this.#times = head.grpc ? { request: new MessageTimes(), response: new MessageTimes() } : null;
    this.#heldBytes = this.target.length + this.fields.length;
    mirror.bounds.begun();
    mirror.bounds.heldBytes += this.#heldBytes;
  }

  /** Puts the copy if its HEAD was all there is. */
  begin(): void {
    if (this.#requestComplete && !this.#waits) this.#putNow();
  }

  get expectsFrames(): boolean {
    return !this.#put && !this.#over;
  }

  onBody(piece: Uint8Array, last: boolean): void {
    this.#addBody(piece);
    this.#times?.request.take(piece, this.#sinceOffered);
    if (!last) return;
    this.messageTimes = this.#times?.request.end(this.#sinceOffered) ?? '';
    this.#requestComplete = true;
    if (!this.#waits || this.#primaryKnown) this.#putNow();
  }

  onTrailers(lines: string): void {
    this.trailers = lines;
  }

  onAbort(failure: Failure): void {
    if (this.#requestComplete) return;
    const drop = dropOfUnsent(failure);
    this.drop(drop === none ? Drop.ABORTED : drop);
  }

  /** A response that does not fit into the memory is left out, and counted with the outcome. */
  onPrimaryResponse(type: number, bytes: Buffer): void {
    if (!this.expectsFrames) return;
    if (type === FrameType.RESPONSE_HEAD) {
      if (this.#hold(bytes.byteLength)) this.#responseHead += latin1Slice(bytes, 0, bytes.byteLength);
      return;
    }
    if (this.#responseBytes < 0) return;
    if (!this.#hold(bytes.byteLength)) {
      this.#responseBytes = -1;
      this.#responsePieces = [];
      return;
    }
    if (type === FrameType.RESPONSE_TRAILERS) {
      this.#responseTrailers += latin1Slice(bytes, 0, bytes.byteLength);
      return;
    }
    this.#times?.response.take(bytes, this.#sinceOffered);
    keepPiece(this.#responsePieces, bytes);
    this.#responseBytes += bytes.byteLength;
  }

  /** The outcome may come before the request is complete: a primary may answer early. */
  onOutcome(outcome: Outcome | null): void {
    if (!this.expectsFrames || this.#primaryKnown) return;
    if (outcome !== null) this.primary = outcomeOf(outcome);
    if (this.#captures) this.response = this.#responseOf(outcome);
    this.#primaryKnown = true;
    if (this.#requestComplete) this.#putNow();
  }

  /** Does nothing to a copy that its sink has or had. */
  drop(reason: Drop): void {
    if (this.#put || this.#over) return;
    const { counters } = this.#mirror;
    counters.dropped(reason);
    if (this.#captures && (!this.#primaryKnown || this.response !== null))
      counters.unexamined(Unexamined.NO_PAIR);
    this.#end();
  }

  settled(failure: Failure | typeof none, keptBytes: number): void {
    if (!this.#put || this.#over) throw new Error('a sink settled a copy that it did not have');
    const { counters } = this.#mirror;
    if (failure === none) {
      counters.completed();
      counters.add(MirrorField.keptBytes, keptBytes);
    } else {
      counters.failed(failure);
    }
    this.#end();
  }

  segmentBegun(): void {
    this.#mirror.counters.add(MirrorField.segments);
  }

  redacted(): void {
    this.#mirror.counters.add(MirrorField.redacted);
  }

  #addBody(piece: Uint8Array): void {
    if (!this.expectsFrames || piece.byteLength === 0) return;
    if (!this.#hold(piece.byteLength)) {
      this.drop(reasonOr(Drop.MEMORY, this.#mirror.sink.stalled()));
      return;
    }
    this.#pieces ??= [];
    keepPiece(this.#pieces, piece);
    this.body = this.#pieces;
    this.bodyBytes += piece.byteLength;
  }

  #putNow(): void {
    if (this.#put || this.#over) return;
    const { counters, sink } = this.#mirror;
    const refused = sink.refuses();
    if (refused !== none) {
      this.drop(refused);
      return;
    }
    const notTaken = sink.put(this);
    if (notTaken !== none) {
      this.drop(notTaken);
      return;
    }
    this.#put = true;
    counters.sent();
    counters.queue.record(this.#clock() - this.offeredUs);
    if (this.#captures && this.response !== null) counters.add(MirrorField.handedToAnalysts);
    this.body = noPieces;
    this.#pieces = null;
    this.response = null;
  }

  #responseOf(outcome: Outcome | null): CopiedResponse | null {
    const { counters } = this.#mirror;
    if (outcome === null || outcome.failure >= 0) counters.unexamined(Unexamined.NO_PAIR);
    else if ((outcome.seen & Seen.CAPTURED) === 0) counters.unexamined(Unexamined.RING_FULL);
    else if (this.#responseBytes < 0 || this.#responseHead === '') counters.unexamined(Unexamined.MEMORY);
    else {
      return {
        status: outcome.status,
        head: this.#responseHead,
        body: this.#responsePieces,
        bodyBytes: this.#responseBytes,
        truncated: (outcome.seen & Seen.TRUNCATED) !== 0,
        trailers: this.#responseTrailers,
        messageTimes: this.#times?.response.end(this.#sinceOffered) ?? '',
        latencyUs: outcome.latencyUs,
      };
    }
    return null;
  }

  /** The time of the frame that is read now: the thread reads its rings as they are filled. */
  get #sinceOffered(): number {
    return this.#clock() - this.offeredUs;
  }

  #hold(bytes: number): boolean {
    const { bounds, counters } = this.#mirror;
    if (bounds.exceedsMemory(bytes)) return false;
    bounds.heldBytes += bytes;
    this.#heldBytes += bytes;
    counters.set(MirrorField.heldBytes, bounds.heldBytes);
    return true;
  }

  #end(): void {
    this.#over = true;
    const { bounds, counters } = this.#mirror;
    bounds.ended();
    bounds.heldBytes -= this.#heldBytes;
    counters.set(MirrorField.heldBytes, bounds.heldBytes);
    this.#onOver(this);
  }
}

function outcomeOf(outcome: Outcome): PrimaryOutcome {
  const { status, grpcStatus, latencyUs, responseBytes, bodyDigest, seen } = outcome;
  const failure = outcome.failure as Failure | typeof none;
  const digest = (seen & Seen.BODY_DIGEST) === 0 ? null : bodyDigest;
  return { status, grpcStatus, failure, latencyUs, responseBytes, bodyDigest: digest };
}
