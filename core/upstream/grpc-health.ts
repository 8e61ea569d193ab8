/** Health checks over gRPC: one call of `grpc.health.v1.Health/Check` ("GRPC Health Checking Protocol"). */
import { GrpcCall } from '../grpc/grpc-call.js';
import { GrpcStatus, grpcStatusName } from '../grpc/grpc-status.js';
import { framedMessage, grpcMessages } from '../grpc/message-counter.js';
import { Framing, TAKES_TRAILERS } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import type { UpstreamRequest } from './upstream-request.js';

/** The result of a check that passes. */
export const SERVING = 'SERVING';
/** `HealthCheckResponse.ServingStatus`, by number. */
const servingStatuses = ['UNKNOWN', SERVING, 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** `HealthCheckRequest.service` and `HealthCheckResponse.status` are both field 1: bytes, and a varint. */
const SERVICE_TAG = 0x0a;
const STATUS_TAG = 0x08;
/** An answer is a prefix and two bytes; unknown fields may make it longer. */
const ANSWER_BYTES_MAX = 4096;

/** The call of the checks of one address. */
export class GrpcHealth {
  /** The body of every check. */
  readonly body: Buffer;
  readonly #call = new GrpcCall();
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** `service`: its name, of at most 127 bytes; empty for the whole server. */
  constructor(service: string) {
    const name = Buffer.from(service, 'utf8');
    const message = name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG, name.length]), name]);
    this.body = framedMessage(message);
  }

  /** `fill` makes `request` a check. */
  fill(request: UpstreamRequest): void {
    request.method = 'POST';
    request.target = '/grpc.health.v1.Health/Check';
    request.fields = `user-agent: umbra-health-check\r\ncontent-type: application/grpc\r\n${TAKES_TRAILERS}`;
    request.framing = Framing.CHUNKED;
  }

  begin(): void {
    this.#call.begin();
    this.#pieces = [];
    this.#bytes = 0;
  }

  onHead(head: ResponseHead): void {
    this.#call.onHead(head);
  }

  onBody(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= ANSWER_BYTES_MAX) this.#pieces.push(Buffer.from(bytes));
  }

  onTrailers(lines: string): void {
    this.#call.onTrailers(lines);
  }

  /** `result` returns `SERVING`, or why the check fails, of a complete response with this HTTP status. */
  result(httpStatus: number): string {
    this.#call.onEnd(httpStatus);
    const { status } = this.#call;
    if (status !== GrpcStatus.OK) return `status ${grpcStatusName(status)}`;
    const message = grpcMessages(Buffer.concat(this.#pieces))?.[0]?.bytes;
    const serving = message?.[0] === STATUS_TAG ? message[1]! : 0;
    return servingStatuses[serving] ?? `status ${serving}`;
  }
}
