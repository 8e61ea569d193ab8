/**
 * One recorded request, sent to the server under test and, if configured, also to a primary and a baseline.
 * The shadow's response is compared with the primary's, or with the recorded one when there is no primary.
 * Reused.
 */
import { type Drop, type Failure, none } from '../errors.js';
import type { ComparePlan } from '../plan.js';
import {
  End,
  endOf,
  type MirrorCounters,
  MirrorField,
  pairOutcome,
  Unexamined,
} from '../record/mirror-counters.js';
import type { VersionCounters } from '../record/version-counters.js';
import { asAnswerTo, methodOf, type RecordedExchange, type RecordedResponse } from '../recording/recorded.js';
import { differenceOf } from './pair-difference.js';
import { type MessagePace, ReplayCall, type ReplayCallOwner, type ReplayServer } from './replay-call.js';
import type { PlayCounters } from './replay-counters.js';
import type { ResponsePairs } from './response-pairs.js';

export interface ReplayServers {
  readonly shadow: ReplayServer;
  /** Null: the recorded response is the primary's. */
  readonly primary: ReplayServer | null;
  /** The primary's version, which gets the request a second time to measure noise. */
  readonly baseline: ReplayServer | null;
}

/** Shared by all requests of one replay, or of one stream. */
export interface PlayContext {
  readonly counters: PlayCounters;
  readonly servers: ReplayServers;
  readonly timeoutMs: number;
  readonly messagePace: MessagePace;
  readonly compare: ComparePlan;
  /** Takes pairs of responses to compare their contents; null to compare only checksums. */
  readonly pairs: ResponsePairs | null;
}

export interface ReplayedRequestOwner {
  /**
   * Returns the drop reason of a request that failed before anything was sent, or `none` to count it as
   * failed.
   */
  dropFor(replayed: ReplayedRequest, failure: Failure): Drop | typeof none;
  over(replayed: ReplayedRequest): void;
}

export class ReplayedRequest implements ReplayCallOwner {
  readonly #owner: ReplayedRequestOwner;
  readonly #context: PlayContext;
  readonly #shadow = new ReplayCall(this);
  readonly #primary = new ReplayCall(this);
  readonly #baseline = new ReplayCall(this);
  #exchange: RecordedExchange | null = null;
  /** The same for all pairs of one request. */
  #number = 0;
  #underWay = 0;
  #primaryAnswer: RecordedResponse | null = null;
  #primaryFailure: Failure | typeof none = none;
  #shadowFailure: Failure | typeof none = none;
  #shadowAnswer: RecordedResponse | null = null;
  #baselineAnswer: RecordedResponse | null = null;
  /** The shadow's call counts as sent. */
  #sent = false;
  #reached = false;
  #dropped = false;
  /** Requests with the same key are sent in sequence; null for none. */
  key: string | null = null;
  /** Tokens that its responses will provide, for which later requests wait. */
  tokens: readonly string[] = [];

  constructor(owner: ReplayedRequestOwner, context: PlayContext) {
    this.#owner = owner;
    this.#context = context;
  }

  /**
   * `start` sends the request. `fromUs` is when latencies begin to count, or -1 for the first byte of each
   * call. `number` is the same for all pairs of one recorded request, even if it is sent again to learn
   * noise.
   */
  start(exchange: RecordedExchange, fromUs: number, key: string | null, number: number): void {
    const { servers, counters, timeoutMs, pairs, messagePace } = this.#context;
    const { shadow, primary, baseline } = servers;
    this.#exchange = exchange;
    this.#number = number;
    this.key = key;
    this.#sent = false;
    this.#reached = false;
    this.#dropped = false;
    this.#shadowAnswer = null;
    this.#baselineAnswer = null;
    this.#primaryAnswer = primary === null ? asAnswerTo(exchange.request, exchange.response) : null;
    this.#primaryFailure = primary === null ? exchange.primaryFailure : none;
    this.#underWay = 1 + Number(primary !== null) + Number(baseline !== null);
    const captures = pairs !== null;
    const { request } = exchange;
    counters.mirror.eligible();
    if (baseline !== null) counters.baselineMirror.eligible();
    if (primary !== null) this.#primary.start(primary, request, fromUs, timeoutMs, captures, messagePace);
    if (baseline !== null) this.#baseline.start(baseline, request, fromUs, timeoutMs, captures, messagePace);
    this.#shadow.start(shadow, request, fromUs, timeoutMs, captures, messagePace);
  }

  /** A byte of the request reached the shadow's connection. */
  get wasSent(): boolean {
    return this.#reached;
  }

  onSent(call: ReplayCall): void {
    if (call === this.#shadow) {
      this.#reached = true;
      this.#countSent();
    }
  }

  onOver(call: ReplayCall, failure: Failure | typeof none): void {
    if (call === this.#shadow) this.#shadowOver(failure);
    else if (call === this.#primary) {
      this.#primaryFailure = failure;
      if (failure === none) {
        this.#primaryAnswer = call.answer();
        call.learn(this.#exchange!.response, this.#primaryAnswer);
      }
    } else this.#baselineOver(failure);
    if (--this.#underWay > 0) return;
    this.#compare();
    this.#exchange = null;
    this.#owner.over(this);
  }

  #shadowOver(failure: Failure | typeof none): void {
    const { mirror } = this.#context.counters;
    this.#shadowFailure = failure;
    if (failure === none) {
      mirror.completed();
      this.#shadowAnswer = this.#shadow.answer();
      this.#shadow.learn(this.#exchange!.response, this.#shadowAnswer);
      return;
    }
    const drop = this.#sent ? none : this.#owner.dropFor(this, failure);
    if (drop !== none) {
      mirror.dropped(drop);
      this.#dropped = true;
      return;
    }
    this.#countSent();
    mirror.failed(failure);
  }

  #baselineOver(failure: Failure | typeof none): void {
    const { baselineMirror } = this.#context.counters;
    baselineMirror.sent();
    if (failure !== none) baselineMirror.failed(failure);
    else {
      baselineMirror.completed();
      this.#baselineAnswer = this.#baseline.answer();
      this.#baseline.learn(this.#exchange!.response, this.#baselineAnswer);
    }
  }

  #countSent(): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#context.counters.mirror.sent();
  }

  /** `#compare` is called when all calls have ended. */
  #compare(): void {
    const { counters, servers, compare } = this.#context;
    const { mirror } = counters;
    const [primary, shadow, baseline] = [this.#primaryAnswer, this.#shadowAnswer, this.#baselineAnswer];
    const primaryEnd = endOf(this.#primaryFailure, primary?.status ?? 0);
    const isPrimaryKnown = primary !== null || this.#primaryFailure !== none;
    const shadowEnd = endOf(this.#shadowFailure, shadow?.status ?? 0);
    if (isPrimaryKnown && !this.#dropped) mirror.pairEnded(primaryEnd, shadowEnd);
    if (servers.primary === null && !this.#dropped)
      countRecorded(counters.recorded, primary, this.#primaryFailure);
    let differs = 0;
    if (primary !== null && shadow !== null) {
      differs = differenceOf(primary, shadow, compare);
      countPair(mirror, primary, shadow, differs);
      this.#examine(primary, shadow, false);
    } else if (isPrimaryKnown && !this.#dropped) mirror.add(MirrorField.notComparable);
    if (isPrimaryKnown && !this.#dropped) this.#countByEndpoint(pairOutcome(primaryEnd, shadowEnd), differs);
    if (primary === null || baseline === null) return;
    counters.baselineMirror.pairEnded(primaryEnd, endOf(none, baseline.status));
    countPair(counters.baselineMirror, primary, baseline, differenceOf(primary, baseline, compare));
    this.#examine(primary, baseline, true);
  }

  #countByEndpoint(outcome: number, differs: number): void {
    if (outcome < 0) return;
    const { request } = this.#exchange!;
    this.#context.counters.countByEndpoint(`${methodOf(request)} ${request.target}`, {
      outcome,
      differs,
      primaryUs: this.#primaryAnswer?.latencyUs ?? -1,
      shadowUs: this.#shadowAnswer?.latencyUs ?? -1,
    });
  }

  #examine(primary: RecordedResponse, shadow: RecordedResponse, isBaseline: boolean): void {
    const { pairs, counters } = this.#context;
    // A recording without responses has only figures.
    if (pairs === null || primary.content === null) return;
    const mirror = isBaseline ? counters.baselineMirror : counters.mirror;
    mirror.add(MirrorField.sampled);
    const { request } = this.#exchange!;
    if (pairs.take({ number: this.#number, request, isBaseline, primary, shadow }))
      mirror.add(MirrorField.handedToAnalysts);
    else mirror.unexamined(Unexamined.ANALYSTS_BUSY);
  }
}

/** `countRecorded` counts the recorded response of a primary that was not called. */
function countRecorded(
  counters: VersionCounters,
  response: RecordedResponse | null,
  failure: Failure | typeof none,
): void {
  if (response === null && failure === none) return;
  counters.requestStarted();
  if (response === null) counters.failure(failure as Failure);
  else {
    counters.response(response.status);
    if (response.latencyUs >= 0) counters.latency.record(response.latencyUs);
  }
}

function countPair(
  mirror: MirrorCounters,
  primary: RecordedResponse,
  shadow: RecordedResponse,
  differs: number,
): void {
  const isOk = endOf(none, primary.status) === End.OK && endOf(none, shadow.status) === End.OK;
  if (primary.latencyUs < 0) mirror.paired(differs);
  else mirror.pairMeasured(primary.latencyUs, shadow.latencyUs, differs, isOk);
}
