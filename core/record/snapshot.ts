/**
 * What the blocks of all threads add up to at one moment, as plain objects. Counters and HDR counts only grow, so the
 * difference of two snapshots is what happened between them; gauges are taken from the later one.
 */
import { type Drop, dropReasons, type Failure, failureReasons } from '../errors.js';
import { Histogram } from './histogram.js';
import { type MirrorCounters, type Unexamined, unexaminedReasons } from './mirror-counters.js';
import { type ThreadCounters, type ThreadField, threadFields } from './thread-counters.js';
import { CODE_FIRST, CODE_LAST, type VersionCounters } from './version-counters.js';

/** One version in one role, over all threads. */
export interface VersionSnapshot {
  readonly requests: number;
  readonly retries: number;
  readonly retriesExhausted: number;
  readonly handshakes: number;
  readonly handshakesResumed: number;
  /** By status code; only codes that were seen. */
  readonly responses: ReadonlyMap<number, number>;
  /** Responses with a code that is not from 100 to 599. */
  readonly responsesOther: number;
  /** Indexed like `failureReasons`. */
  readonly failures: readonly number[];
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly connectionsOpen: number;
  readonly connectionsIdle: number;
  readonly waiting: number;
  readonly queueRefused: number;
  readonly queueTimeouts: number;
  readonly ejected: number;
  readonly ejections: number;
  readonly latency: Histogram;
  readonly firstByte: Histogram;
}

/** One mirror, over all proxy and shadow threads. */
export interface MirrorSnapshot {
  readonly eligible: number;
  readonly offered: number;
  readonly received: number;
  readonly sent: number;
  readonly completed: number;
  readonly inFlight: number;
  /** Indexed like `dropReasons`. */
  readonly dropped: readonly number[];
  /** Indexed like `failureReasons`. */
  readonly failed: readonly number[];
  /** Shadow threads whose breaker is open. */
  readonly breakersOpen: number;
  readonly breakerOpened: number;
  readonly heldBytes: number;
  /** Of a sink: bytes written or published, and files begun. */
  readonly keptBytes: number;
  readonly segments: number;
  /** Why a sink can keep nothing now, as an index of `dropReasons`; -1: it can. */
  readonly trouble: number;
  /** Messages of a stream that are not taken yet; -1: not a stream, or not known. */
  readonly lag: number;
  readonly paired: number;
  readonly equal: number;
  readonly different: number;
  readonly statusDifferent: number;
  readonly sizeDifferent: number;
  readonly bodyDifferent: number;
  readonly headerDifferent: number;
  readonly notComparable: number;
  /** Pairs chosen for structural comparison; each is handed to the analysts, or is in `unexamined`, or still under way. */
  readonly sampled: number;
  readonly handedToAnalysts: number;
  /** Indexed like `unexaminedReasons`. */
  readonly unexamined: readonly number[];
  readonly queue: Histogram;
  readonly deltaSlower: Histogram;
  readonly deltaFaster: Histogram;
}

/** One thread; indexed like `threadFields`. */
export type ThreadSnapshot = readonly number[];

export function readVersion(counters: readonly VersionCounters[]): VersionSnapshot {
  const responses = new Map<number, number>();
  for (let code = CODE_FIRST; code <= CODE_LAST; code++) {
    const count = sum(counters, (counters) => counters.responses(code));
    if (count > 0) responses.set(code, count);
  }
  return {
    requests: sum(counters, (counters) => counters.requests),
    retries: sum(counters, (counters) => counters.retries),
    retriesExhausted: sum(counters, (counters) => counters.retriesExhaustedTotal),
    handshakes: sum(counters, (counters) => counters.handshakes),
    handshakesResumed: sum(counters, (counters) => counters.handshakesResumed),
    responses,
    responsesOther: sum(counters, (counters) => counters.responsesOther),
    failures: failureReasons.map((_, reason) =>
      sum(counters, (counters) => counters.failures(reason as Failure)),
    ),
    bytesSent: sum(counters, (counters) => counters.bytesSentTotal),
    bytesReceived: sum(counters, (counters) => counters.bytesReceivedTotal),
    connectionsOpen: sum(counters, (counters) => counters.connectionsOpen),
    connectionsIdle: sum(counters, (counters) => counters.connectionsIdle),
    waiting: sum(counters, (counters) => counters.waiting),
    queueRefused: sum(counters, (counters) => counters.queueRefusedTotal),
    queueTimeouts: sum(counters, (counters) => counters.queueTimeouts),
    ejected: sum(counters, (counters) => counters.ejected),
    ejections: sum(counters, (counters) => counters.ejections),
    latency: Histogram.read(counters.map((counters) => counters.latency)),
    firstByte: Histogram.read(counters.map((counters) => counters.firstByte)),
  };
}

export function readMirror(counters: readonly MirrorCounters[]): MirrorSnapshot {
  return {
    eligible: sum(counters, (counters) => counters.eligibleTotal),
    offered: sum(counters, (counters) => counters.offeredTotal),
    received: sum(counters, (counters) => counters.receivedTotal),
    sent: sum(counters, (counters) => counters.sentTotal),
    completed: sum(counters, (counters) => counters.completedTotal),
    inFlight: sum(counters, (counters) => counters.inFlight),
    dropped: dropReasons.map((_, reason) => sum(counters, (counters) => counters.droppedFor(reason as Drop))),
    failed: failureReasons.map((_, reason) =>
      sum(counters, (counters) => counters.failedFor(reason as Failure)),
    ),
    breakersOpen: sum(counters, (counters) => counters.breakerOpen),
    breakerOpened: sum(counters, (counters) => counters.breakerOpenedTotal),
    heldBytes: sum(counters, (counters) => counters.heldBytes),
    keptBytes: sum(counters, (counters) => counters.keptBytesTotal),
    segments: sum(counters, (counters) => counters.segmentsTotal),
    trouble: Math.max(-1, ...counters.map((counters) => counters.trouble)),
    lag: Math.max(-1, ...counters.map((counters) => counters.lag)),
    paired: sum(counters, (counters) => counters.pairedTotal),
    equal: sum(counters, (counters) => counters.equalTotal),
    different: sum(counters, (counters) => counters.differentTotal),
    statusDifferent: sum(counters, (counters) => counters.statusDifferentTotal),
    sizeDifferent: sum(counters, (counters) => counters.sizeDifferentTotal),
    bodyDifferent: sum(counters, (counters) => counters.bodyDifferentTotal),
    headerDifferent: sum(counters, (counters) => counters.headerDifferentTotal),
    notComparable: sum(counters, (counters) => counters.notComparableTotal),
    sampled: sum(counters, (counters) => counters.sampledTotal),
    handedToAnalysts: sum(counters, (counters) => counters.handedToAnalystsTotal),
    unexamined: unexaminedReasons.map((_, reason) =>
      sum(counters, (counters) => counters.unexaminedFor(reason as Unexamined)),
    ),
    queue: Histogram.read(counters.map((counters) => counters.queue)),
    deltaSlower: Histogram.read(counters.map((counters) => counters.deltaSlower)),
    deltaFaster: Histogram.read(counters.map((counters) => counters.deltaFaster)),
  };
}

export function readThread(counters: ThreadCounters): ThreadSnapshot {
  return threadFields.map((_, field) => counters.get(field as ThreadField));
}

/** What a version did between two snapshots of it. */
export function subtractVersion(later: VersionSnapshot, earlier: VersionSnapshot): VersionSnapshot {
  const responses = new Map<number, number>();
  for (const [code, count] of later.responses) {
    const since = count - (earlier.responses.get(code) ?? 0);
    if (since > 0) responses.set(code, since);
  }
  return {
    requests: later.requests - earlier.requests,
    retries: later.retries - earlier.retries,
    retriesExhausted: later.retriesExhausted - earlier.retriesExhausted,
    handshakes: later.handshakes - earlier.handshakes,
    handshakesResumed: later.handshakesResumed - earlier.handshakesResumed,
    responses,
    responsesOther: later.responsesOther - earlier.responsesOther,
    failures: subtractEach(later.failures, earlier.failures),
    bytesSent: later.bytesSent - earlier.bytesSent,
    bytesReceived: later.bytesReceived - earlier.bytesReceived,
    connectionsOpen: later.connectionsOpen,
    connectionsIdle: later.connectionsIdle,
    waiting: later.waiting,
    queueRefused: later.queueRefused - earlier.queueRefused,
    queueTimeouts: later.queueTimeouts - earlier.queueTimeouts,
    ejected: later.ejected,
    ejections: later.ejections - earlier.ejections,
    latency: later.latency.subtract(earlier.latency),
    firstByte: later.firstByte.subtract(earlier.firstByte),
  };
}

/** Two versions as if they were one. */
export function addVersions(a: VersionSnapshot, b: VersionSnapshot): VersionSnapshot {
  const responses = new Map(a.responses);
  for (const [code, count] of b.responses) responses.set(code, count + (responses.get(code) ?? 0));
  return {
    requests: a.requests + b.requests,
    retries: a.retries + b.retries,
    retriesExhausted: a.retriesExhausted + b.retriesExhausted,
    handshakes: a.handshakes + b.handshakes,
    handshakesResumed: a.handshakesResumed + b.handshakesResumed,
    responses,
    responsesOther: a.responsesOther + b.responsesOther,
    failures: addEach(a.failures, b.failures),
    bytesSent: a.bytesSent + b.bytesSent,
    bytesReceived: a.bytesReceived + b.bytesReceived,
    connectionsOpen: a.connectionsOpen + b.connectionsOpen,
    connectionsIdle: a.connectionsIdle + b.connectionsIdle,
    waiting: a.waiting + b.waiting,
    queueRefused: a.queueRefused + b.queueRefused,
    queueTimeouts: a.queueTimeouts + b.queueTimeouts,
    ejected: a.ejected + b.ejected,
    ejections: a.ejections + b.ejections,
    latency: a.latency.add(b.latency),
    firstByte: a.firstByte.add(b.firstByte),
  };
}

/** What a mirror did between two snapshots of it. */
export function subtractMirror(later: MirrorSnapshot, earlier: MirrorSnapshot): MirrorSnapshot {
  return {
    eligible: later.eligible - earlier.eligible,
    offered: later.offered - earlier.offered,
    received: later.received - earlier.received,
    sent: later.sent - earlier.sent,
    completed: later.completed - earlier.completed,
    inFlight: later.inFlight,
    dropped: subtractEach(later.dropped, earlier.dropped),
    failed: subtractEach(later.failed, earlier.failed),
    breakersOpen: later.breakersOpen,
    breakerOpened: later.breakerOpened - earlier.breakerOpened,
    heldBytes: later.heldBytes,
    keptBytes: later.keptBytes - earlier.keptBytes,
    segments: later.segments - earlier.segments,
    trouble: later.trouble,
    lag: later.lag,
    paired: later.paired - earlier.paired,
    equal: later.equal - earlier.equal,
    different: later.different - earlier.different,
    statusDifferent: later.statusDifferent - earlier.statusDifferent,
    sizeDifferent: later.sizeDifferent - earlier.sizeDifferent,
    bodyDifferent: later.bodyDifferent - earlier.bodyDifferent,
    headerDifferent: later.headerDifferent - earlier.headerDifferent,
    notComparable: later.notComparable - earlier.notComparable,
    sampled: later.sampled - earlier.sampled,
    handedToAnalysts: later.handedToAnalysts - earlier.handedToAnalysts,
    unexamined: subtractEach(later.unexamined, earlier.unexamined),
    queue: later.queue.subtract(earlier.queue),
    deltaSlower: later.deltaSlower.subtract(earlier.deltaSlower),
    deltaFaster: later.deltaFaster.subtract(earlier.deltaFaster),
  };
}

/** Two mirrors, of two processes, as if they were one. */
export function addMirrors(a: MirrorSnapshot, b: MirrorSnapshot): MirrorSnapshot {
  return {
    eligible: a.eligible + b.eligible,
    offered: a.offered + b.offered,
    received: a.received + b.received,
    sent: a.sent + b.sent,
    completed: a.completed + b.completed,
    inFlight: a.inFlight + b.inFlight,
    dropped: addEach(a.dropped, b.dropped),
    failed: addEach(a.failed, b.failed),
    breakersOpen: a.breakersOpen + b.breakersOpen,
    breakerOpened: a.breakerOpened + b.breakerOpened,
    heldBytes: a.heldBytes + b.heldBytes,
    keptBytes: a.keptBytes + b.keptBytes,
    segments: a.segments + b.segments,
    trouble: Math.max(a.trouble, b.trouble),
    // Each tells it of the same stream.
    lag: Math.max(a.lag, b.lag),
    paired: a.paired + b.paired,
    equal: a.equal + b.equal,
    different: a.different + b.different,
    statusDifferent: a.statusDifferent + b.statusDifferent,
    sizeDifferent: a.sizeDifferent + b.sizeDifferent,
    bodyDifferent: a.bodyDifferent + b.bodyDifferent,
    headerDifferent: a.headerDifferent + b.headerDifferent,
    notComparable: a.notComparable + b.notComparable,
    sampled: a.sampled + b.sampled,
    handedToAnalysts: a.handedToAnalysts + b.handedToAnalysts,
    unexamined: addEach(a.unexamined, b.unexamined),
    queue: a.queue.add(b.queue),
    deltaSlower: a.deltaSlower.add(b.deltaSlower),
    deltaFaster: a.deltaFaster.add(b.deltaFaster),
  };
}

/** The sum of counts that are indexed by reason. */
export function total(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}

function sum<L>(counters: readonly L[], read: (each: L) => number): number {
  let result = 0;
  for (const each of counters) result += read(each);
  return result;
}

function subtractEach(later: readonly number[], earlier: readonly number[]): number[] {
  return later.map((count, i) => count - earlier[i]);
}

/** One of another release may know more reasons than the other. */
function addEach(a: readonly number[], b: readonly number[]): number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}
