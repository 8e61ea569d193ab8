/**
 * The outcome of one gRPC call, taken while its response passes: its status, and how many messages went each
 * way. A sender of requests (core/exchange, core/mirror) has one and uses it again.
 */
import type { ResponseHead } from '../http/response-head.js';
import { isGrpcType } from './grpc-method.js';
import {
  GrpcStatus,
  grpcOutcome,
  grpcStatusOfHead,
  grpcStatusOfTrailers,
  httpStatusOfGrpc,
  isStatusOfMethod,
} from './grpc-status.js';
import { MessageCounter } from './message-counter.js';

export class GrpcCall {
  status: GrpcStatus = GrpcStatus.NONE;
  readonly sent = new MessageCounter();
  readonly received = new MessageCounter();
  /** The response's Content-Type is gRPC's. */
  #answersGrpc = false;
  /** The complete response is one that only a server that has the method gives. */
  hasMethod = false;

  begin(): void {
    this.status = GrpcStatus.NONE;
    this.#answersGrpc = false;
    this.hasMethod = false;
    this.sent.begin();
    this.received.begin();
  }

  /** `onHead` returns the status of an answer without messages (Trailers-Only), or `NONE`. */
  onHead(head: ResponseHead): GrpcStatus {
    const type = head.fieldValue('content-type');
    this.#answersGrpc = type !== null && isGrpcType(type);
    this.status = grpcStatusOfHead(head);
    this.received.begin();
    return this.status;
  }

  onTrailers(lines: string): void {
    const status = grpcStatusOfTrailers(lines);
    if (status !== GrpcStatus.NONE) this.status = status;
  }

  /**
   * Trailers may end the response here: it is gRPC, none of its messages is incomplete, and its head did not
   * say how it ended.
   */
  get mayEndHere(): boolean {
    const { received } = this;
    if (!this.#answersGrpc || this.status !== GrpcStatus.NONE) return false;
    return received.isBetweenMessages && !received.isMalformed;
  }

  /**
   * `onEnd` settles the status of a complete response with `httpStatus`, and returns the HTTP status that it
   * is judged by (`httpStatusOfGrpc`).
   */
  onEnd(httpStatus: number): number {
    this.hasMethod = isStatusOfMethod(this.status);
    this.status = grpcOutcome(this.status, httpStatus, this.#answersGrpc);
    return httpStatusOfGrpc(this.status);
  }
}
