/** A mirror: which copies are taken, where they go, and what is compared. */
import type { HeaderEdits, PathChange } from './change.js';
import type { SamplePlan } from './match.js';
import type { MeantDifference, PathRulePlan, Tolerance } from './rule.js';
import type { SinkPlan } from './sink.js';
import type { TimeoutsPlan } from './version.js';

export interface MirrorPlan {
  /**
   * Names this mirror's counters; the same (route, version) keeps its slot over reloads. Below
   * `limits.mirrorSlots`.
   */
  readonly slot: number;
  /** Index into `versions`: the shadow; -1 where copies go to `sink`. */
  readonly to: number;
  /** Where copies are kept instead of being sent to a shadow; null: there is a shadow. */
  readonly sink: SinkPlan | null;
  readonly enabled: boolean;
  /** Share in millionths: 0.0001 % is 1, 100 % is 1_000_000. */
  readonly shareMillionths: number;
  readonly sample: SamplePlan;
  /** Methods that are copied, upper case; null copies all. */
  readonly methods: readonly string[] | null;
  /**
   * Whether a copy is taken before or after the changes that the route makes for its primary: path, host and
   * fields.
   */
  readonly of: 'original' | 'forwarded';
  /** Null: copies go out as they come. */
  readonly order: OrderPlan | null;
  readonly host: HostPolicy;
  /** Null: the path of the copy is that of the request. */
  readonly rewrite: PathChange | null;
  readonly trace: TracePolicy;
  readonly headers: HeaderEdits;
  readonly bodyBytesMax: number;
  /**
   * Bytes of requests that shadow threads hold for this mirror, because its shadow does not take them, over
   * all threads.
   */
  readonly heldBytesMax: number;
  /** Bytes of one response's body; a longer one is cut off. */
  readonly responseBytesMax: number;
  /** Requests a second over all threads; null is unlimited. */
  readonly ratePerSecond: number | null;
  /**
   * Requests that may be under way on one connection at a time, of those that can be sent so; 1: none is put
   * behind another.
   */
  readonly pipelining: number;
  /** Copies in flight over all shadow threads. */
  readonly inFlightMax: number;
  /** Time limits of the copy's exchange with the shadow. */
  readonly timeouts: TimeoutsPlan;
  /** Null: there is none. */
  readonly breaker: BreakerPlan | null;
  /** Null: the primary's responses stay on the proxy thread. */
  readonly capture: CapturePlan | null;
  readonly compare: ComparePlan;
}

/** Which copies go out one after the other, each once the one before it was answered. */
export interface OrderPlan {
  readonly by: 'client' | 'connection' | 'header' | 'cookie';
  /** Name of the header, lower case, or of the cookie; empty with the others. */
  readonly name: string;
  /** A hash of the mirror's target: copies to one target have one order, whatever their routes. */
  readonly target: number;
}

/** `shadow` appends `-shadow` to the host name, `endpoint` sends the endpoint's own authority. */
export type HostPolicy =
  | { readonly kind: 'shadow' | 'preserve' | 'endpoint' }
  | { readonly kind: 'set'; readonly value: string };

/**
 * The fields that name a trace or a request: left alone, left out, or renewed, so that the copy is a trace of
 * its own.
 */
export type TracePolicy = 'keep' | 'drop' | 'new';

/** When a mirror gives its shadow a rest; each shadow thread judges by what it sees. */
export interface BreakerPlan {
  /** Share of copies that fail in the window, from which on it opens. */
  readonly failureMillionths: number;
  readonly windowMs: number;
  /** How long it stays open before a copy is tried again. */
  readonly cooldownMs: number;
}

/** How the primary's responses travel with the copies, to be compared or recorded. */
export interface CapturePlan {
  /** Share of the copies that are sent, in millionths. */
  readonly shareMillionths: number;
  /** Bytes of one response's body; the rest of a longer one is left out. */
  readonly bodyBytesMax: number;
}

/** What of the two responses of a pair is compared. */
export interface ComparePlan {
  /** False: nothing is, and the primary's outcome does not travel to the shadow thread. */
  readonly pairs: boolean;
  /** Checksums of the bodies as they were sent. */
  readonly digest: boolean;
  /** Response fields, lower case. */
  readonly headers: readonly string[];
  /** Null: no response is taken apart. */
  readonly structure: StructurePlan | null;
}

export const nothingCompared: ComparePlan = { pairs: false, digest: false, headers: [], structure: null };
/** Status, size and latency: what a mirror without `compare` has. */
export const pairsAlone: ComparePlan = { ...nothingCompared, pairs: true };

/** Types of Protocol Buffers. */
export interface ProtobufPlan {
  /** The bytes of a FileDescriptorSet, which threads share. */
  readonly descriptors: SharedArrayBuffer;
  /** SHA-256 of the bytes. It names the set where plans are compared as text. */
  readonly digest: string;
}

/** How the captured responses of a pair are compared field by field. */
export interface StructurePlan {
  /** Response fields that may differ, lower case. */
  readonly ignoreHeaders: readonly string[];
  /** JSONPaths (core/compare/json-path) that may differ. */
  readonly ignorePaths: readonly string[];
  /** Numbers that are as near as this are equal. */
  readonly tolerance: Tolerance;
  readonly arrays: 'ordered' | 'unordered';
  /** What holds at places of documents. */
  readonly rules: readonly PathRulePlan[];
  /** Differences that are meant, of any kind. */
  readonly meant: readonly MeantDifference[];
  /** Path patterns of endpoints, before those that are learned. */
  readonly endpoints: readonly string[];
  /** The types of Protocol Buffers; null: fields have numbers alone. */
  readonly protobuf: ProtobufPlan | null;
  /** The types are those of the primary, by server reflection; `protobuf` is null. */
  readonly reflection: boolean;
  /**
   * The same request sent once more to the primary's version, as a mirror of its own. Null: no noise test.
   */
  readonly baseline: MirrorPlan | null;
}
