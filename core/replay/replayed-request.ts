/** One recorded request on its way once more. Reused. */

import type { Clock } from '../clock.js';
import { digestBody } from '../compare/digest.js';
import { type Drop, type Failure, none } from '../errors.js';
import { Framing } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import { Differs, End, endOf, MirrorField } from '../record/mirror-counters.js';
import { VersionField } from '../record/version-counters.js';
import type { RecordedExchange } from '../recording/reader.js';
import type { RecordedResponse } from '../recording/recorded.js';
import type { VersionPool } from '../upstream/pool.js';
import type { ResponseSink } from '../upstream/response-sink.js';
import { UpstreamCall } from '../upstream/upstream-call.js';
import { UpstreamRequest } from '../upstream/upstream-request.js';
import type { ReplayCounters } from './replay-counters.js';

export interface PlayedOwner {
  readonly clock: Clock;
  readonly counters: ReplayCounters;
  /** It failed before anything was sent: what it is dropped as, or `none`, which counts it as failed. */
  dropFor(played: ReplayedRequest, failure: Failure): Drop | typeof none;
  over(played: ReplayedRequest): void;
}

export class ReplayedRequest implements ResponseSink {
  readonly #owner: PlayedOwner;
  readonly #call = new UpstreamCall(this);
  readonly #request = new UpstreamRequest();
  #exchange: RecordedExchange | null = null;
  #dueUs = 0;
  #digest = 0;
  /** It counts as sent. */
  #sent = false;
  #reached = false;
  /** What it is in order by; null: nothing. */
  key: string | null = null;

  constructor(owner: PlayedOwner) {
    this.#owner = owner;
  }

  /** `dueUs`: when it was to go out, from which its latency counts; -1: whenever it can. */
  start(
    pool: VersionPool,
    exchange: RecordedExchange,
    host: string,
    dueUs: number,
    key: string | null,
    timeoutMs: number,
  ): void {
    this.#exchange = exchange;
    this.#dueUs = dueUs;
    this.#digest = 0;
    this.#sent = false;
    this.#reached = false;
    this.key = key;
    const { method, target, fields, body, trailers, lengthZero, framing } = exchange.request;
    const { played, mirror } = this.#owner.counters;
    played.requestStarted();
    mirror.eligible();
    const request = this.#request;
    request.method = method;
    request.target = target;
    request.host = host;
    request.fields = fields;
    request.framing = framing;
    request.contentLength = framing === Framing.LENGTH ? body.byteLength : 0;
    request.lengthZero = lengthZero;
    request.totalMs = timeoutMs;
    request.resends.begin(method, null);
    this.#call.start(pool, request);
    if (framing === Framing.NONE) return;
    if (trailers !== '') {
      this.#call.write(body, false);
      this.#call.trailers(trailers);
      this.#call.write(body.subarray(0, 0), true);
    } else this.#call.write(body, true);
  }

  /** A byte of it went out. */
  get wasSent(): boolean {
    return this.#reached;
  }

  batch(run: () => void): void {
    run();
  }

  onSent(): void {
    this.#reached = true;
    this.#countSent();
    const { counters, clock } = this.#owner;
    if (this.#dueUs >= 0) counters.mirror.queue.record(clock() - this.#dueUs);
  }

  onDrain(): void {}
  onInterim(): void {}
  onSwitch(): void {}
  onHead(_head: ResponseHead): void {}

  onResponseBody(bytes: Uint8Array): void {
    this.#digest = digestBody(bytes, this.#digest);
  }

  onResponseTrailers(): void {}

  onEnd(): void {
    const { played, mirror } = this.#owner.counters;
    const { status, endUs, sentUs, firstByteUs } = this.#call;
    const fromUs = this.#dueUs >= 0 ? this.#dueUs : sentUs;
    mirror.completed();
    played.response(status);
    played.latency.record(endUs - fromUs);
    played.firstByte.record(firstByteUs - fromUs);
    const { response, primaryFailure } = this.#exchange!;
    if (response !== null) this.#compare(response, endUs - sentUs);
    else if (primaryFailure >= 0) this.#primaryFailed(primaryFailure as Failure);
    this.#over();
  }

  onFailure(failure: Failure): void {
    const { played, mirror } = this.#owner.counters;
    played.failure(failure);
    const drop = this.#sent ? none : this.#owner.dropFor(this, failure);
    if (drop !== none) {
      mirror.dropped(drop);
      this.#over();
      return;
    }
    this.#countSent();
    mirror.failed(failure);
    const { response, primaryFailure } = this.#exchange!;
    if (response !== null || primaryFailure >= 0) {
      mirror.add(MirrorField.notComparable);
      mirror.pairEnded(endOf(primaryFailure, response?.status ?? 0), endOf(failure, 0));
    }
    this.#over();
  }

  #primaryFailed(failure: Failure): void {
    const { recorded: counters, mirror } = this.#owner.counters;
    counters.requestStarted();
    counters.failure(failure);
    mirror.add(MirrorField.notComparable);
    mirror.pairEnded(endOf(failure, 0), endOf(-1, this.#call.status));
  }

  /** Of two responses to one request. */
  #compare(recorded: RecordedResponse, tookUs: number): void {
    const { recorded: counters, mirror } = this.#owner.counters;
    counters.requestStarted();
    counters.response(recorded.status);
    if (recorded.latencyUs >= 0) counters.latency.record(recorded.latencyUs);
    let differs = recorded.status === this.#call.status ? 0 : Differs.STATUS;
    if (!recorded.truncated) {
      if (recorded.bytes !== this.#call.responseBytes) differs |= Differs.SIZE;
      if (recorded.digest !== null && recorded.digest !== this.#digest) differs |= Differs.BODY;
    }
    const [primaryEnd, shadowEnd] = [endOf(-1, recorded.status), endOf(-1, this.#call.status)];
    mirror.pairEnded(primaryEnd, shadowEnd);
    if (recorded.latencyUs < 0) mirror.paired(differs);
    else
      mirror.pairMeasured(recorded.latencyUs, tookUs, differs, primaryEnd === End.OK && shadowEnd === End.OK);
  }

  #countSent(): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#owner.counters.mirror.sent();
  }

  #over(): void {
    const { played } = this.#owner.counters;
    played.add(VersionField.bytesSent, this.#call.requestBytes);
    played.add(VersionField.bytesReceived, this.#call.responseBytes);
    this.#exchange = null;
    this.#owner.over(this);
  }
}
