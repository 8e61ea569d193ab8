/**
 * Decides on a proxy thread which requests are traced, and gives them their ids. The decision is made once,
 * at the head of a request: by the client where it sent a trace context (parent-based), else by the trace
 * id, so that whoever knows the id comes to the same decision (OpenTelemetry, "Probability sampling": the 56
 * bits at the end of the id against a threshold). Requests that are not traced keep the fields that they
 * came with.
 */
import type { RequestHead } from '../http/message.js';
import type { TracingPlan } from '../plan.js';
import { parentContext, Sampled, withContext } from './trace-context.js';
import { hexId, type Random } from './trace-fields.js';

/** A copy that was not sent: its mirror's slot and an index of `drops`. */
export type TracedDrop = readonly [slot: number, reason: number];

/** The ids of one traced request. */
export class RequestTrace {
  readonly traceId: string;
  /** The client's span; empty where the trace begins here. */
  readonly parentId: string;
  /** The span of the request at umbra, and that of the request to its primary. */
  readonly serverId: string;
  readonly clientId: string;
  /** Copies that a proxy thread dropped. */
  readonly drops: TracedDrop[] = [];

  constructor(traceId: string, parentId: string, serverId: string, clientId: string) {
    this.traceId = traceId;
    this.parentId = parentId;
    this.serverId = serverId;
    this.clientId = clientId;
  }

  /** `forPrimary` names the span of the request to the primary as the parent of what the primary does. */
  forPrimary(fields: string): string {
    return fields.replaceAll(this.serverId, this.clientId);
  }

  /** `forCopy` does the reverse for a copy of the request as the primary gets it. */
  forCopy(fields: string): string {
    return fields.replaceAll(this.clientId, this.serverId);
  }
}

/** 48 of the 56 bits are compared, which is finer than a millionth. */
const COMPARED = 2 ** 48;
const traceDigits = 32;

export class Tracer {
  readonly #least: number;
  readonly #random: Random;

  constructor({ shareMillionths }: Pick<TracingPlan, 'shareMillionths'>, random: Random) {
    this.#least = Math.floor(COMPARED * (1 - shareMillionths / 1e6));
    this.#random = random;
  }

  /**
   * `begin` returns the trace of a request, or null when it is not traced. The fields of a traced one name
   * umbra's span as the parent from then on, for its primary and for its copies.
   */
  begin(head: Pick<RequestHead, 'fields'>): RequestTrace | null {
    const parent = parentContext(head.fields);
    if (parent?.sampled === Sampled.NO) return null;
    const random = this.#random;
    const isNew = parent === null || parent.traceId === '';
    const traceId = isNew ? hexId(random, 4) : parent.traceId;
    if (parent?.sampled !== Sampled.YES && !this.#isSampled(traceId)) return null;
    const trace = new RequestTrace(traceId, isNew ? '' : parent.spanId, hexId(random, 2), hexId(random, 2));
    head.fields = withContext(head.fields, traceId, trace.serverId);
    return trace;
  }

  #isSampled(traceId: string): boolean {
    const compared = Number.parseInt(traceId.slice(traceDigits - 14, traceDigits - 2), 16);
    return compared >= this.#least;
  }
}
