/**
 * One listener's edge on one proxy thread: it checks a request and adds fields to it before the forwarder
 * routes it. Everything behind it is the same for all listeners.
 */
import { bodyTooLargeAnswer } from '../answers.js';
import { EdgeFields } from '../http/edge-fields.js';
import { normalizedTarget } from '../http/match-target.js';
import { Framing, type RequestHead } from '../http/message.js';
import { RequestFault, requestFaultAnswers } from '../http/request-fault.js';
import type { RequestIds } from '../http/request-id.js';
import { hasUnderscores, withoutDisguises, withoutUnderscores } from '../http/underscores.js';
import type { EdgePlan, ListenerPlan } from '../plan.js';
import { type ThreadCounters, ThreadField } from '../record/thread-counters.js';
import type { RequestHandler, RequestSink, Responder } from './downstream.js';
import { ignoredRequest } from './downstream.js';
import type { Forwarder } from './forwarder.js';

export class Edge implements RequestHandler {
  readonly #forwarder: Forwarder;
  readonly #ids: RequestIds;
  readonly #counters: ThreadCounters;
  /** Null when nothing is added. */
  #fields: EdgeFields | null = null;
  #bodyBytesMax = Number.MAX_SAFE_INTEGER;
  #underscores: EdgePlan['underscores'] = 'drop';
  #normalizesPath = true;
  #mergesSlashes = false;
  #port = 0;

  constructor(plan: ListenerPlan, forwarder: Forwarder, ids: RequestIds, counters: ThreadCounters) {
    this.#forwarder = forwarder;
    this.#ids = ids;
    this.#counters = counters;
    this.use(plan);
  }

  /** `use` applies this plan to later requests. */
  use({ address, edge, limits }: ListenerPlan): void {
    this.#fields = EdgeFields.act(edge) ? new EdgeFields(edge, this.#ids) : null;
    this.#bodyBytesMax = limits.bodyBytesMax ?? Number.MAX_SAFE_INTEGER;
    this.#underscores = edge.underscores;
    this.#normalizesPath = edge.normalizesPath;
    this.#mergesSlashes = edge.mergesSlashes;
    this.#port = address.kind === 'unix' ? 0 : address.port;
  }

  onRequest(head: RequestHead, responder: Responder): RequestSink {
    head.client = '';
    head.localPort = this.#port;
    if (head.framing === Framing.LENGTH && head.contentLength > this.#bodyBytesMax) {
      this.#counters.add(ThreadField.bodyTooLarge);
      return this.#answer(responder, bodyTooLargeAnswer.status, bodyTooLargeAnswer.text);
    }
    if (this.#underscores === 'refuse' && hasUnderscores(head.fields)) {
      const { status, text } = requestFaultAnswers[RequestFault.FIELD_NAME]!;
      return this.#answer(responder, status, text);
    }
    const drops = this.#underscores === 'drop';
    head.fields = drops ? withoutUnderscores(head.fields) : withoutDisguises(head.fields);
    this.#fields?.apply(head, responder);
    const { target } = head;
    const matched = this.#normalizesPath ? normalizedTarget(target, this.#mergesSlashes) : target;
    return this.#forwarder.forward(head, responder, this.#bodyBytesMax, matched);
  }

  #answer(responder: Responder, status: number, text: string): RequestSink {
    this.#counters.add(ThreadField.requests);
    responder.answer(status, text);
    return ignoredRequest;
  }
}
